"""The two ways to score a reply against human references, and the signature that says which one a figure is of.

``zh`` is right for Chinese and is the headline. ``paper`` is for comparing with the paper's tables: its ROUGE-L is
google's rouge_score, which drops all but a to z and 0 to 9 and so sees the list numbers of a Chinese reply and nothing
else. The defect is reproduced on purpose; a figure of one protocol never stands beside one of the other.

Each reply is scored against each of a question's references alone, and the policy sums up: no n-gram is clipped by all
references at once, as sacrebleu does, and the best is taken only where the policy says so, as nltk's METEOR does.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

from common.code import REPO, code_identity
from eval.metrics.overlap import Pair, bleu_1, distinct_1, meteor, rouge_l
from eval.metrics.tfidf import Beyond, Vector, dice
from eval.metrics.tfidf import signature as tfidf_signature
from eval.metrics.tokens import NORMALISATION, TOKENIZERS, Tokens, tokenizer_version

ProtocolName = Literal["zh", "paper"]
Policy = Literal["mean", "best"]
POLICIES: Final = get_args(Policy)

# The four of the paper (section 4.1.4), of which NAvg is the mean; every protocol has them.
METRICS: Final = ("bleu_1", "rouge_l", "meteor", "distinct_1")

# Of zh alone, over a test set's references and beyond the post: see `eval.metrics.tfidf`.
TFIDF: Final = "tfidf"


@dataclass(frozen=True, slots=True)
class Metric:
    """How one figure is worked out.

    Attributes:
        function: of a reply and one reference.
        tokens: what both are cut into, a key of `eval.metrics.tokens.TOKENIZERS`.
        alone: it looks at the reply alone, so one reference is as good as all.
    """

    function: Callable[[Pair], float]
    tokens: str = "char"
    alone: bool = False


# Protocol → figure → metric. The first four are the paper's.
PROTOCOLS: Final[dict[ProtocolName, dict[str, Metric]]] = {
    "zh": {
        "bleu_1": Metric(bleu_1),
        "rouge_l": Metric(rouge_l),
        "meteor": Metric(meteor),
        "distinct_1": Metric(distinct_1, alone=True),
        "rouge_l_words": Metric(rouge_l, "word"),
        "meteor_words": Metric(meteor, "word"),
    },
    "paper": {
        "bleu_1": Metric(bleu_1),
        "rouge_l": Metric(rouge_l, "latin"),
        "meteor": Metric(meteor),
        "distinct_1": Metric(distinct_1, alone=True),
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
    def signature(self) -> str:
        """All that a figure depends on beside the texts, in the manner of sacrebleu; equal ones may be compared."""
        parts: dict[str, list[str]] = {}
        for metric in PROTOCOLS[self.name].values():
            parts.setdefault(metric.function.__name__, []).append(tokenizer_version(metric.tokens))
        shown = "|".join(f"{metric}:{'+'.join(names)}" for metric, names in parts.items())
        shown += f"|{tfidf_signature()}" if self.weighs else ""
        return f"protocol:{self.name}|refs:{self.policy}|{shown}|norm:{NORMALISATION}|case:mixed|code:{code_version()}"

    @property
    def weighs(self) -> bool:
        """Whether it has the figure `TFIDF`: the paper has none, and `paper` repeats the paper."""
        return self.name == "zh"

    def prepare(self, references: Sequence[str], beyond: Beyond | None = None) -> "References":
        """One question's references, tokenized once for all its replies.

        Args:
            references: the texts.
            beyond: of the question's post; without it `score` gives no `TFIDF`.

        Raises:
            ValueError: no reference, or a blank one.
        """
        if not references or not all(reference.strip() for reference in references):
            raise ValueError(f"{len(references)} references, blank ones among them or none at all; expected texts")
        kinds = {metric.tokens for metric in PROTOCOLS[self.name].values()}
        tokens = {kind: [Tokens.of(TOKENIZERS[kind](text)) for text in references] for kind in kinds}
        if beyond is None or not self.weighs:
            return References(tokens)
        return References(tokens, beyond, [beyond.vector(text) for text in references])

    def score(self, reply: str, references: "References") -> dict[str, float]:
        """The protocol's figures and navg of one reply, each 0 to 1; zeros for an empty one.

        With a post to go beyond, see `prepare`, `TFIDF` too.

        Args:
            reply: what a person would be shown, without tags and reasoning.
            references: of `prepare`, by the same protocol.
        """
        pairs: dict[str, list[Pair]] = {}
        for kind, others in references.tokens.items():
            tokens = Tokens.of(TOKENIZERS[kind](reply))
            pairs[kind] = [Pair(tokens, other) for other in others]
        scores = {
            figure: metric.function(pairs[metric.tokens][0])
            if metric.alone
            else self._over(map(metric.function, pairs[metric.tokens]))
            for figure, metric in PROTOCOLS[self.name].items()
        }
        if references.beyond:
            vector = references.beyond.vector(reply)
            scores[TFIDF] = self._over(dice(vector, other) for other in references.vectors)
        return {**scores, "navg": navg(scores)}

    def _over(self, values: Iterable[float]) -> float:
        found = list(values)
        return max(found) if self.policy == "best" else math.fsum(found) / len(found)


@dataclass(frozen=True, slots=True)
class References:
    """One question's references.

    Attributes:
        tokens: by kind of token.
        beyond: what makes vectors of replies; None where there is no `TFIDF`.
        vectors: of the references.
    """

    tokens: dict[str, list[Tokens]]
    beyond: Beyond | None = None
    vectors: Sequence[Vector] = ()


def navg(scores: Mapping[str, float]) -> float:
    """The paper's normalised average: the plain mean of the four metrics (it recomputes every printed row)."""
    return math.fsum(scores[name] for name in METRICS) / len(METRICS)


@cache
def code_version(root: Path = REPO) -> str:
    """Eight digits that change with what the metrics do, and not with their formatting or docstrings.

    Args:
        root: of the packages.
    """
    own = Path("eval", "metrics")
    identity = code_identity(root / own / "protocols.py", root=root)
    told = "".join(f"{name} {digest}\n" for name, digest in identity.items() if Path(name).is_relative_to(own))
    return hashlib.sha256(told.encode()).hexdigest()[:8]
