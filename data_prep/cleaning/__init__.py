"""Cleaning: texts mended and unfit responses and questions left out, by named rules that can be switched off."""

from data_prep.cleaning.cleaner import MIN_RESPONSE_CHARS, Change, CleanedQuestion, Cleaner
from data_prep.cleaning.rules import RULES

__all__ = ["MIN_RESPONSE_CHARS", "RULES", "Change", "CleanedQuestion", "Cleaner"]
