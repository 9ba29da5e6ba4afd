"""Whole posts that two readers labelled apart, and the tags beside them: where the readers agree, and how they differ.

A line of a reader's file is ``{"id", "level", "kinds", "draw", "half"}``, and ``text`` for a written post. ``draw`` is
``random`` or ``cues`` (rich in them) for real posts, whose id is ``<format>:<id>``, or ``written``. ``half`` is ``dev``
for posts that rules were written or the model was trained with, else ``sealed``. Texts of real posts are not shipped.
Two readers of one kind share their bias. What it leaves out: how well the kinds fit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from common.files import read_json_lines
from common.pages import table
from common.records.risk import LEVELS, Level, Risk

Draw = Literal["random", "cues", "written"]
Half = Literal["dev", "sealed"]

# The readers' labels that come with the project.
POSTS: Final = Path(__file__).with_name("posts")


@dataclass(frozen=True, slots=True)
class Label:
    """One reader's judgement of one post; ``text`` is "" for a real one."""

    id: str
    level: Level
    draw: Draw
    half: Half
    text: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A post with both readers' levels and the level of its tag."""

    draw: Draw
    first: Level
    second: Level
    tag: Level


def read_labels(path: Path) -> list[Label]:
    """One reader's labels.

    Raises:
        ValueError: a line lacks a key or holds another value than named above; the message names file and line.
    """
    return [_label(f"{path}:{number}", record) for number, record in read_json_lines(path)]


def _label(where: str, record: Mapping[str, Any]) -> Label:
    expected: dict[str, tuple[str, ...]] = {"level": LEVELS, "draw": get_args(Draw), "half": get_args(Half)}
    for key, values in expected.items():
        if record.get(key) not in values:
            raise ValueError(f"{where}: {key} {record.get(key)!r}, expected one of {values}. Correct the line.")
    identity, text = record.get("id"), record.get("text", "")
    if not isinstance(identity, str) or not isinstance(text, str):
        raise ValueError(f"{where}: id or text is no text. Correct the line.")
    return Label(identity, record["level"], record["draw"], record["half"], text)


def compare(
    tag: Callable[[str], Risk], first: Sequence[Label], second: Sequence[Label], texts: Mapping[str, str]
) -> list[Judged]:
    """The posts that both readers labelled.

    Args:
        tag: says the risk of a post.
        texts: of the real posts, by id.

    Raises:
        ValueError: the readers labelled different posts, or a post has no text.
    """
    others = {label.id: label for label in second}
    if {label.id for label in first} != others.keys() or len(first) != len(second):
        raise ValueError(
            f"the readers labelled {len(first)} and {len(second)} posts, not the same ones once each. Name two files "
            "that label the same posts."
        )
    missing = [label.id for label in first if not (label.text or texts.get(label.id))]
    if missing:
        raise ValueError(
            f"no text for {len(missing)} posts, such as {missing[0]!r}. Name their corpus by --corpus, or give written "
            "posts a text."
        )
    return [
        Judged(label.draw, label.level, others[label.id].level, tag(label.text or texts[label.id]).level)
        for label in first
    ]


def report(judged: Sequence[Judged]) -> str:
    """Agreement and the tags' figures, for real and for written posts, as Markdown."""
    parts = {"real": [post for post in judged if post.draw != "written"]}
    parts["written"] = [post for post in judged if post.draw == "written"]
    pages = [_page(name, posts) for name, posts in parts.items() if posts]
    random = [post for post in judged if post.draw == "random"]
    if random:
        tagged, first, second = (
            sum(level != "none" for level in levels)
            for levels in zip(*((post.tag, post.first, post.second) for post in random), strict=True)
        )
        most = min(first, second)
        pages.append(
            f"Of {len(random)} posts drawn at random the tags mark {tagged} ({tagged / len(random):.1%}), the readers "
            f"{first} and {second}: "
            + (f"{tagged / most:.2f} times the fewer.\n" if most else "no reader marks one.\n")
        )
    return "\n".join(pages)


def _page(name: str, posts: Sequence[Judged]) -> str:
    agreed = [post for post in posts if post.first == post.second]
    levels = [post.first for post in posts], [post.second for post in posts]
    # Where both readers gave one level throughout, chance alone agrees.
    kappa = f"{cohen_kappa_score(*levels, labels=list(LEVELS)):.2f}" if len({*levels[0], *levels[1]}) > 1 else "–"
    rows = [_row(level, [post.tag for post in agreed if post.first == level]) for level in reversed(LEVELS)]
    tagged = [post.first for post in agreed if post.tag != "none"]
    right = sum(level != "none" for level in tagged)
    return (
        f"{len(posts)} {name} posts. The readers agree on {len(agreed)} levels (kappa {kappa}); the other "
        f"{len(posts) - len(agreed)} are left out.\n\n"
        + table(("readers", "posts", "tagged", "share", "95% interval", "tagged acute"), rows)
        + (f"\nOf {len(tagged)} tagged posts, {right} are at risk ({right / len(tagged):.1%}).\n" if tagged else "")
    )


def _row(level: Level, tags: Iterable[Level]) -> tuple[str, ...]:
    """The interval is Wilson's: https://doi.org/10.1080/01621459.1927.10502953"""
    tags = list(tags)
    tagged, acute = sum(tag != "none" for tag in tags), sum(tag == "acute" for tag in tags)
    if not tags:
        return level, "0", "0", "–", "–", "0"
    interval = binomtest(tagged, len(tags)).proportion_ci(method="wilson")
    return (
        level,
        str(len(tags)),
        str(tagged),
        f"{tagged / len(tags):.3f}",
        f"{interval.low:.3f} to {interval.high:.3f}",
        str(acute),
    )
