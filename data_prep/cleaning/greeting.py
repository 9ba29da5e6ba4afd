"""Replies that are only a greeting: salutation, thanks, comfort and encouragement, however often repeated.

Such a reply (楼主好！抱抱你，加油加油，一切都会好起来的！) fits every post, and teaches to write what fits every
post. It is told by its words: each has to be in greetings.txt. A single word of content keeps the reply, for a list
that judged more than that would lose terse good ones.
"""

import re
from functools import cache
from pathlib import Path

_LIST = Path(__file__).with_name("greetings.txt")


def is_only_greeting(text: str) -> bool:
    """Whether the text has words, and none but those of a greeting; marks, digits and emoji do not count."""
    words, blank = _patterns()
    return words.fullmatch(text) is not None and blank.fullmatch(text) is None


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    words = {word for line in lines if not line.startswith("#") for word in line.split()}
    longest_first = "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))
    # Possessive: a reply is taken word by word and never a second time, so the search ends at the first other word.
    return re.compile(rf"(?:{longest_first}|[\W\d_]+)*+", re.IGNORECASE), re.compile(r"[\W\d_]*")
