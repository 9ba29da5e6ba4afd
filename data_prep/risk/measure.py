"""Measures the risk tags: ``python -m data_prep.risk.measure`` on written sentences, with ``--posts`` on whole posts.

A line of a written set is ``{"text": …, "kinds": […]}``. ``tuned`` holds 1,364 sentences that the rules were written
with, so its figures are no estimate for other texts. Of ``sealed`` only counts were looked at. Both sets stand for a
writer's idea of a post: an older definition gave their kinds, and half of them are hard on purpose. So they show what
changes, and whole posts tell how good the tags are.

Whole posts: ``--posts reader_a.jsonl reader_b.jsonl --corpus PATH``, see `data_prep.risk.readers`. They are tagged by
the rules and the model over wordings together, with ``--rules`` by the rules alone; the sentences always are.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.files import read_json_lines
from common.pages import table
from common.records.risk import KINDS
from data_prep.corpora import load_corpus
from data_prep.risk.readers import POSTS, compare, read_labels, report
from data_prep.risk.tags import RiskRules
from data_prep.risk.wording import WordingTags
from data_prep.scoring import Score

# The written sets by name; the rules were written with the first one.
TUNED: Final = "tuned"
WRITTEN: Final = {name: Path(__file__).with_name(f"{name}.jsonl") for name in (TUNED, "sealed")}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and the kinds of risk that a person saw in it."""

    text: str
    kinds: frozenset[str]


def read_labelled(path: Path) -> list[Labelled]:
    """The labelled texts of a file.

    Raises:
        ValueError: a line is no object with ``text`` and ``kinds``, or has a kind that is none of ``KINDS``.
    """
    labelled = []
    for number, record in read_json_lines(path):
        text, kinds = record.get("text"), record.get("kinds")
        if not isinstance(text, str) or not isinstance(kinds, list) or not set(kinds) <= set(KINDS):
            raise ValueError(f"{path}:{number}: kinds {kinds}, expected a text and some of {KINDS}. Correct the line.")
        labelled.append(Labelled(text, frozenset(kinds)))
    return labelled


def measure(rules: RiskRules, labelled: Sequence[Labelled]) -> Score:
    """How well the rules tell texts at risk from the others, whatever the level and kind of their tag."""
    tagged = [rules(item.text).level != "none" for item in labelled]
    cases = list(zip(labelled, tagged, strict=True))
    return Score(
        sum(bool(item.kinds) and tag for item, tag in cases),
        [item.text for item, tag in cases if item.kinds and not tag],
        [item.text for item, tag in cases if tag and not item.kinds],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what the options ask for."""
    parser = argparse.ArgumentParser(description="Measure the risk tags on labelled texts.")
    parser.add_argument("files", nargs="*", type=Path, default=list(WRITTEN.values()), help="written sets")
    parser.add_argument("--show", action="store_true", help="print what is missed and what is tagged wrongly")
    parser.add_argument(
        "--posts", nargs="*", type=Path, help=f"the two readers' labels; without a file those of {POSTS}"
    )
    parser.add_argument("--corpus", nargs="*", type=Path, default=[], help="where the posts of these labels are")
    parser.add_argument("--half", choices=("dev", "sealed"), help="of the posts, this half only")
    parser.add_argument("--rules", action="store_true", help="of the posts, what the rules alone say")
    options = parser.parse_args(arguments)
    rules = RiskRules.load()
    if options.posts is None:
        _written(rules, options.files, options.show)
        return
    files = options.posts or sorted(POSTS.glob("*.jsonl"))
    if len(files) != 2:
        parser.error(f"--posts: {len(files)} files, expected the labels of two readers. Name both files.")
    corpora = [load_corpus(path) for path in options.corpus]
    texts = {f"{corpus.format}:{question.id}": question.post for corpus in corpora for question in corpus.questions}
    labels = [[label for label in read_labels(path) if options.half in (None, label.half)] for path in files]
    print(report(compare(rules if options.rules else WordingTags(rules), labels[0], labels[1], texts)))


def _written(rules: RiskRules, files: Sequence[Path], show: bool) -> None:
    rows = []
    for path in files:
        score = measure(rules, read_labelled(path))
        at_risk, tagged = score.hits + len(score.misses), score.hits + len(score.false_alarms)
        rows.append((path.name, at_risk, f"{score.recall:.3f}", tagged, f"{score.precision:.3f}"))
        if show:
            print("\n".join(f"missed: {text}" for text in score.misses))
            for text in score.false_alarms:
                found = dict.fromkeys(text[match.start : match.end] for match in rules.explain(text))
                print(f"false alarm: {text}  {list(found)}")
    print(table(("set", "at risk", "recall", "tagged", "precision"), rows))


if __name__ == "__main__":
    main()
