"""Trains the linear model of risk on labelled posts: two minutes.

    python -m data_prep.risk.wording.train --corpus SMILECHAT PSYQA --out weights.safetensors
    python -m data_prep.risk.wording.train --corpus SMILECHAT PSYQA --check

Posts come from ``risk/posts`` (real and written ones that two readers labelled; those on which they agree, of the half
``dev``) and ``labelled.jsonl``: 3,440 that a language model wrote for this, in 32 manners, each with the level
that it meant, and 4,050 real ones that one reader labelled, by id. ``--check`` leaves out one writer, or a fifth of the
real posts, at a time and prints how the rest tags them.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from common.files import read_json_lines
from common.pages import table
from common.records.risk import Level
from data_prep.corpora import load_corpus
from data_prep.linear import runs
from data_prep.linear.fit import Example, fit
from data_prep.risk.readers import POSTS, read_labels
from data_prep.risk.tags import RiskRules
from data_prep.risk.wording.model import WEIGHTS, of_level, stays

LABELLED: Final = Path(__file__).with_name("labelled.jsonl")
_FOLDS: Final = 5


class Post(NamedTuple):
    """A labelled post; `source` is its writer, or ``real``."""

    text: str
    level: Level
    source: str


def read_posts(corpora: Sequence[Path], half: str = "dev") -> list[Post]:
    """The labelled posts; of those that two readers labelled, the ones on which they agree.

    Raises:
        ValueError: a real post is in none of the corpora.
    """
    loaded = [load_corpus(path) for path in corpora]
    texts = {f"{corpus.format}:{question.id}": question.post for corpus in loaded for question in corpus.questions}
    first, second = (read_labels(path) for path in sorted(POSTS.glob("*.jsonl")))
    other = {label.id: label.level for label in second}
    own: list[tuple[str, Level, str]] = [
        (label.id, label.level, label.text) for label in first if label.half == half and other[label.id] == label.level
    ]
    own += [(line["id"], line["level"], line.get("text", "")) for _, line in read_json_lines(LABELLED)]
    if missing := [id for id, _, text in own if not (text or id in texts)]:
        raise ValueError(f"no text for {len(missing)} posts, such as {missing[0]!r}. Name their corpus by --corpus.")
    return [Post(text or texts[id], level, id.partition("-")[0] if text else "real") for id, level, text in own]


def seen_as(post: Post, level: Level) -> Example:
    """What the model learns from a post; `level` is the rules'."""
    return Example(runs(post.text), of_level(level), post.level != "none")


def left_out(posts: Sequence[Post], seen: Sequence[Example], strength: float) -> np.ndarray:
    """Each post's score by a model that saw neither it nor its writer."""
    scores = np.zeros(len(posts))
    group = np.array(
        [f"real{number % _FOLDS}" if post.source == "real" else post.source for number, post in enumerate(posts)]
    )
    for name in sorted(set(group)):
        model = fit([one for one, own in zip(seen, group, strict=True) if own != name], strength)
        for number in np.flatnonzero(group == name):
            scores[number] = model.score(seen[number].counts, seen[number].beside)
    return scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, or check."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.risk.wording.train", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--corpus", nargs="*", type=Path, default=[], help="where the real posts are")
    parser.add_argument("--strength", type=float, default=5.0, help="inverse of the regularisation")
    parser.add_argument("--threshold", type=float, default=-0.6, help="posts of a higher score are tagged")
    parser.add_argument("--check", action="store_true", help="print how posts are tagged by a model without them")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args(arguments)
    rules, posts = RiskRules.load(), read_posts(options.corpus)
    levels = [rules(post.text).level for post in posts]
    seen = [seen_as(post, level) for post, level in zip(posts, levels, strict=True)]
    if options.check:
        scores = left_out(posts, seen, options.strength)
        kept = [stays(rules.explain(post.text), score) for post, score in zip(posts, scores, strict=True)]
        print(checked(posts, levels, kept, scores > options.threshold))
        return
    model = fit(seen, options.strength)._replace(threshold=options.threshold)
    model.save(options.out)
    print(f"{len(posts)} posts, {len(model.weights)} features: {options.out}")


def checked(posts: Sequence[Post], by_rules: Sequence[Level], kept: Sequence[bool], by_model: np.ndarray) -> str:
    """The figures by source: recall of acute, concern and both, precision, harmless posts tagged; the rules' beside.

    Args:
        posts: the labelled ones.
        by_rules: their levels.
        kept: see `stays`.
        by_model: whether the model's score is over the threshold.
    """
    sources = np.array(["real" if post.source == "real" else "written" for post in posts])
    levels = np.array([post.level for post in posts])
    rules = np.array(by_rules)
    rows = []
    for source in sorted(set(sources)):
        own = sources == source
        for name, tagged in (("rules", rules != "none"), ("with the model", by_model | np.array(kept))):
            right = tagged & own & (levels != "none")
            rows.append(
                (
                    source,
                    name,
                    *(f"{np.mean(tagged[own & (levels == level)]):.3f}" for level in ("acute", "concern", "none")),
                    f"{right.sum() / (own & (levels != 'none')).sum():.3f}",
                    f"{right.sum() / max(1, (tagged & own).sum()):.3f}",
                )
            )
    return table(("posts", "tags", "acute", "concern", "harmless tagged", "recall", "precision"), rows)


if __name__ == "__main__":
    main()
