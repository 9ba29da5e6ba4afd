"""Rankings of replies by people or by a judge: the record, the file, and putting texts before raters blind.

Human ranking and LLM judge write the same JSON Lines, so that they are analysed and compared by the same code.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.files import write_text
from eval.compare import at_risk
from eval.replies import ReplyKind, shown

CRITERIA: Final = ("fluency", "identification", "comforting", "suggestion")
"""What one holistic ranking goes by (section 4.2.2 of the paper)."""

NOTHING: Final = "（这条回复没有可以展示的内容）"
"""Stands for a reply without anything to show; it is ranked like the others."""

_SELF_NAMES: Final = (
    "Empathy-R1",
    "DeepSeek",
    "深度求索",
    "Qwen",
    "通义千问",
    "千问",
    "EmoLLM",
    "CBT-LLM",
    "Baichuan",
    "百川",
)


class RankingError(ValueError):
    """Rankings that can't be read or used; the message names file and line or key, and what to do."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """One rater's order of one question's replies.

    Attributes:
        rater: an annotator's or judge's name.
        question_id: of which question.
        order: the models, best first, each once; without ties.
        attention: an item whose right order is known, for checking that the rater reads; never analysed.
        passed: of an attention item: whether it was put as it should be; None of others.
    """

    rater: str
    question_id: str
    order: tuple[str, ...]
    attention: bool = False
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class BlindItem:
    """One question's replies as raters see them.

    Attributes:
        question_id: of which question.
        post: what was asked.
        at_risk: whether the post has signs of acute risk; raters are warned.
        replies: texts by model, without tags, reasoning and model names. The names never reach a rater.
    """

    question_id: str
    post: str
    at_risk: bool
    replies: dict[str, str]

    def presented(self, rater: str, seed: int) -> list[tuple[str, str]]:
        """Model and reply in the order in which one rater sees them: random, and the same each time it is asked."""
        pairs = sorted(self.replies.items())
        random.Random(f"{seed} {rater} {self.question_id}").shuffle(pairs)
        return pairs


def blind_items(
    replies: Mapping[str, tuple[pd.DataFrame, ReplyKind]], test: pd.DataFrame, count: int, seed: int
) -> list[BlindItem]:
    """Items of the first sample of each model, for questions drawn at random.

    Args:
        replies: by model: of `eval.replies.read_replies`, and which part of a text is shown.
        test: of `eval.replies.read_references`, with question, crisis and risks.
        count: how many questions at most.
        seed: of the draw.

    Raises:
        RankingError: fewer than two models, or a model without a reply to a question drawn.
    """
    if len(replies) < 2:
        raise RankingError(f"{list(replies)}: a ranking needs two models or more. Generate replies of more models.")
    first = {
        model: frame[frame["sample"] == frame["sample"].min()].set_index("question_id")["text"]
        for model, (frame, _) in replies.items()
    }
    drawn = random.Random(seed).sample(sorted(test["id"]), min(count, len(test)))
    risky = dict(zip(test["id"], at_risk(test), strict=True))
    posts = dict(zip(test["id"], test["question"], strict=True))
    items = []
    for question_id in drawn:
        texts = {}
        for model, (_, kind) in replies.items():
            if question_id not in first[model].index:
                raise RankingError(f"{model} has no reply to question {question_id}. Generate it.")
            part, _ = shown(str(first[model][question_id]), kind)
            texts[model] = _without_names(part, list(replies)) or NOTHING
        items.append(BlindItem(question_id, str(posts[question_id]), bool(risky[question_id]), texts))
    return items


def write_rankings(path: Path, rankings: Iterable[Ranking]) -> None:
    """JSON Lines, a ranking a line."""
    write_text(path, "".join(json.dumps(asdict(ranking), ensure_ascii=False) + "\n" for ranking in rankings))


def read_rankings(path: Path) -> list[Ranking]:
    """Read a file of `write_rankings`.

    Raises:
        RankingError: a malformed line, a model twice in an order, or a rater's question twice.
    """
    return list(_checked(path))


def _checked(path: Path) -> Iterator[Ranking]:
    seen: set[tuple[str, str]] = set()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RankingError(f"{path}: {error}, expected JSON Lines of rankings") from error
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            content: dict[str, Any] = json.loads(line)
            ranking = Ranking(**{**content, "order": tuple(content["order"])})
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise RankingError(f"{path}:{number}: {error!r}, expected rater, question_id and order") from error
        if len(set(ranking.order)) < len(ranking.order) or len(ranking.order) < 2:
            raise RankingError(f"{path}:{number}: order {list(ranking.order)}, expected each model once, two or more")
        if (ranking.rater, ranking.question_id) in seen and not ranking.attention:
            raise RankingError(f"{path}:{number}: {ranking.rater} has ranked question {ranking.question_id} twice")
        seen.add((ranking.rater, ranking.question_id))
        yield ranking


def _without_names(text: str, models: Sequence[str]) -> str:
    """The text with models' names of themselves blanked: a rater who knows the model is not blind."""
    names = sorted({*models, *_SELF_NAMES}, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, names)), "某助手", text, flags=re.IGNORECASE).strip()
