"""A corpus of any size with the lengths of Empathy-QA, recombined from a small one: for timing, never for training.

Every text is made of whole sentences of the small corpus, drawn anew for each; a few hold what cleaning, masking and
deduplication look for, so that these have work to do.

    python -m benchmarks.corpus out=/tmp/posts.jsonl questions=41000
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from omegaconf import OmegaConf

from common.files import write_json_lines
from data_prep.corpora import load_corpus
from data_prep.generic import split_sentences

# Means of Table 1 (Empathy-QA): characters of a title, a description and a response, responses a question.
TITLE_CHARS: Final = 23
DESCRIPTION_CHARS: Final = 276
RESPONSE_CHARS: Final = 776
RESPONSES: Final = 4.11

PERSONAL: Final = (
    "我叫沈佳禾，电话13912345678。",
    "可以加我微信 shenjiahe_88 聊。",
    "我在临江市第三中学读高二。",
    "有事发邮件到 jiahe.shen@example.com。",
    "QQ：1029384756，看到就回。",
)
NOISE: Final = ("<br>", "&nbsp;", "！！！！！！", "\u200b", "謝謝你願意聽我說這些。", "详见 https://example.com/a?b=1 ")


def build(questions: int, source: Path | None = None, seed: int = 42) -> Iterator[dict[str, Any]]:
    """Questions in the project's own JSON Lines form.

    One question in 100 has the post of an earlier one, one in 50 nearly that of an earlier one; one response in 100 is
    an earlier one again; one text in 20 holds personal data, one in 20 noise.

    Args:
        source: the small corpus; None for the sample that comes with the project.
    """
    rng = random.Random(seed)
    corpus = load_corpus(source).questions
    asked = sorted({sentence for question in corpus for sentence in split_sentences(question.description)})
    said = sorted({s for question in corpus for response in question.responses for s in split_sentences(response)})
    topics = sorted({question.topic for question in corpus})
    posts: list[tuple[str, str]] = []
    responses: list[str] = []
    for number in range(questions):
        draw = rng.random()
        title, description = _text(asked, TITLE_CHARS, rng)[:40], _spiced(_text(asked, DESCRIPTION_CHARS, rng), rng)
        if posts and draw < 0.03:
            title, description = rng.choice(posts)
            description += rng.choice(asked) if draw < 0.02 else ""
        posts.append((title, description))
        # 1 to 7, 4.11 in the mean as the paper counts.
        count = min(7, 1 + sum(rng.random() < (RESPONSES - 1) / 6 for _ in range(6)))
        own = []
        for _ in range(count):
            repeated = responses and rng.random() < 0.01
            own.append(rng.choice(responses) if repeated else _spiced(_text(said, RESPONSE_CHARS, rng), rng))
        responses += own[:1]
        yield {
            "id": f"b{number:06}",
            "title": title,
            "description": description,
            "topic": rng.choice(topics) or "其他",
            "responses": [{"text": text} for text in own],
        }


def _text(sentences: list[str], mean: int, rng: random.Random) -> str:
    """Sentences up to a length drawn around the mean: most texts are shorter, some several times as long."""
    length = mean * rng.lognormvariate(-0.125, 0.5)
    text = ""
    while len(text) < length:
        text += rng.choice(sentences)
    return text


def _spiced(text: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.05:
        return text + rng.choice(PERSONAL)
    if draw < 0.10:
        middle = len(text) // 2
        return text[:middle] + rng.choice(NOISE) + text[middle:]
    return text


def write(path: Path, questions: int, source: Path | None = None, seed: int = 42) -> None:
    """Write the corpus as JSON Lines."""
    write_json_lines(path, build(questions, source, seed))


if __name__ == "__main__":
    options = OmegaConf.merge({"out": "???", "questions": 41000, "source": None}, OmegaConf.from_dotlist(sys.argv[1:]))
    write(Path(options.out), options.questions, Path(options.source) if options.source else None)
