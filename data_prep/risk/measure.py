"""Recall and precision of the risk tags on labelled texts: ``python -m data_prep.risk.measure [files]``.

A line of a labelled set is ``{"text": …, "categories": […]}``. Each set was written for the purpose, in the manner of
posts. ``oblique_1`` and ``oblique_2`` avoid plain words on purpose, ``natural`` and ``natural_2`` speak as posts do.
The rules have been written with these four in view, so what they score there is no estimate for other texts. Before
anyone had looked at a set, the recall of having a tag at all was 0.61 on ``oblique_2``; recall and precision were 0.898
and 0.920 on ``natural``, 0.899 and 0.869 on ``natural_2``. The phrases added after ``natural`` did nothing for
``natural_2``, as new wordings keep turning up; hence the rules named ``broad cues``, single words and pairs, which came
after all four. ``sealed``, where it is there, has been used for no rule and is the estimate.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.files import read_json_lines
from common.pages import Markdown, table
from data_prep.risk.reading import RISKS
from data_prep.risk.tags import RiskRules
from data_prep.scoring import Score

# The labelled sets that the rules were written with.
TUNED: Final = ("oblique_1", "oblique_2", "natural", "natural_2")

# All labelled sets that come with the project, by name; those that the rules were not written with come last.
LABELLED: Final = {
    path.stem: path
    for path in sorted(Path(__file__).parent.glob("*.jsonl"), key=lambda path: (path.stem not in TUNED, path.stem))
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and the categories that a person gave it."""

    text: str
    categories: frozenset[str]


def read_labelled(path: Path) -> list[Labelled]:
    """The labelled texts of a file.

    Raises:
        ValueError: a line is no object with ``text`` and ``categories``, or has a category that is none of ``RISKS``.
    """
    labelled = []
    for number, record in read_json_lines(path):
        text, categories = record.get("text"), record.get("categories")
        if not isinstance(text, str) or not isinstance(categories, list) or not set(categories) <= set(RISKS):
            raise ValueError(
                f"{path}:{number}: categories {categories}, expected a text and some of {RISKS}. Correct the line."
            )
        labelled.append(Labelled(text, frozenset(categories)))
    return labelled


def measure(rules: RiskRules, labelled: Sequence[Labelled]) -> dict[str, Score]:
    """The score of each category, and under ``any`` that of having a tag at all."""
    tags = [frozenset(rules.risk_tags(item.text)) for item in labelled]
    scores = {
        risk: _score(
            [(item.text, risk in item.categories, risk in tagged) for item, tagged in zip(labelled, tags, strict=True)]
        )
        for risk in RISKS
    }
    scores["any"] = _score(
        [(item.text, bool(item.categories), bool(tagged)) for item, tagged in zip(labelled, tags, strict=True)]
    )
    return scores


def _score(cases: list[tuple[str, bool, bool]]) -> Score:
    return Score(
        sum(label and tag for _, label, tag in cases),
        [text for text, label, tag in cases if label and not tag],
        [text for text, label, tag in cases if tag and not label],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each file, and what a category misses and tags wrongly."""
    parser = argparse.ArgumentParser(description="Measure the risk tags on labelled texts.")
    parser.add_argument("files", nargs="*", type=Path, default=list(LABELLED.values()))
    parser.add_argument("--show", choices=(*RISKS, "any"), help="print this category's misses and false alarms")
    options = parser.parse_args(arguments)
    rules = RiskRules.load()
    for path in options.files:
        known = path.stem in TUNED
        print(f"{path.name}, {'the rules were tuned on it' if known else 'nobody tuned the rules on it'}")
        scores = measure(rules, read_labelled(path))
        print(_table(scores))
        if options.show:
            for text in scores[options.show].misses:
                print(f"missed: {text}")
            for text in scores[options.show].false_alarms:
                found = dict.fromkeys(
                    text[match.start : match.end]
                    for match in rules.explain(text)
                    if options.show in (match.category, "any")
                )
                print(f"false alarm: {text}  {list(found)}")


def _table(scores: Mapping[str, Score]) -> str:
    rows = []
    for category, score in scores.items():
        labelled, tagged = score.hits + len(score.misses), score.hits + len(score.false_alarms)
        recall, precision = (
            f"{share:.3f}" if of else "–" for share, of in ((score.recall, labelled), (score.precision, tagged))
        )
        rows.append((Markdown(category), labelled, recall, tagged, precision))
    return table(("category", "labelled", "recall", "tagged", "precision"), rows)


if __name__ == "__main__":
    main()
