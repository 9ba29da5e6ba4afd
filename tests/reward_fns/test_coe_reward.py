"""compute_score through a real Ray actor."""

import asyncio
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from reward_fns.coe_format import CoEOutput
from reward_fns.coe_reward import RewardUnavailableError, compute_score, main
from reward_fns.components import RESULT_KEYS, WAIT
from reward_fns.judgement import Judgement
from reward_fns.reward_model import RewardModel, Threshold, save_generic
from reward_fns.reward_worker import RewardWorker, RewardWorkerConfig, replica_of, start_reward_workers

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
def worker(worker_folder: Path) -> Iterator[Any]:
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    (actor,) = start_reward_workers(RewardWorkerConfig(model=str(worker_folder), cached_questions=2))
    yield actor
    ray.shutdown()


@pytest.mark.usefixtures("worker")
def test_a_close_answer_gets_both_rewards() -> None:
    result = score(output(QUESTION))
    assert tuple(result) == (*RESULT_KEYS, WAIT)
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
    assert tuple(result) == (*RESULT_KEYS, WAIT)
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
    results = {mode: (score(close, mode=mode), score(far, mode=mode)) for mode in ("threshold", "dense", "margin")}
    assert len({pair[0]["cosine"] for pair in results.values()}) == 1
    assert [pair[0]["answer"] > pair[1]["answer"] for pair in results.values()] == [True] * 3
    assert results["dense"][0]["answer"] == pytest.approx(1 / (1 + math.exp(-5)), abs=1e-4)
    # The far answer is the generic reply itself.
    assert results["margin"][1]["answer"] == pytest.approx(0.0, abs=1e-6)
    assert all(tuple(result) == (*RESULT_KEYS, WAIT) for pair in results.values() for result in pair)


@pytest.mark.usefixtures("worker")
def test_partial_format_is_for_ablation_only() -> None:
    almost = output(QUESTION).replace("</L3>", "")
    assert score(almost)["format"] == 0.0
    assert score(almost, format_mode="partial")["format"] == pytest.approx(11 / 12)


@pytest.mark.usefixtures("worker")
def test_without_a_format_the_whole_reply_is_read() -> None:
    """Section 4.3.2: the reward of the model without CoE ends at 1."""
    assert score(QUESTION, format_mode="none")["score"] == 1.0
    assert score(QUESTION)["score"] == 0.0
    assert score("明天会下雨", format_mode="none")["score"] == 0.0
    for nothing in (" \n", output(QUESTION), f"{QUESTION}</answer>"):
        result = score(nothing, format_mode="none")
        assert (result["score"], result["cosine"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"mode": "cosine"}, "mode=cosine: expected one of"), ({"max_coppy": 0.4}, "max_coppy: no such option")],
)
def test_an_option_that_is_none_is_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score(output(QUESTION), **options)


@pytest.mark.usefixtures("worker")
def test_what_verl_s_reward_loop_adds_is_no_option() -> None:
    added = {"reward_router_address": "127.0.0.1:1", "reward_model_tokenizer": None}
    assert score(output(QUESTION), **added)["score"] == 2.0


@pytest.mark.usefixtures("worker")
def test_guards_reach_the_reward() -> None:
    guarded = score(output(QUESTION), max_copy=0.5)
    assert (guarded["answer"], guarded["copy_overlap"], guarded["distinct_2"]) == (0.0, 1.0, 1.0)


