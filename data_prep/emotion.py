"""The emotion label of a Chinese text, by the DUTIR emotion lexicon (Xu et al., 2008).

The lexicon (大连理工大学情感词汇本体, seven classes, some 27,000 words) is read from the data files of the PyPI package
``cntext``, as YAML and without importing the package, whose dependencies are heavy. ``cntext`` is under the MIT
licence; the lexicon's makers give it out for research and ask that the paper be cited: 徐琳宏, 林鸿飞, 潘宇, 等.
情感词汇本体的构造[J]. 情报学报, 2008, 27(2): 180-185.

What it does not do: negation is not handled (不开心 counts as 开心 unless the segmenter keeps it whole), neither are
intensity, irony or context. A tenth of the words, mostly long sayings, are segmented differently and never found.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import rjieba
import yaml

_DICTIONARY = "cntext/io/data/zh_common_DUTIR.yaml"
_STOP_WORDS = "cntext/io/data/enzh_common_StopWords.yaml"
_REMEDY = "Install the pinned requirements again (`make install`)."


class Emotion(StrEnum):
    """DUTIR's seven classes, from the smallest to the largest: a tie goes to the smaller, the more telling one."""

    SURPRISE = "惊"
    ANGER = "怒"
    FEAR = "惧"
    JOY = "乐"
    SADNESS = "哀"
    DISGUST = "恶"
    LIKING = "好"


class LexiconError(RuntimeError):
    """The lexicon is not installed, or not as this module knows it."""


@dataclass(frozen=True)
class EmotionLexicon:
    """Words with their classes, and the rule that labels a text by them.

    Without ``shares`` the label is the class with most words in the text. That says little of counsellors' replies:
    nearly all encourage, and 92 % of SMILECHAT's come out as 好. With ``shares``, from ``relative_to``, it is the class
    that stands out most from what replies hold anyway, among those with two words or more (one, in a text without
    such): by the binomial score (n_c − n·p_c) / √(n·p_c·(1 − p_c)), where n_c of the text's n emotion words are of
    class c and p_c is its share in the texts compared with. So labelled, 29 % of SMILECHAT's replies are 好, 21 % 恶,
    17 % 哀, 16 % 乐, 14 % 惧. Without the bound of two, a single word of a rare class (原来, 惊) decides too often.

    Attributes:
        words: the classes of each word, one for nearly all.
        shares: each class's share of the emotion words in the texts compared with; None to compare with none.
    """

    words: Mapping[str, tuple[Emotion, ...]]
    shares: Mapping[Emotion, float] | None = None

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
        if set(classes) != set(Emotion):
            raise LexiconError(f"{_DICTIONARY}: classes {sorted(classes)}, expected {sorted(Emotion)}. {_REMEDY}")
        stop_words = {str(word) for words in _read(package, _STOP_WORDS).values() for word in words}
        found: dict[str, list[Emotion]] = {}
        for emotion in Emotion:
            # One entry is a bare number, which YAML reads as such.
            for word in dict.fromkeys(map(str, classes[emotion.value])):
                if word not in stop_words:
                    found.setdefault(word, []).append(emotion)
        return cls({word: tuple(emotions) for word, emotions in found.items()})

    def relative_to(self, texts: Iterable[str]) -> "EmotionLexicon":
        """The same lexicon, labelling by what stands out from these texts."""
        total: Counter[Emotion] = Counter()
        for text in texts:
            total.update(self.counts(text))
        return replace(self, shares={emotion: count / total.total() for emotion, count in total.items()})

    def counts(self, text: str) -> Counter[Emotion]:
        """How many words of each class the text holds; a word of two classes counts in both."""
        words = self.words
        return Counter(emotion for word in rjieba.cut(text) for emotion in words.get(word, ()))

    def label(self, text: str) -> Emotion | None:
        """The text's emotion by the class's rule; None where it holds no word of the lexicon."""
        counts = self.counts(text)
        if not counts:
            return None
        if self.shares is None:
            return max(Emotion, key=lambda emotion: counts[emotion])
        enough = min(2, max(counts.values()))
        n = counts.total()
        scores = {
            emotion: (counts[emotion] - n * share) / math.sqrt(n * share * (1 - share))
            for emotion, share in self.shares.items()
            if counts[emotion] >= enough and 0 < share < 1
        }
        return max((emotion for emotion in Emotion if emotion in scores), key=scores.__getitem__, default=None)


def _read(package: Distribution, name: str) -> dict[str, Any]:
    path = Path(str(package.locate_file(name)))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LexiconError(f"{path}: missing from cntext {package.version}. {_REMEDY}") from error
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    if not isinstance(content, dict) or not isinstance(content.get("Dictionary"), dict):
        raise LexiconError(f"{path}: no Dictionary in it. {_REMEDY}")
    dictionary: dict[str, Any] = content["Dictionary"]
    return dictionary
