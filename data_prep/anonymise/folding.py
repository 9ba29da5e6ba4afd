"""Text as recognisers read it: full-width letters, digits and marks as ASCII, circled digits as plain ones.

One character stands for one character, so offsets in the folded text are offsets in the text itself. Case, Chinese
punctuation, Chinese numerals and traditional characters stay.
"""

import re
from typing import Final

_FOLDED: Final = "+-./@_#&=%~" + "".join(chr(code) for code in range(0x30, 0x7B) if chr(code).isalnum())
_TABLE: Final = {ord(char) + 0xFEE0: char for char in _FOLDED}
_TABLE.update({ord(first) + i: str(i + 1) for first in "①⑴⒈❶➀➊" for i in range(9)})
_TABLE.update(dict.fromkeys(map(ord, "⓪⓿"), "0"))
_FOLDABLE: Final = re.compile("[" + "".join(map(chr, _TABLE)) + "]")


def fold(text: str) -> str:
    """The text with its wide and circled letters, digits and marks in ASCII; as long as the text.

    A full-width colon or question mark stays: in Chinese text it ends a phrase.
    """
    return text.translate(_TABLE) if _FOLDABLE.search(text) else text
