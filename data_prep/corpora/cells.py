"""A list in one cell of a table, as several programs write it.

    ["a", "b"]                      JSON
    ['a', "b's"]                    Python: `str` of a list, as pandas writes a column of lists into CSV
    ('a', 'b')                      Python's tuple, told by its whole form alone: a text may begin with a bracket
    ['a' 'b'], array(['a', 'b'])    numpy: values parted by white space, or the array's own name around them

To Python two strings side by side are one string: read by `ast.literal_eval`, numpy's form would turn two responses
into one without a word. So the values are told apart first, and commas put between them.
"""

import ast
import json
import re
from typing import Final

# How the form of a list begins. 「[抱抱] 早点休息。」 is a text that begins with a bracket.
_BEGINS: Final = re.compile(r"""\s*(?:array\s*\(\s*)?\[\s*(?:(?:\[|array\s*\()\s*)*(?:["'{]|\(\s*["']|\]\s*\)?\s*$)""")
_QUOTED: Final = r"""(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")"""
_TUPLE: Final = re.compile(rf"\s*\(\s*{_QUOTED}\s*,(?:\s*{_QUOTED}\s*,)*+(?:\s*{_QUOTED})?\s*\)\s*", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|array\s*\(|,\s*dtype\s*=\s*[\w.'<>|]+\s*\)|[\[\]{}(),:]|[^\s'"\[\]{}(),:]+""",
    re.DOTALL,
)
_OPENS: Final = frozenset("[{(")
_CLOSES: Final = frozenset("]})")
_MARKS: Final = frozenset("[{(,:])}")
_CUT: Final = "..."  # numpy shortens arrays of over a thousand values so


def begins_list(cell: str) -> bool:
    """Whether a cell's text is a list's, by its beginning; a tuple's by its whole. [抱抱, 会好的] is a text."""
    return bool(_BEGINS.match(cell) or _TUPLE.fullmatch(cell))


def read_list(cell: str) -> list[object]:
    """The values of a cell that begins as a list.

    Raises:
        ValueError: it is not one to its end; the message says nothing of the text.
    """
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        found = _python(cell)
    if isinstance(found, tuple) and _TUPLE.fullmatch(cell):
        return list(found)
    if not isinstance(found, list):
        raise ValueError("not a list")
    return found


def _python(cell: str) -> object:
    try:
        return ast.literal_eval(_with_commas(cell))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise ValueError("not a whole list") from None


def _with_commas(cell: str) -> str:
    """Python's form of numpy's: commas between values, the arrays' names taken off."""
    out: list[str] = []
    arrays: list[bool] = []  # for each open bracket, whether it is that of ``array(``
    end = 0
    for match in _TOKEN.finditer(cell):
        token = match.group()
        if cell[end : match.start()].strip() or token == _CUT:
            raise ValueError("something between the values")
        end = match.end()
        is_array, is_type = token.startswith("array"), token.startswith(",") and len(token) > 1
        begins_value = is_array or token in _OPENS or not (token in _MARKS or is_type)
        if begins_value and out and _ends_value(out[-1]):
            out.append(",")
        if is_array or token in _OPENS:
            arrays.append(is_array)
        if (is_type or token in _CLOSES) and arrays and arrays.pop():
            continue
        if not is_array:
            out.append(token)
    if cell[end:].strip():
        raise ValueError("something after the list")
    return " ".join(out)


def _ends_value(token: str) -> bool:
    return token in _CLOSES or token not in _MARKS
