"""Text metrics of any replies to any questions with human references, of the project's own models or of others.

    python -m eval.metrics --hypotheses mine.jsonl theirs.jsonl --references test.jsonl
    python -m eval.metrics --hypotheses sft.replies.jsonl --references test.parquet --kind coe --protocol zh paper
    python -m eval.metrics --references questions.parquet          # human responses against each other, the ceiling
    my_model | python -m eval.metrics --hypotheses - --references test.csv --json > scores.json

Hypotheses have question_id and text (and sample, where a question has several), references id and references (question
too, for the copy overlap): JSON Lines, a JSON array, CSV, ``-`` for standard input, or ``test.parquet`` of `make data`.
Prints a table for each protocol with its signature, or JSON, and writes ``NAME.PROTOCOL.json`` for each model
(`eval.results`) with every question's values, and ``NAME.PROTOCOL.parquet`` with every reply's.
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
from common.records.replies import KINDS, read_replies
from common.records.rows import STDIN
from eval.metrics.protocols import POLICIES, PROTOCOLS, Protocol
from eval.replies import check_match
from eval.results import Result, score_replies
from eval.tables import print_results


def ceiling(references: pd.DataFrame, protocol: Protocol, test_set: str, seed: int) -> Result:
    """Human against human, as the result of a model called "human".

    Args:
        references: of `common.records.references.read_references`.
        protocol: to score by.
        test_set: its name in tables.
        seed: of the bootstrap over questions.

    Raises:
        FileError: fewer than two questions with two responses.
    """
    several = references[references["references"].str.len() > 1]
    if len(several) < 2:
        raise FileError(f"{test_set}: {len(several)} questions with two responses or more, expected two such questions")
    turns = pd.DataFrame(
        {"id": f"{row.id}/{place}", "question_id": row.id, "sample": place, "text": text, "others": [*before, *after]}
        for row in several.itertuples()
        for place, text in enumerate(row.references)
        for before, after in [(row.references[:place], row.references[place + 1 :])]
    )
    replies = turns[["id", "sample", "text"]].rename(columns={"id": "question_id"})
    others = turns[["id", "others"]].rename(columns={"others": "references"})
    scores = score_replies(replies, others, protocol, "plain", f"{protocol.name} human")
    scores["question_id"] = scores["question_id"].map(dict(zip(turns["id"], turns["question_id"], strict=True)))
    note = f"each response against the others; {len(references) - len(several)} questions with one response left out"
    return Result.of("human", test_set, protocol.signature, scores, seed, note)


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
    if not options.hypotheses:
        for name in options.protocol:
            humans = ceiling(references, Protocol(name, options.refs), test_set, options.seed)
            if options.out:
                humans.write(options.out / f"human.{name}.json")
            _print([humans], options.json)
        return
    names = options.names or [_name(path) for path in options.hypotheses]
    if len(names) != len(options.hypotheses) or len(set(names)) < len(names):
        raise FileError(f"names {names} for {len(options.hypotheses)} files, expected one of its own for each: --names")
    kinds = options.kind * len(names) if len(options.kind) == 1 else options.kind
    if len(kinds) != len(names):
        raise FileError(f"--kind {' '.join(kinds)}: expected one for all files, or one for each of {len(names)}")
    replies = [read_replies(path) for path in options.hypotheses]
    for path, frame in zip(options.hypotheses, replies, strict=True):
        check_match(frame, references, path)
    scorer = None
    if options.bertscore:
        from eval.metrics.bertscore import BertScorer  # torch takes seconds

        scorer = BertScorer(options.bertscore)
    for name in options.protocol:
        protocol = Protocol(name, options.refs)
        results = []
        for model, frame, kind in zip(names, replies, kinds, strict=True):
            scores = score_replies(frame, references, protocol, kind, f"{name} {model}")
            signature = protocol.signature
            if scorer:
                scores["bertscore"] = scorer.score(scores, references, protocol.policy)
                signature += f"|{scorer.signature}"
            results.append(Result.of(model, test_set, signature, scores, options.seed))
            if options.out:
                stem = options.out / f"{model}.{name}"
                results[-1].write(stem.with_name(f"{stem.name}.json"))
                scores.to_parquet(stem.with_name(f"{stem.name}.parquet"))
        _print(results, options.json)


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
    parser.add_argument("--bertscore", type=Path, metavar="FOLDER", help="BERTScore too, by this local encoder")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write results")
    parser.add_argument("--json", action="store_true", help="a line of JSON a result instead of tables")
    parser.add_argument("--seed", type=int, default=42, help="of the bootstrap")
    return parser


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"error: {error}")
