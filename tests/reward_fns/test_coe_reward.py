"""compute_score through a real Ray actor."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
import ray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from reward_fns.coe_format import CoEOutput
from reward_fns.coe_reward import RESULT_KEYS, RewardUnavailableError, compute_score
from reward_fns.reward_model import Threshold
from reward_fns.reward_worker import RewardWorkerConfig, start_reward_worker

QUESTION = "考试没有考好，很难过"


def output(answer: str) -> str:
    return CoEOutput(("难过", "自责", "被理解", "先共情"), answer).render()


def score(text: str, question: str | None = QUESTION, **kwargs: object) -> dict[str, float]:
    info = None if question is None else {"question": question}
    return asyncio.run(compute_score("sample", text, "参考", info, **kwargs))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    folder = tmp_path_factory.mktemp("reward-model")
    characters = sorted(set(QUESTION + "明天会下雨"))
    vocabulary = {token: index for index, token in enumerate(["[UNK]", *characters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=64)], device="cpu").save(
        str(folder), create_model_card=False
    )
    Threshold(0.6, "by hand", 0, 1.0, {}).save(folder)
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    yield start_reward_worker(RewardWorkerConfig(model=str(folder)))
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
