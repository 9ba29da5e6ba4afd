"""How long both protocols take on a test set of the paper's size, beside the usual pipeline in the same run.

    python -m benchmarks.metrics                       # 2,000 questions, 4.11 references of 776 characters each
    python -m benchmarks.metrics questions=200 peer_questions=1

Scores one model's replies by `zh` and by `paper`, with intervals, in one process, and prints each protocol's seconds.
The peer makes the same figures for a few questions with jieba, rouge-chinese, rouge_score and nltk; both are then a
time a pair of reply and reference. Says whether the figures agree too. Run it alone on the machine.
"""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import jieba
import pandas as pd
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.meteor_score import single_meteor_score
from omegaconf import OmegaConf
from rouge_chinese import Rouge
from rouge_score.rouge_scorer import RougeScorer

from benchmarks.corpus import build
from eval.metrics.protocols import Protocol
from eval.results import Result, score_replies


@dataclass
class Options:
    """What is measured.

    Attributes:
        questions: of the test set; the paper's has 2,000.
        peer_questions: of them that the peer scores.
    """

    questions: int = 2000
    peer_questions: int = 2


class _Exact:
    @staticmethod
    def stem(token: str) -> str:
        return token

    @staticmethod
    def synsets(token: str) -> list[str]:
        return []


def main() -> None:
    """Measure and print; end with 1 where a bound does not hold."""
    options: Options = OmegaConf.to_object(  # type: ignore[assignment]
        OmegaConf.merge(OmegaConf.structured(Options), OmegaConf.from_dotlist(sys.argv[1:]))
    )
    rows = list(build(options.questions + 1))
    responses = [[response["text"] for response in row["responses"]] for row in rows]
    references = pd.DataFrame({"id": [f"q{n}" for n in range(options.questions)], "references": responses[1:]}).assign(
        question=[row["description"] for row in rows[1:]]
    )
    # Another question's response stands for a reply: as long, and as like its references as chance has it.
    texts = [group[0] for group in responses[:-1]]
    replies = pd.DataFrame({"question_id": references["id"], "sample": 0, "text": texts})
    pairs = int(references["references"].str.len().sum())
    characters = statistics.mean(len(text) for texts in references["references"] for text in texts)
    print(f"{options.questions} questions, {pairs} references of {characters:.0f} characters in the mean")

    # The first call loads rjieba's dictionary; jieba's is loaded here too, so that neither is in the figures.
    score_replies(replies.head(1), references.head(1), Protocol("zh"), "plain")
    jieba.initialize()
    total, found = 0.0, {}
    for name in ("zh", "paper"):
        protocol = Protocol(name)
        started = time.perf_counter()
        scores = score_replies(replies, references, protocol, "plain", name)
        scored = time.perf_counter()
        Result.of("model", "benchmark", protocol.signature, scores)
        seconds = time.perf_counter() - started
        total += seconds
        found[name] = scores.set_index("question_id")
        print(f"{seconds:8.2f} s  {name}, of that {seconds - (scored - started):.2f} s intervals")
    ours = total / pairs
    print(f"{total:8.2f} s  both, {1e6 * ours:.0f} µs a pair")

    started = time.perf_counter()
    peer = list(_peer(references.head(options.peer_questions), texts))
    theirs = (time.perf_counter() - started) / int(references["references"].head(len(peer)).str.len().sum())
    print(f"{1000 * theirs:8.2f} ms a pair: jieba, rouge-chinese, rouge_score and nltk, on {len(peer)} questions")
    for question_id, figures in peer:
        for (name, figure), value in figures.items():
            mine = float(found[name].at[question_id, figure])
            # jieba and rjieba cut a few words otherwise, and rouge-chinese adds 1e-8 to a denominator.
            limit = 0.02 if figure.endswith("words") else 1e-6
            if abs(mine - value) > limit:
                sys.exit(f"{question_id} {name} {figure}: {mine} and the peer {value}")
    print("the figures agree: 1e-6 on characters, 0.02 on words, which the two cutters cut a little otherwise")
    print(f"{theirs / ours:.0f} times as fast")
    sys.exit(total > 30 or theirs / ours < 200)


def _peer(references: pd.DataFrame, texts: list[str]) -> Iterator[tuple[str, dict[tuple[str, str], float]]]:
    """Each question's figures, by protocol and name, as means over the references."""
    latin, exact, plain = RougeScorer(["rougeL"]), _Exact(), SmoothingFunction().method0
    rouge = Rouge(metrics=["rouge-l"])
    for question_id, group, reply in zip(references["id"], references["references"], texts, strict=False):
        values: dict[tuple[str, str], list[float]] = defaultdict(list)
        for reference in group:
            sides = {
                "": (list("".join(reply.split())), list("".join(reference.split()))),
                "_words": ([w for w in jieba.cut(reply) if w.strip()], [w for w in jieba.cut(reference) if w.strip()]),
            }
            for suffix, (mine, other) in sides.items():
                score = rouge.get_scores(" ".join(mine), " ".join(other))[0]["rouge-l"]["f"]
                values["zh", f"rouge_l{suffix}"].append(score)
                meteor = single_meteor_score(other, mine, preprocess=str, stemmer=exact, wordnet=exact)
                values["zh", f"meteor{suffix}"].append(meteor)
            mine, other = sides[""]
            values["zh", "bleu_1"].append(float(sentence_bleu([other], mine, (1.0,), plain)))
            values["paper", "rouge_l"].append(latin.score(reference, reply)["rougeL"].fmeasure)
        yield question_id, {key: statistics.fmean(numbers) for key, numbers in values.items()}


if __name__ == "__main__":
    main()
