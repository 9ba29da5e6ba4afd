"""Chains as a spreadsheet that a reviewer edits and hands back: CSV, which every spreadsheet program opens and saves.

It is written as UTF-8 with a mark, so that Excel reads the Chinese. What comes back may be UTF-8 or GB 18030 (Excel's
"CSV" in Chinese Windows), with commas or semicolons, with rows in another order.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from common.errors import StageError
from common.files import replacing
from data_prep.coe.review.items import Item
from data_prep.coe.review.page import texts
from data_prep.coe.review.records import Decision, Review, checked
from reward_fns.coe_format import LAYER_TITLES, LAYERS

_ID: Final = "编号"
_POST: Final = "来信"
_RESPONSE: Final = "回复"
_DECISION: Final = "能不能用（通过/修改/不采用）"
_REASONS: Final = "不采用的理由（编号，用空格分开）"
_VALIDITY: Final = "合理程度（5 到 1）"
_ACUTE: Final = "有急性危险（是/空）"
_NOTE: Final = "备注"
_LAYER: Final = {name: f"{name} {LAYER_TITLES[name]}" for name in LAYERS}
HEADER: Final = (_ID, _POST, _RESPONSE, *_LAYER.values(), _DECISION, _REASONS, _VALIDITY, _ACUTE, _NOTE)

_DECISIONS: Final[dict[str, Decision]] = {"通过": "accept", "修改": "revise", "不采用": "reject"}
# The words of the page as well.
_WORDS: Final[dict[str, Decision]] = {**_DECISIONS, "直接通过": "accept", "修改后通过": "revise"}
_YES: Final = {"是": True, "": False, "否": False}
# Faults that a message lists.
_SHOWN: Final = 20


def reason_numbers() -> dict[str, str]:
    """The reasons by the number that a spreadsheet has for them."""
    return {str(number): name for number, name in enumerate(texts()["reasons"], start=1)}


def write_sheet(path: Path, own: Sequence[Item], reviews: Sequence[Review]) -> None:
    """Write a reviewer's chains, with what the reviewer said of them before."""
    before = {review.item: review for review in reviews}
    told: dict[str, str] = {name: word for word, name in _DECISIONS.items()}
    numbers = {name: number for number, name in reason_numbers().items()}
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for item in own:
            review = before.get(item.id)
            row = {_ID: item.id, _POST: item.question.post, _RESPONSE: item.response}
            row |= dict(zip(_LAYER.values(), review.layers if review else item.layers, strict=True))
            if review:
                row[_DECISION] = told.get(review.decision, "")
                row[_REASONS] = " ".join(numbers[name] for name in review.reasons)
                row[_VALIDITY] = str(review.validity or "")
                row[_ACUTE] = "是" if review.acute else ""
                row[_NOTE] = review.note
            writer.writerow({key: _guarded(value) for key, value in row.items()})


def read_sheet(path: Path, reviewer: str, own: Sequence[Item]) -> list[Review]:
    """What a reviewer filled in; rows without a decision are passed over.

    Raises:
        StageError: not this review's sheet, or cells that cannot be; the message names each one's row and column.
    """
    by_id, found, faults = {item.id: item for item in own}, dict[str, Review](), list[str]()
    for number, row in _rows(path):
        item = by_id.get(id := _bare(row[_ID]).strip())
        if item is None:
            told = [f"{_ID} {id!r} is none of {reviewer}'s chains. Restore the first column."]
        elif id in found:
            told = [f"{_ID} {id!r} stands there twice. Remove one of the rows."]
        else:
            told = list(_faults(row, item))
            if row[_DECISION].strip() and not told:
                review = _review(row, reviewer, item)
                try:
                    found[id] = checked(review, item, "layers")
                except StageError as error:
                    told = [str(error)]
        faults += [f"row {number}: {fault}" for fault in told]
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        lines = "\n  ".join([*faults[:_SHOWN], *more])
        raise StageError(f"{path}: nothing of the sheet was taken over. Correct and hand it in again:\n  {lines}")
    return [found[item.id] for item in own if item.id in found]


def _faults(row: dict[str, str], item: Item) -> Iterator[str]:
    """What of a row cannot be, a sentence a cell."""
    for column, text in ((_POST, item.question.post), (_RESPONSE, item.response)):
        if _flat(_bare(row[column])) != _flat(text):
            yield f"{column} was changed, expected it as it was. Only the layers can be edited."
    if not (word := row[_DECISION].strip()):
        return
    numbers = reason_numbers()
    yield from _unknown(_WORDS, [word], _DECISION)
    yield from _unknown(numbers, _reasons(row), _REASONS)
    yield from _unknown(_YES, [row[_ACUTE].strip()], _ACUTE)
    if _WORDS.get(word) == "reject" and not _reasons(row):
        told = "；".join(f"{number} {texts()['reasons'][name]}" for number, name in numbers.items())
        yield f"{_REASONS}: none, expected one for a chain that is not used: {told}."
    if _WORDS.get(word) != "reject":
        for column in _LAYER.values():
            if not row[column].strip():
                yield f"{column}: empty, expected the layer of a chain that is used. Fill the cell in."
    if (validity := _validity(row)) not in set("12345"):
        yield f"{_VALIDITY}: {repr(validity) if validity else 'empty'}, expected a number from 1 to 5."


def _review(row: dict[str, str], reviewer: str, item: Item) -> Review:
    """A row without a fault."""
    numbers = reason_numbers()
    return Review(
        reviewer=reviewer,
        item=item.id,
        decision=_WORDS[row[_DECISION].strip()],
        reasons=tuple(numbers[part] for part in _reasons(row)),
        validity=int(_validity(row)),
        acute=_YES[row[_ACUTE].strip()],
        note=_bare(row[_NOTE]).strip(),
        layers=tuple(_bare(row[_LAYER[name]]).replace("\r\n", "\n").strip() for name in LAYERS),
    )


def _reasons(row: dict[str, str]) -> list[str]:
    return row[_REASONS].replace("，", " ").replace(",", " ").split()


def _validity(row: dict[str, str]) -> str:
    return row[_VALIDITY].strip().removesuffix(".0")


def _unknown(known: Collection[str], words: Iterable[str], column: str) -> Iterator[str]:
    expected = " or ".join(name or "nothing" for name in known)
    return (f"{column}: {word!r}, expected {expected}. Correct the cell." for word in words if word not in known)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StageError(f"{path}: {error.strerror}. Name the sheet that came back by file=….") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError as error:
            raise StageError(f"{path}: neither UTF-8 nor GB 18030. Save it as CSV UTF-8 (.csv).") from error
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    if missing := [name for name in HEADER if name not in (reader.fieldnames or ())]:
        raise StageError(f"{path}: no column {missing[0]!r}, expected those of the sheet that was handed out.")
    # The number that a spreadsheet program shows.
    return [
        (number, {name: row[name] or "" for name in HEADER})
        for number, row in enumerate(reader, start=2)
        if any(row[name] for name in HEADER)
    ]


def _guarded(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "'")) else text


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") else text


def _flat(text: str) -> str:
    """A text without what spreadsheet programs do to its ends of lines and blanks."""
    return "".join(text.split())