@pytest.mark.usefixtures("worker")
def test_the_command_prints_every_component(worker_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--question", QUESTION, "--answer", QUESTION, "--model", str(worker_folder), "--mode", "dense"])
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert tuple(printed) == (*RESULT_KEYS, "T")
    assert (printed["format"], printed["cosine"], printed["T"]) == ("0.0000", "1.0000", "0.6000")
    main(["--question", QUESTION, "--answer", output(QUESTION), "--model", str(worker_folder)])
    assert "score         2.0000" in capsys.readouterr().out
    main(["--question", QUESTION, "--answer", QUESTION, "--model", str(worker_folder), "--max-copy", "0.5"])
    assert "answer        0.0000" in capsys.readouterr().out


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    given = ["--question", QUESTION, "--answer", "好", "--model", str(tmp_path)]
    with pytest.raises(SystemExit, match="make reward-model"):
        main(given)
    with pytest.raises(SystemExit, match="mode=cosine: expected one of threshold"):
        main([*given, "--mode", "cosine"])


@pytest.mark.usefixtures("worker")
def test_many_callers_get_their_own_scores(worker: Any) -> None:
    async def ask() -> list[dict[str, float]]:
        texts = [output(QUESTION), output("明天会下雨")] * 100
        return await asyncio.gather(*(compute_score("s", text, None, {"question": QUESTION}) for text in texts))

    results = asyncio.run(ask())
    assert [result["score"] for result in results] == [2.0, 1.0] * 100
    counters = ray.get(worker.counters.remote())
    assert counters["pairs"] >= 200
    assert 1 < counters["largest_batch"] <= 64
    assert counters["batches"] < counters["pairs"]
    assert counters["question_hits"] > 0
    assert counters["expired"] == 0


@pytest.mark.parametrize("question", [None, "", "  "])
def test_missing_question_is_an_error(question: str | None) -> None:
    with pytest.raises(ValueError, match="make data"):
        score(output(QUESTION), question)


@pytest.mark.usefixtures("worker")
def test_an_outage_raises_and_is_no_reward_of_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("reward_fns.coe_reward.NAMESPACE", "nowhere")
    told = tmp_path / "outage.txt"
    with pytest.raises(RewardUnavailableError, match="2 attempts"):
        score(output(QUESTION), attempts=2, timeout_s=1.0, outage_file=str(told))
    assert "did not answer" in told.read_text(encoding="utf-8")


@pytest.mark.usefixtures("worker")
def test_a_killed_worker_is_started_again_and_calls_are_answered(worker: Any) -> None:
    for _ in range(2):
        before = score(output(QUESTION))
        ray.kill(worker, no_restart=False)
        after = score(output(QUESTION), timeout_s=60.0)
        # It waits for the new worker, and is paid the same.
        assert after.pop(WAIT) > before.pop(WAIT)
        assert after == pytest.approx(before)


@pytest.mark.usefixtures("worker")
def test_replicas_share_the_questions(worker_folder: Path) -> None:
    config = RewardWorkerConfig(model=str(worker_folder), replicas=0)
    with pytest.raises(ValueError, match="replicas=0"):
        start_reward_workers(config)
    assert {replica_of(f"{QUESTION}{number}", 3) for number in range(50)} == {0, 1, 2}
    assert replica_of(QUESTION, 3) == replica_of(QUESTION, 3)
    # With two replicas half of the questions go to one that does not run here.
    other = next(f"{QUESTION}{n}" for n in range(50) if replica_of(f"{QUESTION}{n}", 2) == 1)
    with pytest.raises(RewardUnavailableError, match="coe_reward_model_1"):
        score(output(QUESTION), question=other, replicas=2, attempts=1, timeout_s=5.0)


def test_a_full_queue_makes_callers_wait_and_late_pairs_are_dropped(worker_folder: Path) -> None:
    worker = RewardWorker(RewardWorkerConfig(model=str(worker_folder), max_batch=2, max_queue=3, max_wait_ms=1))
    answers = [f"{QUESTION}{'下雨' * number}" for number in range(20)]

    async def ask() -> tuple[list[Judgement], dict[str, float]]:
        judgements = await asyncio.gather(*(worker.judge(QUESTION, answer, 60.0) for answer in answers))
        with pytest.raises(TimeoutError, match="deadline"):
            await worker.judge(QUESTION, QUESTION, -1.0)
        return judgements, await worker.counters()

    judgements, counters = asyncio.run(ask())
    expected = RewardModel(worker_folder).cosines([QUESTION] * 20, answers)
    assert [judgement.cosine for judgement in judgements] == pytest.approx(expected, abs=1e-5)
    assert (counters["pairs"], counters["largest_batch"], counters["expired"]) == (20, 2, 1)
    assert counters["longest_queue"] <= 3


def test_the_cache_of_questions_forgets_the_oldest(worker_folder: Path) -> None:
    model = RewardModel(worker_folder, cached=2)
    first = model.cosines(["明天", "会", "明天"], ["下雨", "下雨", "难过"])
    assert model.hits == 0
    assert model.cosines(["明天", "会", "明天"], ["下雨", "下雨", "难过"]) == pytest.approx(first)
    assert model.hits == 2
    model.cosines(["考", "试"], ["好", "好"])
    model.cosines(["明天"], ["下雨"])
    assert model.hits == 2
