"""Names of platforms and games on which a person has an account: what `user_names` and `screen_names` look for."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

_WORDS: Final = Path(__file__).with_name("platforms.txt")


def _pattern(words: Collection[str]) -> str:
    """Any of the words, the longest first; a Latin one not within another. Most places fail at its first character."""
    return (
        f"(?:(?=[{''.join(sorted({word[0] for word in words}))}])(?:"
        + "|".join(
            ("(?<![a-z])" if word[0].isascii() else "") + word + ("(?![a-z])" if word[-1].isascii() else "")
            for word in sorted(words, key=len, reverse=True)
        )
        + "))"
    )


def _words(section: str) -> tuple[str, ...]:
    return tuple(_WORDS.read_text(encoding="utf-8").partition(f"[{section}]")[2].partition("[")[0].split())


_SITES: Final = _words("sites")
_GAMES: Final = _words("games")
SITES: Final = _pattern(_SITES)
GAMES: Final = _pattern(_GAMES)
ANY: Final = _pattern((*_SITES, *_GAMES))
