"""Measures the checks on chains: ``python -m data_prep.coe.measure [FILE …] [--show]``.

Prints how many of the sample's own chains are refused, and how many of each kind of spoilt ones are caught. A file of
spoilt chains is JSON Lines: ``id`` of a question of the sample, ``kind``, ``text`` as a teacher would write it.
Those of ``spoilt/`` were written by two instances of a language model (Claude) that had not seen the checks: the
checks were tuned on those of the first, whose posts are not the second's.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from common.files import read_json_lines
from common.pages import table
from common.records.question import Question
from data_prep.coe.checks import ChainChecks
from data_prep.coe.config import CheckConfig
from data_prep.corpora import load_corpus
from reward_fns.coe_format import LAYERS

SPOILT: Final = Path(__file__).with_name("spoilt")


def as_text(layers: Sequence[str]) -> str:
    """A chain as a teacher writes it."""
    return "\n".join(f"<{name}>{layer}</{name}>" for name, layer in zip(LAYERS, layers, strict=True))


def refused_of(questions: Sequence[Question], checks: ChainChecks, show: bool = False) -> tuple[int, Counter[str]]:
    """How many of the questions' own chains are refused, and by which checks."""
    refused, by = 0, Counter[str]()
    for question in questions:
        if question.coe is None:
            continue
        _, problems = checks(as_text(question.coe), question.post, question.responses[0])
        refused += bool(problems)
        by.update({problem.check for problem in problems})
        if show and problems:
            print("refused:", question.id, *problems, *question.coe, sep="\n  ")
    return refused, by


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Measure the checks of chains.")
    parser.add_argument("files", nargs="*", type=Path, default=sorted(SPOILT.glob("*.jsonl")), help="spoilt chains")
    parser.add_argument("--show", action="store_true", help="print what is refused wrongly and what is not caught")
    options = parser.parse_args(arguments)
    questions = {question.id: question for question in load_corpus(None).questions}
    checks = ChainChecks(
        [question.post for question in questions.values()],
        [response for question in questions.values() for response in question.responses],
        CheckConfig(),
    )
    refused, by = refused_of(list(questions.values()), checks, options.show)
    own = sum(question.coe is not None for question in questions.values())
    print(f"the sample's own chains: {refused} of {own} refused ({refused / own:.3f}); {dict(by)}")
    for path in options.files:
        caught: dict[str, list[bool]] = defaultdict(list)
        for _, line in read_json_lines(path):
            question = questions[line["id"]]
            _, problems = checks(line["text"], question.post, question.responses[0])
            caught[line["kind"]].append(bool(problems))
            if options.show and not problems:
                print(f"missed {line['kind']}, {line['id']}:\n{line['text']}")
        rows = [(kind, len(each), f"{sum(each) / len(each):.3f}") for kind, each in sorted(caught.items())]
        print(f"\n{path.name}\n{table(('spoilt', 'chains', 'caught'), rows)}")


if __name__ == "__main__":
    main()
