"""compute_score through a real Ray actor."""

import asyncio
import logging
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from reward_fns.coe_format import CoEOutput
from reward_fns.coe_reward import RESULT_KEYS, RewardUnavailableError, compute_score, main
from reward_fns.reward_model import ANSWER_MODES, Threshold, save_generic
from reward_fns.reward_worker import RewardWorkerConfig, start_reward_worker

QUESTION = "考试没有考好，很难过"


def by_hand(value: float) -> Threshold:
    return Threshold(value, "by hand", 0, 1.0, {}, {}, 1.0, slope=10.0, intercept=-5.0, margin=0.5)


def output(answer: str) -> str:
    return CoEOutput(("难过", "自责", "被理解", "先共情"), answer).render()


def score(text: str, question: str | None = QUESTION, **kwargs: object) -> dict[str, float]:
    info = None if question is None else {"question": question}
    return asyncio.run(compute_score("sample", text, "参考", info, **kwargs))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def worker_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reward-model")
    characters = sorted(set(QUESTION + "明天会下雨"))
    vocabulary = {token: index for index, token in enumerate(["[UNK]", *characters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=64)], device="cpu").save(
        str(folder), create_model_card=False
    )
    by_hand(0.6).save(folder)
    save_generic(folder, ["明天会下雨"])
    return folder


@pytest.fixture(scope="module")
def worker(worker_folder: Path) -> Iterator[object]:
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    yield start_reward_worker(RewardWorkerConfig(model=str(worker_folder)))
    ray.shutdown()


@pytest.mark.usefixtures("worker")
def test_a_close_answer_gets_both_rewards() -> None:
    result = score(output(QUESTION))
    assert tuple(result) == RESULT_KEYS
    assert result["score"] == 2.0
    assert result["cosine"] == pytest.approx(1.0, abs=1e-5)
    assert result["answer_chars"] == len(QUESTION)


@pytest.mark.usefixtures("worker")
def test_a_far_answer_gets_the_format_reward_only() -> None:
    result = score(output("明天会下雨"))
    assert (result["score"], result["format"], result["answer"]) == (1.0, 1.0, 0.0)


@pytest.mark.usefixtures("worker")
def test_only_the_text_inside_answer_is_read() -> None:
    text = output("明天会下雨").replace("难过", QUESTION)
    assert score(text)["cosine"] == pytest.approx(score(output("明天会下雨"))["cosine"], abs=1e-6)


@pytest.mark.usefixtures("worker")
def test_malformed_output_with_an_answer() -> None:
    result = score(f"<answer>{QUESTION}</answer>")
    assert (result["score"], result["format"], result["answer"]) == (1.0, 0.0, 1.0)


@pytest.mark.usefixtures("worker")
def test_no_answer_is_worth_nothing_and_keys_stay() -> None:
    result = score("没有标签")
    assert tuple(result) == RESULT_KEYS
    assert set(result.values()) == {0.0}


@pytest.mark.usefixtures("worker")
def test_components_beside_the_cosine() -> None:
    result = score(output(QUESTION))
    assert result["copy_overlap"] == 1.0
    assert result["distinct_1"] == pytest.approx(9 / 10)
    assert score(output("明天会下雨"))["copy_overlap"] == 0.0


@pytest.mark.usefixtures("worker")
def test_modes_pay_the_same_cosine_differently() -> None:
    close, far = output(QUESTION), output("明天会下雨")
    results = {mode: (score(close, mode=mode), score(far, mode=mode)) for mode in ANSWER_MODES}
    assert len({pair[0]["cosine"] for pair in results.values()}) == 1
    assert [pair[0]["answer"] > pair[1]["answer"] for pair in results.values()] == [True] * 3
    assert results["dense"][0]["answer"] == pytest.approx(1 / (1 + math.exp(-5)), abs=1e-4)
    # The far answer is the generic reply itself.
    assert results["margin"][1]["answer"] == 0.0
    assert all(tuple(result) == RESULT_KEYS for pair in results.values() for result in pair)


@pytest.mark.usefixtures("worker")
def test_partial_format_is_for_ablation_only() -> None:
    almost = output(QUESTION).replace("</L3>", "")
    assert score(almost)["format"] == 0.0
    assert score(almost, format_mode="partial")["format"] == pytest.approx(11 / 12)


@pytest.mark.parametrize("modes", [{"mode": "cosine"}, {"format_mode": "half"}])
def test_an_unknown_mode_is_an_error(modes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        score(output(QUESTION), **modes)


@pytest.mark.usefixtures("worker")
def test_the_command_prints_every_component(worker_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--question", QUESTION, "--answer", QUESTION, "--model", str(worker_folder), "--mode", "dense"])
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert tuple(printed) == (*RESULT_KEYS, "T")
    assert (printed["format"], printed["cosine"], printed["T"]) == ("0.0000", "1.0000", "0.6000")
    main(["--question", QUESTION, "--answer", output(QUESTION), "--model", str(worker_folder)])
    assert "score         2.0000" in capsys.readouterr().out


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make reward-model"):
        main(["--question", QUESTION, "--answer", "好", "--model", str(tmp_path)])


@pytest.mark.usefixtures("worker")
def test_many_callers_get_their_own_scores() -> None:
    async def ask() -> list[dict[str, float]]:
        texts = [output(QUESTION), output("明天会下雨")] * 100
        return await asyncio.gather(*(compute_score("s", text, None, {"question": QUESTION}) for text in texts))

    results = asyncio.run(ask())
    assert [result["score"] for result in results] == [2.0, 1.0] * 100


@pytest.mark.parametrize("question", [None, "", "  "])
def test_missing_question_is_an_error(question: str | None) -> None:
    with pytest.raises(ValueError, match="make data"):
        score(output(QUESTION), question)


@pytest.mark.usefixtures("worker")
def test_an_outage_raises_and_is_no_reward_of_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reward_fns.coe_reward.ACTOR_NAME", "nobody")
    with pytest.raises(RewardUnavailableError, match="2 attempts"):
        score(output(QUESTION), attempts=2, timeout_s=1.0)
