"""The two who speak in a dialogue, by the names that corpora call them (``names.yaml``)."""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from data_prep.corpora import names

Role = Literal["seeker", "supporter", "system"]
ROLES: Final[tuple[Role, ...]] = ("seeker", "supporter", "system")


class Turn(NamedTuple):
    """What one of the two says."""

    role: Role
    text: str


class Speakers:
    """Who is called what in a corpus.

    Args:
        further: names beside the usual ones, each with one of ``ROLES``.
    """

    def __init__(self, further: Mapping[str, str] | None = None) -> None:
        self._roles: dict[str, str] = {name: role for role, called in names.SPEAKERS.items() for name in called}
        named = {name.strip().lower(): role for name, role in (further or {}).items()}
        self._roles |= named
        self._ambiguous = set(names.AMBIGUOUS_SPEAKERS) - named.keys()
        every = "|".join(sorted(map(re.escape, self._roles), key=len, reverse=True))
        # A longer name also within a line, after a mark that ends something; a letter (Q:) only where a line begins.
        longer = "|".join(sorted((re.escape(name) for name in self._roles if len(name) > 1), key=len, reverse=True))
        begins = rf"(?:^|\n)[ \t]*(?:[\[【]|\*\*)?({every})(?:[\]】]|\*\*)?"
        within = rf"(?<=[^\w，,、：:（(《“‘「])({longer})"
        self._prefix = re.compile(rf"(?:{begins}|{within})[ \t]*[:：](?:\*\*)?", re.IGNORECASE)

    def role_of(self, name: object) -> str:
        """One of ``ROLES``, "" for a name that is none."""
        return self._roles.get(str(name).strip().lower(), "") if isinstance(name, str | int) else ""

    def is_ambiguous(self, name: str) -> bool:
        """Whether a name tells its role only beside a speaker of the other one."""
        return name.lower() in self._ambiguous

    def first(self, text: str) -> int | None:
        """Where the first line begins that a speaker begins; None without one."""
        return next((match.start() for match in self._prefix.finditer(text) if match[1]), None)

    def spoken(self, text: str, *, is_whole: bool = True) -> list[Turn]:
        """The turns of a text with the speakers before them; none where it does not begin with a speaker.

        Where two lines begin with a speaker, a name within a line is somebody's word (我问医生。医生：没事).

        Args:
            is_whole: the text is a dialogue and no single turn, so it may stand in one line.
        """
        starts = list(self._prefix.finditer(text))
        by_line = [match for match in starts if match[1]]
        if len(by_line) > 1 or not is_whole:
            starts = by_line
        if not starts or text[: starts[0].start()].strip():
            return []
        ends = [*(match.start() for match in starts[1:]), len(text)]
        return [
            Turn(self._roles[(match[1] or match[2]).lower()], text[match.end() : end].strip())  # type: ignore[arg-type]
            for match, end in zip(starts, ends, strict=True)
        ]


# Those of names.yaml alone.
USUAL: Final = Speakers()
