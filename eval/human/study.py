"""A study: which annotator sees which question's replies in which order, on which page, and what came back.

Annotators' pages hold labels without a meaning; the key that leads from a label to a model is made anew from the seed
whenever it is needed and is never uploaded.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from common.errors import StageError
from common.records.rankings import Ranking
from eval.human.page import RISK
from eval.replies import BlindItem

# An attention check's reply; eval.human.page tells annotators that there are some.
CHECK_TEXT: Final = "这一条是为了确认题目有被认真读过，与上面的来信无关。请把这条回复排在最后。"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of one annotator.

    Attributes:
        number: from 1, in the order in which the annotator sees the pages.
        item: the question and its replies.
        labels: models by label, in the order in which the replies are shown.
        check: the label of the attention check's reply; "" for an ordinary page.
    """

    number: int
    item: BlindItem
    labels: dict[str, str]
    check: str

    def task(self) -> dict[str, Any]:
        """What Label Studio is given: no more of the models than labels without a meaning."""
        shown = [
            {
                "id": label,
                "title": f"回复 {chr(ord('A') + place)}",
                "body": CHECK_TEXT if label == self.check else self.item.replies[model],
            }
            for place, (label, model) in enumerate(self.labels.items())
        ]
        notice = RISK if self.item.at_risk else ""
        return {"data": {"page": self.number, "post": self.item.post, "notice": notice, "replies": shown}}


def pages(annotator: str, items: Sequence[BlindItem], checks: Sequence[BlindItem], seed: int) -> list[Page]:
    """One annotator's pages: questions and replies in random order, attention checks spread among them.

    Args:
        annotator: whose name, with the seed, decides the orders.
        items: the questions of the study.
        checks: further questions, in each of which one reply is replaced by an attention check.
        seed: of the study.
    """
    rng = random.Random(f"{seed} {annotator}")
    ordered: list[tuple[BlindItem, bool]] = [(item, False) for item in items]
    rng.shuffle(ordered)
    step = len(ordered) // (len(checks) + 1)
    for place, item in reversed(list(enumerate(checks, start=1))):
        ordered.insert(place * step, (item, True))
    found = []
    for number, (item, is_check) in enumerate(ordered, start=1):
        labels = {f"r{place}": model for place, (model, _) in enumerate(item.presented(annotator, seed), start=1)}
        found.append(Page(number, item, labels, rng.choice(list(labels)) if is_check else ""))
    return found


@dataclass(frozen=True, slots=True)
class Left:
    """Pages that an annotator did not put in order, by their numbers.

    Attributes:
        skipped: without a ranking.
        unmoved: submitted in the order in which they were shown; they count as ranked so.
    """

    skipped: list[int]
    unmoved: list[int]


def rankings_of(annotator: str, own: Sequence[Page], tasks: Sequence[Mapping[str, Any]]) -> tuple[list[Ranking], Left]:
    """An annotator's rankings from Label Studio's export, and the pages that were left.

    The annotation of a page that was changed last counts.

    Raises:
        StageError: a page that the study does not have, or an order of other labels than were shown.
    """
    by_number = {page.number: page for page in own}
    found, left = [], Left([], [])
    for exported in tasks:
        page = by_number.get(number := exported["data"]["page"])
        if not page:
            raise StageError(
                f"{annotator}: page {number} is none of this study's. Export with the settings it began with."
            )
        annotations = [a for a in exported["annotations"] if not a["was_cancelled"]]
        if not annotations:
            left.skipped.append(number)
            continue
        latest = max(annotations, key=lambda annotation: annotation["updated_at"])["result"]
        lists = [part["value"]["ranker"].values() for part in latest if part["type"] == "ranker"]
        # From best to worst. An untouched page is exported in the order in which it was shown, or without one.
        order = [label for labels in chain(*lists) for label in labels] or list(page.labels)
        if order == list(page.labels):
            left.unmoved.append(number)
        if sorted(order) != sorted(page.labels):
            raise StageError(f"{annotator}, page {number}: order {order}, expected each of {sorted(page.labels)} once")
        models = tuple(page.labels[label] for label in order)
        passed = order[-1] == page.check if page.check else None
        found.append(Ranking(annotator, page.item.question_id, models, bool(page.check), passed))
    return found, left
