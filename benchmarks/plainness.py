"""How usual the wording of texts is: bits a character under a character trigram model of SMILECHAT's replies.

    python -m benchmarks.plainness smilechat=/data/smile                       # the sample corpus
    python -m benchmarks.plainness smilechat=/data/smile replies=[outputs/tiny/generate/sft_grpo.replies.jsonl]
    python -m benchmarks.plainness smilechat=/data/smile corpus=PsyQA_full.json

Beside the texts stand, in the same run, replies of SMILECHAT that are not in the model. Fluent nonsense is cheap here
and a rare word is dear: the figure says how far a text's language is from a counsellor's, not how good it is.
"""

import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from omegaconf import OmegaConf

from common.pages import table
from common.records.replies import read_replies
from common.settings import build
from data_prep.corpora import load_corpus
from data_prep.dialogues import load_dialogues
from reward_fns.coe_format import TAG
from reward_fns.components import distinct_2

# Added to every count, over as many characters as the model has met.
_ADDED: Final = 0.1
# The last dialogues, which are not counted.
_HELD_OUT: Final = 550
_RUN: Final = 20


@dataclass(frozen=True)
class PlainnessConfig:
    """What is compared.

    Attributes:
        smilechat: SMILECHAT, a folder, an archive or one file.
        corpus: any corpus of `make data`; null for the sample.
        replies: files of `make generate`.
    """

    smilechat: str
    corpus: str | None = None
    replies: list[str] = field(default_factory=list)


class Trigrams:
    """Chances of a character after two others, add-0.1 smoothed."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Count."""
        self._counts: Counter[str] = Counter()
        for text in texts:
            padded = f"\x02\x02{text}\x03"
            self._counts.update(padded[i : i + 3] for i in range(len(padded) - 2))
        self._before: Counter[str] = Counter()
        for trigram, count in self._counts.items():
            self._before[trigram[:2]] += count
        self._size = len({trigram[2] for trigram in self._counts})

    def bits(self, text: str) -> float:
        """A character, mean; 0 for an empty text."""
        padded = f"\x02\x02{text}"
        chances = (
            (self._counts[padded[i : i + 3]] + _ADDED) / (self._before[padded[i : i + 2]] + _ADDED * self._size)
            for i in range(len(text))
        )
        return -sum(map(math.log2, chances)) / max(1, len(text))


def repeats(text: str, run: int = _RUN) -> bool:
    """Whether some stretch of so many characters stands in the text twice."""
    stretches = [text[i : i + run] for i in range(len(text) - run + 1)]
    return len(set(stretches)) < len(stretches)


def row(name: str, texts: Sequence[str], model: Trigrams) -> tuple[str, ...]:
    """A row of the table."""
    bits = [model.bits(text) for text in texts]
    means = [sum(values) / len(texts) for values in (bits, map(distinct_2, texts), map(repeats, texts))]
    length = f"{sum(map(len, texts)) / len(texts):.0f}"
    return name, f"{len(texts)}", f"{median(bits):.2f}", *(f"{mean:.2f}" for mean in means), length


def main() -> None:
    """Print the table."""
    config = build(PlainnessConfig, OmegaConf.from_cli(sys.argv[1:]), "benchmarks.plainness")
    _, dialogues = load_dialogues(Path(config.smilechat))
    spoken = ["".join(text for role, text in dialogue.turns if role == "assistant") for dialogue in dialogues]
    held_out = min(_HELD_OUT, len(spoken) // 10)
    model = Trigrams(spoken[:-held_out])
    questions = load_corpus(Path(config.corpus) if config.corpus else None).questions
    replies = {path: read_replies(Path(path))["text"].map(lambda text: TAG.sub("", text)) for path in config.replies}
    tables = {
        "SMILECHAT replies not in the model": spoken[-held_out:],
        "posts": [question.description or question.title for question in questions],
        "responses": [response for question in questions for response in question.responses],
        "chains": ["".join(question.coe) for question in questions if question.coe],
        **{path: texts.tolist() for path, texts in replies.items()},
    }
    headings = (
        "texts",
        "number",
        "bits, median",
        "bits, mean",
        "distinct bigrams",
        "repeat 20 characters",
        "characters",
    )
    print(table(headings, [row(name, texts, model) for name, texts in tables.items() if texts]))


if __name__ == "__main__":
    main()
