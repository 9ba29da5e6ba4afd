"""From reviews to a set for SFT, with where each chain comes from, and how far reviewers agree.

A chain is used when every reviewer who saw it lets it pass and none sees acute danger; of two texts the first
reviewer's counts. The set hangs on the reviews alone, so a second export is the first one, byte for byte.
"""

import difflib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import krippendorff
import numpy as np
from rapidfuzz.distance import Levenshtein
from sklearn.metrics import cohen_kappa_score

from data_prep.coe.chains import line_of
from data_prep.coe.review.items import Item
from data_prep.coe.review.page import RATINGS, texts
from data_prep.coe.review.records import Review
from reward_fns.coe_format import LAYERS

# The set for `make data`, in the stage's folder.
SET: Final = "coe_set.jsonl"


@dataclass(frozen=True)
class Agreement:
    """Of the chains that two reviewers saw.

    Attributes:
        chains: how many.
        same: the share that both would use, or neither.
        kappa: Cohen's, of use or not; None where chance alone gives 1, or there are none.
        alpha: Krippendorff's, ordinal, of therapeutic validity; None likewise.
    """

    chains: int
    same: float | None
    kappa: float | None
    alpha: float | None


@dataclass(frozen=True)
class Reviewed:
    """What the reviews come to.

    Attributes:
        lines: of the set.
        left_out: chains that are not used, each with the reason.
        open: chains that some reviewer has not seen yet.
        flagged: ids of posts in which somebody sees acute danger.
        agreement: of two reviewers.
        distances: by layer, of the chains used, the share of characters that was changed (Levenshtein, of the longer).
        trial: by reviewer, of the trial's chains, how many decisions are the known ones, and how many were made.
    """

    lines: list[dict[str, Any]]
    left_out: dict[str, str]
    open: list[str]
    flagged: list[str]
    agreement: Agreement
    distances: dict[str, list[float]]
    trial: dict[str, tuple[int, int]]


def results(
    items: Sequence[Item],
    owners: Mapping[str, Sequence[str]],
    reviews: Iterable[Review],
    trial: Sequence[Item],
    known: Collection[str] = (),
) -> Reviewed:
    """Put the reviews together.

    Args:
        items: the chains, in the order of the set.
        owners: who reviews each chain, by its id; the first one decides on its text.
        reviews: all of them.
        trial: the chains whose verdict is known.
        known: ids of posts that were flagged before: once flagged, never used, whatever a reviewer says later.
    """
    of_item: dict[str, dict[str, Review]] = defaultdict(dict)
    for review in reviews:
        of_item[review.item][review.reviewer] = review
    told = texts()["reasons"]
    lines, left_out, waiting, flagged = [], dict[str, str](), list[str](), list[str]()
    distances: dict[str, list[float]] = {name: [] for name in LAYERS}
    for item in items:
        own = [of_item[item.id][name] for name in owners[item.id] if name in of_item[item.id]]
        if item.id in known or any(review.acute for review in own):
            flagged.append(item.id)
            left_out[item.id] = "acute danger seen"
        elif len(own) < len(owners[item.id]):
            waiting.append(item.id)
        elif refusing := [review for review in own if not review.kept]:
            left_out[item.id] = "; ".join(
                f"{review.reviewer}: {'、'.join(told[name] for name in review.reasons) or review.decision}"
                for review in refusing
            )
        elif own:
            lines.append(_line(item, own))
            for name, before, after in zip(LAYERS, item.layers, own[0].layers, strict=True):
                distances[name].append(float(Levenshtein.normalized_distance(before, after)))
    return Reviewed(
        lines,
        left_out,
        waiting,
        flagged,
        agreement([list(of_item[item.id].values()) for item in items]),
        distances,
        {name: _known(trial, of_item, name) for name in sorted({each for own in owners.values() for each in own})},
    )


def _line(item: Item, own: Sequence[Review]) -> dict[str, Any]:
    first = own[0]
    provenance = {
        **item.provenance,
        "reviewed": True,
        "reviewer": first.reviewer,
        "also_seen_by": [review.reviewer for review in own[1:]],
        "decision": first.decision,
        "validity": {review.reviewer: review.validity for review in own},
        "reviewed_at": first.when,
        "teacher_wrote": dict(zip(LAYERS, item.layers, strict=True)),
        "edit": edit_of(item.layers, first.layers),
    }
    return line_of(item.question, item.response, first.layers, provenance)


def edit_of(before: Sequence[str], after: Sequence[str]) -> dict[str, list[list[str]]]:
    """What a reviewer changed, by layer: pairs of the words that went and those that came in their place."""
    edits = {}
    for name, old, new in zip(LAYERS, before, after, strict=True):
        if old != new:
            changes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            edits[name] = [[old[a:b], new[c:d]] for kind, a, b, c, d in changes if kind != "equal"]
    return edits


def agreement(of_item: Sequence[Sequence[Review]]) -> Agreement:
    """How far two reviewers of one chain agree; the reviewers are taken in the order of their names."""
    pairs = [sorted(own, key=lambda review: review.reviewer)[:2] for own in of_item if len(own) > 1]
    if not pairs:
        return Agreement(0, None, None, None)
    first, second = ([review.kept for review in side] for side in zip(*pairs, strict=True))
    same = float(np.mean([a == b for a, b in zip(first, second, strict=True)]))
    kappa = float(cohen_kappa_score(first, second, labels=[False, True])) if len({*first, *second}) > 1 else None
    rated = [[review.validity for review in pair] for pair in pairs if all(review.validity for review in pair)]
    alpha = None
    if rated and len({value for pair in rated for value in pair}) > 1:
        units = np.array(rated, dtype=float).T
        alpha = float(
            krippendorff.alpha(
                reliability_data=units, level_of_measurement="ordinal", value_domain=sorted(map(int, RATINGS))
            )
        )
    return Agreement(len(pairs), same, kappa, alpha)


def _known(trial: Sequence[Item], of_item: Mapping[str, Mapping[str, Review]], name: str) -> tuple[int, int]:
    made = [(item, of_item[item.id][name]) for item in trial if name in of_item.get(item.id, {})]
    # A chain that could be used as it is may be made better.
    right = sum(("reject" if item.expected == "reject" else "") == ("reject" if not r.kept else "") for item, r in made)
    return right, len(made)


def reasons(reviews: Iterable[Review]) -> list[tuple[str, int]]:
    """How often each reason was given, the most frequent first."""
    return Counter(reason for review in reviews for reason in review.reasons).most_common()
