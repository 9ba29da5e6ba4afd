"""Text metrics of any replies to any questions with human references, of the project's own models or of others.

    python -m eval.metrics --hypotheses mine.jsonl theirs.jsonl --references test.jsonl
    python -m eval.metrics --hypotheses sft.replies.jsonl --references test.parquet --kind coe --protocol zh paper
    python -m eval.metrics --references questions.parquet    # baselines, and people against each other: the ceiling
    my_model | python -m eval.metrics --hypotheses - --references test.csv --json > scores.json

Hypotheses have question_id and text (and sample, where a question has several), references id and references (question
too, for the copy overlap): JSON Lines, a JSON array, CSV, ``-`` for standard input, or ``test.parquet`` of `make data`.
Baselines stand below the models (`eval.baselines`), those alone where no replies are named. Prints a table for each
protocol with its signature, or JSON, and writes ``NAME.PROTOCOL.json`` for each model (`eval.results`) with every
question's values, and ``NAME.PROTOCOL.parquet`` with every reply's.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from common.files import FileError
from common.records.references import read_references
from common.records.replies import KINDS, file_stem, read_replies
from common.records.rows import STDIN
from eval.baselines import HUMAN, Baseline, baselines, check_names, human
from eval.metrics.protocols import POLICIES, PROTOCOLS, Protocol
from eval.replies import check_match
from eval.results import Result, score_replies
from eval.tables import print_results


def main(arguments: Sequence[str]) -> None:
    """Score what the command line names.

    Raises:
        FileError: a file that can't be read, replies that can't be scored, or results that can't stand in one table.
    """
    options = _parser().parse_args(arguments)
    references = read_references(options.references)
    if [*map(str, options.hypotheses), str(options.references)].count(STDIN) > 1:
        raise FileError("- stands for two files, but standard input can be read once. Name a file for one of them.")
    test_set = options.test_set or _name(options.references)
    names = options.names or [_name(path) for path in options.hypotheses]
    if len(names) != len(options.hypotheses) or len(set(names)) < len(names):
        raise FileError(f"names {names} for {len(options.hypotheses)} files, expected one of its own for each: --names")
    kinds = options.kind * len(names) if len(options.kind) == 1 else options.kind
    if names and len(kinds) != len(names):
        raise FileError(f"--kind {' '.join(kinds)}: expected one for all files, or one for each of {len(names)}")
    below = _below(references, options)
    check_names(names if below else [])
    replies = [read_replies(path) for path in options.hypotheses]
    for path, frame in zip(options.hypotheses, replies, strict=True):
        check_match(frame, references, path)
    scorer = None
    if options.bertscore:
        from eval.metrics.bertscore import BertScorer  # torch takes seconds

        scorer = BertScorer(options.bertscore)
    for name in options.protocol:
        protocol = Protocol(name, options.refs)
        signature = "|".join([protocol.signature, *([scorer.signature] if scorer else [])])
        results = []
        for model, frame, kind in zip(names, replies, kinds[: len(names)], strict=True):
            scores = score_replies(frame, references, protocol, kind, f"{name} {model}")
            if scorer:
                scores["bertscore"] = scorer.score(scores, references, protocol.policy)
            results.append(Result.of(model, test_set, signature, scores))
            _write(options.out, f"{model}.{name}", results[-1], scores)
        for baseline in below:
            scores = baseline.scores(references, protocol)
            if scorer:
                scores["bertscore"] = scorer.score(scores, baseline.references, protocol.policy)
            scores = baseline.named(scores)
            results.append(baseline.result(test_set, signature, scores))
            _write(options.out, f"{file_stem(baseline.name)}.{name}", results[-1], scores)
        _print(results, options.json)


def _below(references: pd.DataFrame, options: argparse.Namespace) -> list[Baseline]:
    """The baselines below the models; people stand there in any case where there are no models."""
    below = [] if options.no_baselines else baselines(references)
    alone = not options.hypotheses and HUMAN not in [baseline.name for baseline in below]
    return [*below, human(references)] if alone else below


def _write(folder: Path | None, stem: str, result: Result, scores: pd.DataFrame) -> None:
    if folder:
        result.write(folder / f"{stem}.json")
        scores.to_parquet(folder / f"{stem}.parquet")


def _name(path: Path) -> str:
    """A file's name in tables."""
    return "stdin" if str(path) == STDIN else path.name.split(".")[0]


def _print(results: Sequence[Result], as_json: bool) -> None:
    if not as_json:
        print_results(results, Console())
        return
    for result in results:
        content = result.plain()
        # What every question got is in the files of --out.
        del content["by_question"], content["shown_by_question"]
        print(json.dumps(content, ensure_ascii=False))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval.metrics", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--hypotheses", nargs="+", type=Path, default=[], metavar="FILE", help="replies, a file a model; none: humans"
    )
    parser.add_argument("--references", type=Path, required=True, metavar="FILE", help="what people replied")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="of the models; of the files where not told")
    parser.add_argument("--test-set", metavar="NAME", help="in tables; of the references' file where not told")
    parser.add_argument("--protocol", nargs="+", choices=list(PROTOCOLS), default=["zh"], help="zh where not told")
    parser.add_argument("--refs", choices=POLICIES, default="mean", help="over a question's references")
    parser.add_argument(
        "--kind",
        nargs="+",
        choices=KINDS,
        default=["plain"],
        help="which part of a text is the reply: for all, or for each",
    )
    parser.add_argument("--no-baselines", action="store_true", help="the models alone; without models, people alone")
    parser.add_argument("--bertscore", type=Path, metavar="FOLDER", help="BERTScore too, by this local encoder")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write results")
    parser.add_argument("--json", action="store_true", help="a line of JSON a result instead of tables")
    return parser


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"error: {error}")
