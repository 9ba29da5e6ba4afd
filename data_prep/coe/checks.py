"""What a chain has to be: whole, Chinese, of a fair length, about this post, not copied, at one with the response.

Each check is measured on chains that were spoilt in known ways: ``python -m data_prep.coe.measure``. A chain that
passes is no good chain yet: people review it.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

import numpy as np
import rjieba
from sklearn.feature_extraction.text import TfidfVectorizer

from data_prep.coe.advice import Advice
from data_prep.coe.config import CheckConfig
from data_prep.coe.prompt import read_chain
from reward_fns.coe_format import LAYERS

# The checks, in the order in which the teacher is told of them.
CHECKS: Final = ("layers", "chinese", "length", "about", "copied", "advice", "consistent")
# L1 to L3 are about the asker, L4 is about the response.
_ASKER: Final = slice(0, 3)
# Shorter runs are turns of phrase.
_RUN: Final = 6


class Problem(NamedTuple):
    """What is wrong with a chain.

    Attributes:
        check: one of ``CHECKS``.
        layer: "L1" to "L4"; "" where it is the whole chain.
        detail: figures, without words of the post.
    """

    check: str
    layer: str = ""
    detail: str = ""


class ChainChecks:
    """Checks chains against their post and response, and these against other posts and responses."""

    def __init__(self, posts: Sequence[str], responses: Sequence[str], config: CheckConfig) -> None:
        """Learn which words are rare.

        Args:
            posts: many of the corpus; a chain's own may be among them.
            responses: likewise.
            config: the limits.
        """
        self._config, self._advises = config, Advice()
        self._posts, self._responses = _Corpus(posts), _Corpus(responses)

    def __call__(self, text: str, post: str, response: str) -> tuple[tuple[str, ...] | None, list[Problem]]:
        """The layers of a teacher's answer, None where it has not got them, and all problems of it."""
        layers = read_chain(text)
        if layers is None:
            return None, [Problem("layers")]
        return layers, list(self.problems(layers, post, response))

    def problems(self, layers: Sequence[str], post: str, response: str) -> Iterator[Problem]:
        """What is wrong with a whole chain."""
        config = self._config
        for name, layer in zip(LAYERS, layers, strict=True):
            if (share := chinese_share(layer)) < config.chinese:
                yield Problem("chinese", name, f"{share:.2f} Chinese")
            if not config.min_chars <= len(layer) <= config.max_chars:
                yield Problem("length", name, f"{len(layer)} characters")
        asker = "\n".join(layers[_ASKER])
        rank = self._posts.rank(asker, post)
        shared = self._posts.rare_shared(asker, post, config.rare)
        if rank > config.about_rank or shared < config.about_words:
            yield Problem("about", "", f"{rank:.3f} of other posts are closer, {shared} rare words shared")
        for name, layer in zip(LAYERS, layers, strict=True):
            longest, share = copied(layer, response, post)
            if longest > config.copied or share > config.copied_share:
                yield Problem("copied", name, f"{longest} characters in a row, {share:.2f} of the layer")
        for name, layer in zip(LAYERS[_ASKER], layers[_ASKER], strict=True):
            if self._advises(layer):
                yield Problem("advice", name)
        rank = self._responses.rank(layers[-1], response)
        if rank > config.consistent_rank:
            yield Problem("consistent", LAYERS[-1], f"{rank:.2f} of other responses are closer")


class _Corpus:
    """Texts by their words, weighed by how rare these are."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectorizer = TfidfVectorizer(analyzer=words, sublinear_tf=True, min_df=1)
        self._matrix = self._vectorizer.fit_transform(texts)
        present = np.asarray((self._matrix > 0).sum(axis=0)).ravel() / len(texts)
        self._share = dict(zip(self._vectorizer.get_feature_names_out(), present, strict=True))

    def rank(self, text: str, own: str) -> float:
        """The share of the texts that are closer to a text than its own."""
        vectors = self._vectorizer.transform([text, own])
        others = (self._matrix @ vectors[0].T).toarray().ravel()
        return float(np.mean(others > float((vectors[0] @ vectors[1].T)[0, 0]) + 1e-9))

    def rare_shared(self, text: str, own: str, rare: float) -> int:
        """How many words a text and its own share that few of the texts have."""
        both = set(words(text)) & set(words(own))
        return sum(self._share.get(word, 0.0) <= rare for word in both)


def words(text: str) -> list[str]:
    """The words of two characters and more."""
    return [word for word in rjieba.cut(text) if len(word) > 1 and word[0].isalpha()]


def chinese_share(text: str) -> float:
    """Of the letters, which share is Chinese; a foreign word counts by its letters."""
    letters = [char for char in text if char.isalpha()]
    return sum("\u4e00" <= char <= "\u9fff" for char in letters) / len(letters) if letters else 0.0


def copied(layer: str, response: str, post: str) -> tuple[int, float]:
    """The longest run of characters that a layer has from the response alone, and the share of all such runs of it."""
    own, theirs, asked = _bare(layer), _bare(response), _bare(post)
    longest = total = 0
    for block in SequenceMatcher(None, own, theirs, autojunk=False).get_matching_blocks():
        run = own[block.a : block.a + block.size]
        if block.size >= _RUN and run not in asked:
            longest, total = max(longest, block.size), total + block.size
    return longest, total / len(own) if own else 0.0


def _bare(text: str) -> str:
    return "".join(char for char in text if char.isalnum())
