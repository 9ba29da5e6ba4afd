"""How a call can fail: in passing, for good, for one prompt alone, or for every request alike."""


class ServerError(Exception):
    """A call without a completion; the message holds the server's own words, without the prompt's."""


class Passing(ServerError):
    """Another try can help: an outage, or an answer that is no completion.

    Attributes:
        pause_s: how long the server asks to wait, in seconds; 0 where it does not say.
        empty: the server answers, but gives no completion to this prompt.
    """

    def __init__(self, words: str, pause_s: float = 0.0, empty: bool = False) -> None:
        """Keep the server's words."""
        super().__init__(words)
        self.pause_s = pause_s
        self.empty = empty


class Outage(ServerError):
    """The call failed each time that it was made."""


class Refused(ServerError):
    """The server refuses this very request.

    Attributes:
        prompt: it says that the prompt is why: a content filter, or a prompt that is too long.
        keys: keys of the request that its words name.
    """

    def __init__(self, words: str, prompt: bool, keys: tuple[str, ...] = ()) -> None:
        """Keep the server's words."""
        super().__init__(words)
        self.prompt = prompt
        self.keys = keys


class Unusable(ServerError):
    """Every request would fare alike: a wrong key, address, model or setting."""
