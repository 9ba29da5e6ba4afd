"""The keys of `make coe`: which questions, which teacher, what a chain has to be. Nothing heavy is imported here."""

from dataclasses import dataclass, field
from typing import Any

from common.chat_server.keys import ServerKeys
from common.settings import check, limited, one_of


@dataclass(frozen=True)
class CheckConfig:
    """What a chain has to be; lengths are characters.

    Attributes:
        min_chars: of a layer.
        max_chars: of a layer.
        chinese: least share of a layer's letters that are Chinese.
        copied: longest run of characters that a layer may share with the response, where the post has not got it too.
        copied_share: largest share of a layer that such runs of six and more may make up.
        about_rank: L1 to L3 have to be as close to their own post as to all but this share of other posts.
        about_words: and have to share so many words with it that few other posts have.
        rare: in how large a share of the posts such a word may stand.
        consistent_rank: L4 has to be as close to its own response as to all but this share of other responses.
    """

    min_chars: int = limited(10, 1)
    max_chars: int = limited(240, 1)
    chinese: float = limited(0.8, 0, 1)
    copied: int = limited(12, 4)
    copied_share: float = limited(0.4, 0, 1)
    about_rank: float = limited(0.005, 0, 1)
    about_words: int = limited(2, 0)
    rare: float = limited(0.1, 0, 1)
    consistent_rank: float = limited(0.2, 0, 1)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range; the message names the key.
        """
        check(self)
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars={self.min_chars}: expected no more than max_chars={self.max_chars}.")


@dataclass(frozen=True)
class CoEConfig(ServerKeys):
    """Which questions get a chain, and who writes it; how the server is asked, `ServerKeys` says.

    Attributes:
        teacher: the model's name on the server (the paper: DeepSeek-R1).
        chains: how many are wanted (the paper: 200).
        stratified: whether topics have the share that they have in the corpus; else questions are drawn at random, as
            in the paper.
        at_risk: whether posts at risk may be drawn.
        response: which of a question's responses the chain is for: "random", "first" or "longest".
        attempts: how often a chain is asked for until it passes the checks.
        checks: what it has to be.
    """

    base_url: str = "https://api.deepseek.com/v1"
    api_key_env: str | None = "DEEPSEEK_API_KEY"
    # DeepSeek-R1 counts its thoughts as tokens of the answer.
    request: dict[str, Any] = field(default_factory=lambda: {"temperature": 0.6, "max_tokens": 8192})
    timeout_s: float = limited(600.0, 0)
    teacher: str = "deepseek-reasoner"
    chains: int = limited(200, 1)
    stratified: bool = False
    at_risk: bool = False
    response: str = field(default="random", metadata=one_of(("random", "first", "longest")))
    attempts: int = limited(3, 1)
    checks: CheckConfig = field(default_factory=CheckConfig)
