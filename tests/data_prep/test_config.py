"""The keys of `make data`: what is refused, and that the defaults are the paper's."""

from typing import Any

import pytest

from data_prep.config import DataConfig


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("prompt", "cot", "one of coe, plain"),
        ("data_source", " ", "a name"),
        ("sft_samples", 0, "1 or more"),
        ("test_size", 0, "1 or more"),
        ("val_size", 0, "1 or more"),
        ("grpo_prompts", 0, "1 or more, or null for all"),
        ("heldout_fraction", 1.0, "a share above 0 and below 1"),
        ("heldout_fraction", 0.0, "a share above 0 and below 1"),
        ("max_prompt_tokens", 0, "1 or more"),
        ("max_response_tokens", -1, "1 or more"),
        ("min_response_chars", -1, "0 or more"),
        ("generic_questions", 1, "2 or more"),
        ("workers", 0, "1 or more, or null for one a core"),
        ("engine", "spark", "one of local, ray"),
        ("question_threshold", 0.1, "0.4 to 1"),
        ("response_threshold", 1.1, "0.4 to 1"),
        ("max_bad_records", 1.0, "a share of 0 or more and below 1"),
    ],
)
def test_config_is_checked(key: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=f"{key}={value}: expected {expected}"):
        DataConfig(**{key: value})


@pytest.mark.parametrize(
    ("key", "names", "known"), [("mask", ["电话", "手机"], "邮箱"), ("cleaning_off", ["link"], "urls")]
)
def test_unknown_names_in_lists(key: str, names: Any, known: str) -> None:
    with pytest.raises(ValueError, match=rf"{key}=.*'{names[-1]}'\]: expected some of .*{known}"):
        DataConfig(**{key: names})


def test_defaults_are_the_papers() -> None:
    config = DataConfig()
    assert (config.seed, config.sft_samples, config.test_size) == (42, 200, 2000)
    assert (config.max_prompt_tokens, config.max_response_tokens, config.min_response_chars) == (1024, 1024, 100)
    assert config.template_kwargs == {"enable_thinking": False}
    assert config.grpo_prompts is None
