"""Which figures useless replies can have: NAvg and TF-IDF of baselines and attacks, as parts of the human value.

    python -m benchmarks.silence questions=outputs/psyqa/data/questions.parquet
    python -m benchmarks.silence questions=questions.parquet most=300 single=true

Every row is scored by protocol zh on the questions with two responses or more; a column gives a figure, then its part
of the human value on the same questions. Weights are of the whole file. The attacks that use the file's own responses
show what one could reach who knows the test set. With ``single=true`` each question keeps its first response as the
only reference and the second stands for people. Ends with 1 where TF-IDF is above its bound for a baseline.
"""

import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd
from omegaconf import MISSING, OmegaConf

from common.records.references import read_references
from eval.baselines import GENERIC_COMFORT, ONE_CHARACTER, human
from eval.metrics.protocols import Protocol
from eval.metrics.tokens import content_words
from eval.results import question_means, score_replies

# Of the human value, the most that a baseline may have in TF-IDF.
BOUNDS: Final = {"one character": 1 / 3, "generic comfort": 1 / 3, "the post": 1 / 2}
_FIGURES: Final = ("navg", "tfidf")

# Other sentences that fit any post, the last one with advice that fits any post too.
_COMFORTS: Final = (
    "谢谢你的信任，听你说了这些，我能感觉到你很难受。你愿意说出来，已经很勇敢了。这些感受都是正常的，请给自己一些时间，不要太责怪自己。",
    "题主你好，看了你的文字，很心疼你，先给你一个大大的拥抱。你并不孤单，这里会一直有人陪着你。世界和我爱着你。",
    "你好，谢谢你愿意说出来，能感觉到你最近压力很大，心里很难受，这样的感受是可以理解的。先不要急着责怪自己，"
    "可以试着每天做几次深呼吸，出去走走，做一点运动，听听音乐，把心里的想法写下来，也可以和信任的家人或朋友聊一聊。"
    "保持规律的作息，给自己定一个小小的目标，一步一步来。如果这种情况持续了一段时间，影响到了你的生活和工作，"
    "建议去找专业的心理咨询师，或者到医院的心理科看一看。慢慢来，相信你会好起来的。",
)
_SENTENCE: Final = re.compile(r"[^。！？!?\n]+[。！？!?]")


@dataclass
class Options:
    """What is measured.

    Attributes:
        questions: ``questions.parquet`` or ``test.parquet`` of `make data`.
        most: questions drawn at most; 0 for all.
        single: one reference a question.
        seed: of the draws.
    """

    questions: Path = MISSING
    most: int = 0
    single: bool = False
    seed: int = 1


def main() -> None:
    """Measure and print; end with 1 where a bound does not hold."""
    options: Options = OmegaConf.to_object(  # type: ignore[assignment]
        OmegaConf.merge(OmegaConf.structured(Options), OmegaConf.from_dotlist(sys.argv[1:]))
    )
    test = read_references(options.questions, ("id", "references", "question")).drop(
        columns="test_set", errors="ignore"
    )
    if options.most and len(test) > options.most:
        test = test.sample(options.most, random_state=options.seed)
    means = _measured(test, options.single, random.Random(options.seed))
    print("| reply | NAvg | of human | TF-IDF | of human |\n|---|---:|---:|---:|---:|")
    for name, own in means.items():
        parts = (f"{own[key]:.3f} | {own[key] / means['human'][key]:.2f}" for key in _FIGURES)
        print(f"| {name} | {' | '.join(parts)} |")
    print(f"{len(test)} questions, {sum(test['references'].str.len() > 1)} of them with two responses or more")
    sys.exit(any(means[name]["tfidf"] > bound * means["human"]["tfidf"] for name, bound in BOUNDS.items()))


def _measured(test: pd.DataFrame, single: bool, draw: random.Random) -> dict[str, pd.Series]:
    several = test[test["references"].str.len() > 1].set_index("id", drop=False)
    protocol, people = Protocol("zh"), human(test)
    known = test.assign(references=[own[:1] for own in test["references"]]) if single else test
    scored = known[known["id"].isin(several["id"])]

    def score(texts: pd.Series) -> pd.Series:
        replies = pd.DataFrame({"question_id": texts.index, "sample": 0, "text": texts.to_numpy()})
        return question_means(score_replies(replies, scored, protocol, "plain", weighing=known))[list(_FIGURES)].mean()

    def humans(part: int) -> pd.Series:
        """The first of so many parts of each human response."""
        if single:
            return score(several["references"].map(lambda own: own[1][: len(own[1]) // part]))
        texts = [text[: len(text) // part] for text in people.replies["text"]]
        scores = replace(people, replies=people.replies.assign(text=texts)).scores(test, protocol)
        return question_means(people.named(scores))[list(_FIGURES)].mean()

    rows = {name: score(several.apply(make, axis=1)) for name, make in _replies(test, draw).items()}
    return {"human": humans(1), "human, the first half": humans(2), **rows}


def _replies(test: pd.DataFrame, draw: random.Random) -> dict[str, Callable[[pd.Series], str]]:
    """Makers of a reply to a row of the test set, by name."""
    responses = [text for own in test["references"] for text in own]
    counts = Counter(word for text in responses for word in content_words(text))
    frequent = "，".join(word for word, _ in counts.most_common(50))
    once = sorted(word for word, count in counts.items() if count == 1)
    rare = "，".join(draw.sample(once, min(50, len(once))))
    sentences = [sentence for text in responses for sentence in _SENTENCE.findall(text)]
    stitched = ""
    while len(stitched) < sum(map(len, responses)) / len(responses):
        stitched += draw.choice(sentences)
    first = dict(zip(test["id"], (own[0] for own in test["references"]), strict=True))
    ids = draw.sample(list(first), len(first))
    other = dict(zip(ids, [*ids[1:], ids[0]], strict=True))

    def always(text: str) -> Callable[[pd.Series], str]:
        return lambda _: text

    return {
        "one character": always(ONE_CHARACTER),
        "generic comfort": always(GENERIC_COMFORT),
        "the post": lambda row: str(row["question"]),
        "generic comfort five times": always(GENERIC_COMFORT * 5),
        "the post, then the generic comfort": lambda row: str(row["question"]) + GENERIC_COMFORT,
        **{f"other comfort {number}": always(text) for number, text in enumerate(_COMFORTS[:2], 1)},
        "comfort and advice for any post": always(_COMFORTS[2]),
        "1. 2. 3. 4. 5.": always("1. 2. 3. 4. 5."),
        "您": always("您"),
        "50 words that one response holds once": always(rare),
        "the 50 most frequent words": always(frequent),
        "another question's response": lambda row: first[other[row["id"]]],
        "sentences of other responses, as long as one": always(stitched),
    }


if __name__ == "__main__":
    main()
