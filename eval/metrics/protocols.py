"""The two ways to score a reply against human references, and the signature that says which one a figure is of.

``zh`` is right for Chinese and is the headline. ``paper`` is for comparing with the paper's tables: its ROUGE-L is
google's rouge_score, which drops all but a to z and 0 to 9 and so sees the list numbers of a Chinese reply and nothing
else. The defect is reproduced on purpose; a figure of one protocol never stands beside one of the other.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal, get_args

from eval.metrics import overlap
from eval.metrics.tokens import TOKENIZERS, Tokens, distinct_1, tokenizer_version

ProtocolName = Literal["zh", "paper"]
Policy = Literal["mean", "best"]
POLICIES: Final = get_args(Policy)

METRICS: Final = ("bleu_1", "rouge_l", "meteor", "distinct_1")
"""The four of the paper (section 4.1.4), of which NAvg is the mean; every protocol has them."""

# Protocol → figure → metric and tokens. The first four are the paper's.
PROTOCOLS: Final[dict[ProtocolName, dict[str, tuple[str, str]]]] = {
    "zh": {
        "bleu_1": ("bleu_1", "char"),
        "rouge_l": ("rouge_l", "char"),
        "meteor": ("meteor", "char"),
        "distinct_1": ("distinct_1", "char"),
        "rouge_l_words": ("rouge_l", "word"),
        "meteor_words": ("meteor", "word"),
    },
    "paper": {
        "bleu_1": ("bleu_1", "char"),
        "rouge_l": ("rouge_l", "latin"),
        "meteor": ("meteor", "char"),
        "distinct_1": ("distinct_1", "char"),
    },
}


@dataclass(frozen=True, slots=True)
class Protocol:
    """How replies are scored.

    Attributes:
        name: "zh" or "paper".
        policy: over a question's references, the arithmetic "mean" (section 4.1.1, the paper's) or the "best" value.
    """

    name: ProtocolName = "zh"
    policy: Policy = "mean"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: an unknown protocol or policy.
        """
        if self.name not in PROTOCOLS:
            raise ValueError(f"protocol {self.name!r}, expected one of {sorted(PROTOCOLS)}")
        if self.policy not in POLICIES:
            raise ValueError(f"reference policy {self.policy!r}, expected one of {list(POLICIES)}")

    @property
    def figures(self) -> tuple[str, ...]:
        """What `score` gives, in order."""
        return (*PROTOCOLS[self.name], "navg")

    @property
    def signature(self) -> str:
        """All that a figure depends on beside the texts, in the manner of sacrebleu; equal ones may be compared."""
        parts: dict[str, list[str]] = {}
        for metric, tokens in PROTOCOLS[self.name].values():
            parts.setdefault(metric, []).append(tokenizer_version(tokens))
        shown = "|".join(f"{metric}:{'+'.join(names)}" for metric, names in parts.items())
        return f"protocol:{self.name}|refs:{self.policy}|{shown}|case:mixed|version:{version('empathy-r1-open')}"

    def prepare(self, references: Sequence[str]) -> "References":
        """One question's references, tokenized once for all its replies.

        Raises:
            ValueError: no reference, or a blank one.
        """
        if not references or not all(reference.strip() for reference in references):
            raise ValueError(f"{len(references)} references, blank ones among them or none at all; expected texts")
        kinds = {tokens for _, tokens in PROTOCOLS[self.name].values()}
        return References({kind: [Tokens.of(TOKENIZERS[kind](text)) for text in references] for kind in kinds})

    def score(self, reply: str, references: "References") -> dict[str, float]:
        """All `figures` of one reply, each 0 to 1; zeros for an empty one.

        Args:
            reply: what a person would be shown, without tags and reasoning.
            references: of `prepare`, by the same protocol.
        """
        tokens = {kind: Tokens.of(TOKENIZERS[kind](reply)) for kind in references.tokens}
        pairs = {
            kind: [_compare(tokens[kind], other) for other in others] for kind, others in references.tokens.items()
        }
        scores = {
            figure: distinct_1(tokens[kind].text)
            if metric == "distinct_1"
            else self._over(pair[metric] for pair in pairs[kind])
            for figure, (metric, kind) in PROTOCOLS[self.name].items()
        }
        return {**scores, "navg": navg(scores)}

    def _over(self, values: Iterable[float]) -> float:
        found = list(values)
        return max(found) if self.policy == "best" else math.fsum(found) / len(found)


@dataclass(frozen=True, slots=True)
class References:
    """One question's references by kind of token."""

    tokens: dict[str, list[Tokens]]


def navg(scores: Mapping[str, float]) -> float:
    """The paper's normalised average: the plain mean of the four metrics (it recomputes every printed row)."""
    return math.fsum(scores[name] for name in METRICS) / len(METRICS)


def _compare(reply: Tokens, reference: Tokens) -> dict[str, float]:
    alignment = overlap.align(reply, reference)
    lengths = len(reply.text), len(reference.text)
    return {
        "bleu_1": overlap.bleu_1(alignment, *lengths),
        "rouge_l": overlap.rouge_l(reply, reference),
        "meteor": overlap.meteor(alignment, *lengths),
    }
