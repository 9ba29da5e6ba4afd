"""Whether a layer that should understand gives advice: says what to do, and not what somebody believes or hopes."""

from data_prep.coe.advice.model import Advice

__all__ = ["Advice"]
