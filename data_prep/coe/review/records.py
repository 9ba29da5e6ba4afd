"""What reviewers said of chains, from Label Studio's export or from a spreadsheet: a record a reviewer and a chain."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import StageError
from common.files import FileError, read_json_lines, write_json_lines
from data_prep.coe.review.items import Item
from data_prep.coe.review.page import ACUTE, DECISION, FLAG, NOTE, REASONS, VALIDITY
from reward_fns.coe_format import LAYERS, CoEFormatError, CoEOutput

FILE: Final = "reviews.jsonl"

Decision = Literal["accept", "revise", "reject"]
# A model's output is rated and neither accepted nor changed.
RATED: Final = ""


class Review(BaseModel):
    """One reviewer's word on one chain.

    Attributes:
        reviewer: their name.
        item: the chain's id.
        decision: "" for a model's output.
        reasons: why it is rejected.
        validity: 1 to 5; None where it was left open.
        acute: the reviewer sees acute danger in the post.
        note: free words.
        layers: as they stand after the review.
        when: when it was last changed, in ISO 8601; "" where nobody says.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reviewer: str
    item: str
    decision: Decision | Literal[""]
    reasons: tuple[str, ...] = ()
    validity: int | None = None
    acute: bool = False
    note: str = ""
    layers: tuple[str, ...]
    when: str = ""

    def changed(self, item: Item) -> bool:
        """Whether a layer is another text than the teacher's."""
        return self.layers != item.layers

    @property
    def kept(self) -> bool:
        """Whether the chain may be used."""
        return self.decision in ("accept", "revise") and not self.acute


def reviews_of(reviewer: str, own: Sequence[Item], tasks: Iterable[Mapping[str, Any]]) -> list[Review]:
    """A reviewer's words from Label Studio's export; the annotation of a page that was changed last counts.

    Raises:
        StageError: a page that the reviewer was not given, or a layer that was emptied or holds a tag.
    """
    by_id = {item.id: item for item in own}
    found = {}
    for task in tasks:
        item = by_id.get(id := task["data"]["item"])
        if item is None:
            raise StageError(f"{reviewer}: page {id} is none of this review's. Export with the set that it began with.")
        annotations = [one for one in task["annotations"] if not one["was_cancelled"]]
        if annotations:
            latest = max(annotations, key=lambda one: one["updated_at"])
            found[id] = _review(reviewer, item, latest)
    return [found[item.id] for item in own if item.id in found]


def _review(reviewer: str, item: Item, annotation: Mapping[str, Any]) -> Review:
    parts = {part["from_name"]: part["value"] for part in annotation["result"] if "from_name" in part}
    layers = tuple(
        "\n".join(parts[name]["text"]).strip() if name in parts else layer
        for name, layer in zip(LAYERS, item.layers, strict=True)
    )
    chosen = {name: parts.get(name, {}).get("choices", []) for name in (DECISION, REASONS, VALIDITY, FLAG)}
    review = Review(
        reviewer=reviewer,
        item=item.id,
        decision=chosen[DECISION][0] if chosen[DECISION] else RATED,
        reasons=tuple(chosen[REASONS]),
        validity=int(chosen[VALIDITY][0]) if chosen[VALIDITY] else None,
        acute=ACUTE in chosen[FLAG],
        note="\n".join(parts.get(NOTE, {}).get("text", [])).strip(),
        layers=layers,
        when=annotation["updated_at"],
    )
    return checked(review, item, reviewer)


def checked(review: Review, item: Item, where: str) -> Review:
    """A review whose chain can be used, and whose decision says what was done.

    An accepted chain whose text was changed is a revised one; a revised one without a change an accepted one.

    Args:
        where: for the message.

    Raises:
        StageError: the chain is to be used and a layer is empty or holds a tag.
    """
    if review.decision in ("accept", "revise"):
        try:
            CoEOutput(review.layers, item.response).render()
        except CoEFormatError as error:
            raise StageError(
                f"{where}: chain {item.id}: {error}. Correct the layer there, or reject the chain."
            ) from error
        return review.model_copy(update={"decision": "revise" if review.changed(item) else "accept"})
    return review


def write_reviews(path: Path, reviews: Iterable[Review]) -> None:
    """Replace the file of reviews, in the order of reviewers and chains."""
    write_json_lines(path, [review.model_dump(mode="json") for review in reviews])


def read_reviews(path: Path) -> list[Review]:
    """The reviews of a file; [] without one.

    Raises:
        FileError: the file is another one.
    """
    if not path.is_file():
        return []
    try:
        return [Review.model_validate(line) for _, line in read_json_lines(path)]
    except ValidationError as error:
        raise FileError(f"{path}: {error.error_count()} fields that are not as expected, expected reviews.") from error
