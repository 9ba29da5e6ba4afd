"""The options of the reward: what verl's function, the command, the probes and `make grpo`'s check have in common.

A new guard is one line of `Guards`: it is then an option of verl's function, of the command and of the probes. What it
measures, where that is new, is added to `components.MEASURES`. Nothing here loads an encoder, torch or Ray, so that a
recipe can check options before it starts anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from common.settings import check, limited, one_of
from reward_fns.coe_format import extract_answer, whole_reply

# How the cosine becomes r_answer, see `reward_model.Judgement`.
AnswerMode = Literal["threshold", "dense", "margin"]

# How r_format is paid, the keys of `coe_format.FORMAT_REWARDS`.
FormatMode = Literal["exact", "partial", "none"]


@dataclass(frozen=True)
class Guards:
    """Limits beside the cosine that an answer has to keep to be paid for: against parroting, repetition and padding.

    All are off (None) by default, as in the paper. `make reward-probes` shows what each one stops, and what genuine
    answers lose. A guard's name begins with ``max_`` or ``min_``; its measure is one of `components.MEASURES`.

    Attributes:
        max_copy: largest share of the answer's pairs of neighbouring characters that may stand in the question.
        min_distinct_2: least share of distinct ones among these pairs, 0 to 1.
        min_chars, max_chars: shortest and longest answer, in characters.
    """

    min_chars: int | None = limited(None, 0, measure="answer_chars")
    max_chars: int | None = limited(None, 0, measure="answer_chars")
    max_copy: float | None = limited(None, 0, 1, measure="copy_overlap")
    min_distinct_2: float | None = limited(None, 0, 1, measure="distinct_2")

    def __post_init__(self) -> None:
        """Stop at an option that cannot be one.

        Raises:
            ValueError: names it.
        """
        check(self)

    def refuse(self, measures: Mapping[str, float]) -> str:
        """The first limit that an answer with these measures breaks, by its name; "" where it keeps all."""
        for option in fields(Guards):
            limit, found = getattr(self, option.name), measures[option.metadata["measure"]]
            if limit is not None and (found > limit if option.name.startswith("max_") else found < limit):
                return option.name
        return ""


@dataclass(frozen=True)
class RewardOptions(Guards):
    """Everything that can be chosen of the reward.

    Attributes:
        mode: how r_answer follows from the cosine, see `reward_model.Judgement`; the paper's is "threshold".
        format_mode: "exact" (Eq. 4), "partial" for ablation, see `coe_format.partial_format_reward`, or "none" for the
            model without CoE (section 4.3.2): no r_format, and r_answer is read on the whole reply.
        replicas: how many reward workers there are.
        timeout_s: longest wait for the worker, each attempt, in seconds.
        attempts: how often the worker is asked before giving up.
        outage_file: written when the worker does not answer. verl goes on without the outputs whose reward raises an
            error, so who started verl has to look for it and end the run (`recipes.grpo`).
    """

    mode: AnswerMode = field(default="threshold", metadata=one_of(get_args(AnswerMode)))
    format_mode: FormatMode = field(default="exact", metadata=one_of(get_args(FormatMode)))
    replicas: int = limited(1, 1)
    timeout_s: float = limited(60.0, 0.1)
    attempts: int = limited(5, 1)
    outage_file: str | None = None

    def answer_of(self, output: str) -> str | None:
        """The part of an output that r_answer is read on; None where there is none."""
        return whole_reply(output) if self.format_mode == "none" else extract_answer(output)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "RewardOptions":
        """From ``reward_kwargs`` or whatever else names options.

        Raises:
            ValueError: a key that is none, so that a misspelt guard is never passed over, or a value that cannot be.
        """
        known = [option.name for option in fields(cls)]
        if unknown := [key for key in values if key not in known]:
            raise ValueError(f"{unknown[0]}: no such option of the reward. Known: {', '.join(known)}.")
        return cls(**values)
