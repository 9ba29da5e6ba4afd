"""Questions of the sample with their chains as a scripted teacher writes them, a third of them spoilt at first."""

from typing import Any, Final

from common.records.question import Question
from data_prep.coe.checks import ChainChecks
from data_prep.coe.config import CheckConfig, CoEConfig
from data_prep.coe.drawing import Drawn, drawn
from data_prep.coe.measure import as_text
from data_prep.corpora import load_corpus

COUNT: Final = 30
ENGLISH: Final = "<L1>She is sad.</L1><L2>She thinks so.</L2><L3>Comfort.</L3><L4>Comfort her.</L4>"


def questions() -> list[Question]:
    """Of the sample, none at risk, whose own chains pass the checks."""
    own = [question for question in load_corpus(None).questions if not question.crisis][:70]
    good = checks(own)
    return [
        question for question in own if not any(good.problems(question.coe or (), question.post, question.responses[0]))
    ]


def order(own: list[Question]) -> list[Drawn]:
    """All of them in the order of the draw, each with its first response, for which its chain was written."""
    return drawn(own, CoEConfig(response="first"), 1, ())


def checks(own: list[Question]) -> ChainChecks:
    """With the limits of the profile."""
    return ChainChecks(
        [question.post for question in own], [text for question in own for text in question.responses], CheckConfig()
    )


def teacher_of(own: list[Drawn]) -> dict[str, list[str]]:
    """What the teacher writes, by post: every third chain is spoilt at first, every ninth each time."""
    texts = {}
    for number, item in enumerate(own):
        good = as_text(item.question.coe or ())
        bad = ENGLISH if number % 2 else good.replace("<L3>", "")
        texts[item.question.post] = [bad if number % 3 == 0 else good, bad if number % 9 == 0 else good]
    return texts


def config(url: str, **changes: Any) -> CoEConfig:
    """A teacher on this machine, asked without pauses."""
    keys: dict[str, Any] = {
        "base_url": url,
        "api_key_env": "",
        "teacher": "m",
        "chains": COUNT,
        "response": "first",
        "attempts": 2,
        "request": {"max_tokens": 300},
        "timeout_s": 1.0,
        "retries": 12,
        "backoff_s": 0.0,
        "longest_pause_s": 0.0,
        "concurrency": 1,
    }
    return CoEConfig(**{**keys, **changes})
