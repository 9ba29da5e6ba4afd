"""The emotion label of a Chinese text, by the DUTIR emotion lexicon (Xu et al., 2008), or by a classifier of choice.

The lexicon (大连理工大学情感词汇本体, seven classes, some 27,000 words) is read from the data files of the PyPI package
``cntext``, as YAML and without importing the package, whose dependencies are heavy. ``cntext`` is under the MIT
licence; the lexicon's makers give it out for research and ask that the paper be cited: 徐琳宏, 林鸿飞, 潘宇, 等.
情感词汇本体的构造[J]. 情报学报, 2008, 27(2): 180-185.

What it does not do: negation is not handled (不开心 counts as 开心 unless the segmenter keeps it whole), neither are
intensity, irony or context. A tenth of the words, mostly long sayings, are segmented differently and never found.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import rjieba
import yaml
from ahocorasick_rs import AhoCorasick

from data_prep.anonymise.segments import clause

# DUTIR's seven classes, from the smallest to the largest: a tie goes to the smaller, the more telling one.
EMOTIONS: Final = ("惊", "怒", "惧", "乐", "哀", "恶", "好")

# One row a text, one column a class in the order of `EMOTIONS`.
Counts = npt.NDArray[np.uint16]

_DICTIONARY = "cntext/io/data/zh_common_DUTIR.yaml"
_STOP_WORDS = "cntext/io/data/enzh_common_StopWords.yaml"
_REMEDY = "Install the pinned requirements again (`make install`)."


class LexiconError(RuntimeError):
    """The lexicon is not installed, or not as this module knows it."""


class EmotionLexicon:
    """Words with their classes."""

    def __init__(self, words: Mapping[str, tuple[int, ...]]) -> None:
        """Take the classes of each word, one for nearly all, as places in `EMOTIONS`."""
        self.words = words
        # The segmenter cuts at marks anyway, so no word with one in it (百足之虫，死而不僵) is ever found.
        self._finder = AhoCorasick(word for word in words if clause(word, 0) == (0, len(word)))

    @classmethod
    def load(cls) -> "EmotionLexicon":
        """The lexicon as installed, less the words that the same package lists as stop words (不是, 通过 …).

        Raises:
            LexiconError: not installed, or its classes are not the seven of ``Emotion``.
        """
        try:
            package = distribution("cntext")
        except PackageNotFoundError as error:
            raise LexiconError(f"the package cntext, which holds the emotion lexicon, is missing. {_REMEDY}") from error
        classes = _read(package, _DICTIONARY)
        if set(classes) != set(EMOTIONS):
            raise LexiconError(f"{_DICTIONARY}: classes {sorted(classes)}, expected {sorted(EMOTIONS)}. {_REMEDY}")
        stop_words = {str(word) for words in _read(package, _STOP_WORDS).values() for word in words}
        found: dict[str, list[int]] = {}
        for place, emotion in enumerate(EMOTIONS):
            # One entry is a bare number, which YAML reads as such.
            for word in dict.fromkeys(map(str, classes[emotion])):
                if word not in stop_words:
                    found.setdefault(word, []).append(place)
        return cls({word: tuple(places) for word, places in found.items()})

    def vectors(self, texts: Sequence[str]) -> Counts:
        """How many words of each class each text holds; a word of two classes counts in both."""
        counts = np.zeros((len(texts), len(EMOTIONS)), dtype=np.uint16)
        for row, text in enumerate(texts):
            classes = filter(None, map(self.words.get, rjieba.cut(self._telling(text))))
            for place, count in Counter(chain.from_iterable(classes)).items():
                counts[row, place] = count
        return counts

    def _telling(self, text: str) -> str:
        """The clauses that hold the characters of a word: less than half of a text, and the rest needs no cutting."""
        places = [start for _, start, _ in self._finder.find_matches_as_indexes(text)]
        clauses: list[str] = []
        end = 0
        for place in places:
            if place >= end:
                start, end = clause(text, place)
                clauses.append(text[start:end])
        return "，".join(clauses)


def relative_labels(counts: Counts) -> list[str]:
    """Each text's emotion, as against all of these texts; "" where it holds no word of the lexicon.

    The class with most words says little of counsellors' replies: nearly all encourage, and 92 % of SMILECHAT's would
    be 好. So it is the class that stands out most from what the texts hold anyway, among those with two words or more
    (one, in a text without such): by the binomial score (n_c − n·p_c) / √(n·p_c·(1 − p_c)), where n_c of the text's n
    emotion words are of class c and p_c is its share in all texts. So labelled, 29 % of SMILECHAT's replies are 好,
    21 % 恶, 17 % 哀, 16 % 乐, 14 % 惧. Without the bound of two, a single word of a rare class (原来, 惊) decides too
    often.

    Args:
        counts: of questions only, or of responses only: the two hold different words.
    """
    total = counts.sum(axis=0, dtype=np.int64)
    share = total / max(1, total.sum())
    n = counts.sum(axis=1, dtype=np.int64)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (counts - n * share) / np.sqrt(n * share * (1 - share))
    enough = counts >= np.minimum(2, counts.max(axis=1, initial=0))[:, None]
    # A class that is all there is stands out from nothing, yet is the label.
    scores = np.where((share > 0) & (share < 1), scores, np.where(share == 1, 0.0, -np.inf))
    scores = np.where(enough & (n > 0), scores, -np.inf)
    return [EMOTIONS[place] if count else "" for place, count in zip(scores.argmax(axis=1), n[:, 0], strict=True)]


class EmotionClassifier:
    """A Hugging Face text classifier in the lexicon's place; its labels are its own."""

    def __init__(self, model: str) -> None:
        """Load the model and its tokenizer.

        Raises:
            OSError: there is none under this name.
        """
        # Imported where it is asked for: torch takes seconds and memory in every worker.
        import transformers

        self._pipeline: Any = transformers.pipeline(
            "text-classification", model=model, trust_remote_code=False, truncation=True
        )

    def __call__(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The likeliest label of each text, by as much of its beginning as the model reads."""
        return tuple(str(result["label"]) for result in self._pipeline(list(texts)))


def _read(package: Distribution, name: str) -> dict[str, Any]:
    path = Path(str(package.locate_file(name)))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LexiconError(f"{path}: missing from cntext {package.version}. {_REMEDY}") from error
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    if not isinstance(content, dict) or not isinstance(content.get("Dictionary"), dict):
        raise LexiconError(f"{path}: no Dictionary in it. {_REMEDY}")
    return dict(content["Dictionary"])
