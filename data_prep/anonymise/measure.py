"""How much of the labelled personal data is found, and how much of what is found is labelled, type by type.

    python -m data_prep.anonymise.measure [files…] [--show 类型]

Without files it measures the tuning sets, each and together, and the held sets where they are there; of these it
shows counts only, so that rules are not written after its sentences. The last line of a table is all patterned types
together.

Labelled texts are sentences of ours, one a line, with ``[[type|value]]`` around each value. What has a pattern counts
if exactly the labelled characters are found; a name, school, employer or address if the type is the same and the two
spans share at least 80 per cent of the longer one.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from common.pages import table
from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.placeholders import ALL_TYPES, PATTERNED
from data_prep.scoring import Score

# The folder of labelled texts.
LABELLED: Final = Path(__file__).with_name("labelled")

_OVERLAP: Final = 0.8
_MARKUP: Final = re.compile(r"\[\[([^|\[\]]*)\|([^\[\]]*)\]\]")
_CONTEXT: Final = 12


class LabelError(ValueError):
    """A line of a labelled file that cannot be read."""


def labelled_files(kind: Literal["tune", "held"]) -> list[Path]:
    """The labelled files of a kind, in the order of their names.

    Args:
        kind: "tune" for those that may be looked at while rules are written, "held" for sentences that nobody who
            writes rules looks at; these may be absent.
    """
    return sorted(LABELLED.glob(f"{kind}*.txt"))


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence and its labelled spans: start, end (exclusive) and type of each, in characters of `text`."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def read_labelled(path: Path) -> list[Labelled]:
    """The sentences of a labelled file.

    Raises:
        LabelError: an unknown type, an empty value or a bracket that is not part of a label; names file and line.
    """
    sentences = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        text, spans, position = "", [], 0
        for match in _MARKUP.finditer(line):
            type, value = match.groups()
            if type not in ALL_TYPES or not value:
                raise LabelError(
                    f"{path}, line {number}: label {match[0]!r}, expected [[type|value]] with a type from "
                    f"{list(ALL_TYPES)} and a value. Correct the line."
                )
            text += line[position : match.start()]
            spans.append((len(text), len(text) + len(value), type))
            text += value
            position = match.end()
        text += line[position:]
        if "[[" in text or "]]" in text:
            raise LabelError(f"{path}, line {number}: a [[ or ]] outside of any [[type|value]]. Correct the line.")
        sentences.append(Labelled(text, tuple(spans)))
    return sentences


def measure(sentences: Iterable[Labelled], anonymiser: Anonymiser) -> dict[str, Score]:
    """A score for each type, from each sentence on its own."""
    scores: dict[str, Score] = {type: Score() for type in ALL_TYPES}
    for sentence in sentences:
        found = [(span.start, span.end, span.type) for _, span in anonymiser([sentence.text]).found]
        for span in sentence.spans:
            if any(same_place(span, other) for other in found):
                scores[span[2]].hits += 1
            else:
                scores[span[2]].misses.append(_shown(sentence.text, span))
        for span in found:
            if not any(same_place(other, span) for other in sentence.spans):
                scores[span[2]].false_alarms.append(_shown(sentence.text, span))
    return scores


def same_place(labelled: tuple[int, int, str], found: tuple[int, int, str]) -> bool:
    """Whether what is found is what is labelled: exactly if it has a pattern, else four fifths of the longer."""
    if labelled[2] != found[2] or labelled[2] in PATTERNED:
        return labelled == found
    shared = min(labelled[1], found[1]) - max(labelled[0], found[0])
    return shared >= _OVERLAP * max(labelled[1] - labelled[0], found[1] - found[0])


def _shown(text: str, span: tuple[int, int, str]) -> str:
    start, end, _ = span
    return f"{text[max(0, start - _CONTEXT) : start]}【{text[start:end]}】{text[end : end + _CONTEXT]}"


def _table(scores: dict[str, Score]) -> str:
    rows = []
    for type, score in [*scores.items(), ("patterned", together([scores[type] for type in PATTERNED]))]:
        counts = score.hits, len(score.misses), len(score.false_alarms)
        rows.append((type, f"{score.recall:.3f}", f"{score.precision:.3f}", *counts))
    return table(("type", "recall", "precision", "found", "missed", "false alarms"), rows)


def pooled(scores: Iterable[dict[str, Score]]) -> dict[str, Score]:
    """One score of each type over several files: what was found and missed in all of them together."""
    files = list(scores)
    return {type: together([one[type] for one in files]) for type in ALL_TYPES}


def together(scores: Sequence[Score]) -> Score:
    """One score over several, of types or of files."""
    return Score(
        sum(score.hits for score in scores),
        [each for score in scores for each in score.misses],
        [each for score in scores for each in score.false_alarms],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: a table for each file; without files also one over the tuning sets, and one over the held sets."""
    parser = argparse.ArgumentParser(prog="python -m data_prep.anonymise.measure", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="labelled files; without any, all that come with the code")
    parser.add_argument("--show", action="append", default=[], choices=ALL_TYPES, help="print what is missed and false")
    options = parser.parse_args(arguments)
    anonymiser = Anonymiser()
    of_file: dict[Path, dict[str, Score]] = {}
    for path in options.files or labelled_files("tune"):
        of_file[path] = scores = measure(read_labelled(path), anonymiser)
        print(path.name, _table(scores), sep="\n")
        for type in options.show:
            print(*(f"missed {type}: {each}" for each in scores[type].misses), sep="\n")
            print(*(f"false {type}: {each}" for each in scores[type].false_alarms), sep="\n")
    if not options.files:
        print("tuning sets", _table(pooled(of_file.values())), sep="\n")
        if held := labelled_files("held"):
            print("held", _table(pooled(measure(read_labelled(path), anonymiser) for path in held)), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
