"""TF-IDF similarity of a reply and a human reference, over the words that the post does not hold.

NAvg pays for silence: Distinct-1 of one character is 1. It pays for what fits any post and for the post's own words,
since people share these too. Here a word counts the more, the fewer questions' references hold it, and nothing from
half of the questions on; words of the post count nothing. So what is left is what people say to this post beyond it.

The weights are of the test set, so figures can be compared on one test set alone. Another test set has other weights.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eval.metrics.tokens import content_words, tokenizer_version

# Questions from which on there are weights: with fewer most words are in one or in all, by chance.
MIN_QUESTIONS: Final = 10

Vector = Mapping[str, float]


def signature() -> str:
    """The figure as the signature of a protocol names it."""
    return f"tfidf:{tokenizer_version('word')}-beyond-post-idf-of-test-set-dice"


@dataclass(frozen=True, slots=True)
class Weights:
    """How many questions' references hold each word: one question's references together are one document.

    Attributes:
        questions: how many there are.
        held: by word, 1 or more.
    """

    questions: int
    held: Mapping[str, int]

    @classmethod
    def of(cls, references: Iterable[Sequence[str]]) -> "Weights | None":
        """Count the words of a test set.

        Args:
            references: of each question.

        Returns:
            the weights; None for fewer than `MIN_QUESTIONS` questions.
        """
        held, questions = Counter[str](), 0
        for own in references:
            held.update({word for text in own for word in content_words(text)})
            questions += 1
        return cls(questions, held) if questions >= MIN_QUESTIONS else None

    def idf(self, word: str) -> float:
        """The probabilistic inverse document frequency, 0 for a word of half of the questions or more.

        (Robertson and Spärck Jones, 1976, without knowledge of what is relevant; Robertson, 2004, section 3,
        https://doi.org/10.1108/00220410410560582.) A word that no reference holds weighs as one of a single question,
        as in CIDEr (Vedantam et al., 2015, https://arxiv.org/abs/1411.5726).
        """
        held = max(1, self.held.get(word, 0))
        return max(0.0, math.log((self.questions - held + 0.5) / (held + 0.5)))

    def beyond(self, post: str) -> "Beyond":
        """For the replies to one post."""
        return Beyond(self, frozenset(content_words(post)))


@dataclass(frozen=True, slots=True)
class Beyond:
    """Makes vectors of the texts that answer one post.

    Attributes:
        weights: of the test set.
        post: the post's words, which count nothing.
    """

    weights: Weights
    post: frozenset[str]

    def vector(self, text: str) -> dict[str, float]:
        """Occurrences times weight of each word; words that weigh nothing are left out."""
        counts = Counter(word for word in content_words(text) if word not in self.post)
        return {word: count * idf for word, count in counts.items() if (idf := self.weights.idf(word)) > 0}


def dice(reply: Vector, reference: Vector) -> float:
    """Dice's coefficient of two vectors, 0 to 1 (Salton and McGill, 1983): 2 ab / (aa + bb); 0 where both are empty.

    Unlike the cosine it falls where one text says much less than the other, so one well-chosen word earns little.
    """
    shared = math.fsum(value * reference.get(word, 0.0) for word, value in reply.items())
    squares = math.fsum(value * value for vector in (reply, reference) for value in vector.values())
    return 2 * shared / squares if squares else 0.0
