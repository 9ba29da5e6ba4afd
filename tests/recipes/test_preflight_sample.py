"""The sample of `make preflight`: asked as a rollout is, judged as verl is told, and a line for each thing it shows."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from omegaconf import DictConfig
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from common.decisions import read_decisions
from common.errors import StageError
from common.records.replies import Reply, append_replies
from recipes import preflight
from recipes.grpo_config import compose_config
from recipes.preflight_checks import Line
from recipes.preflight_sample import judge, outcome_lines, sample_lines
from recipes.profile import Common
from reward_fns import coe_reward
from reward_fns.coe_format import CoEOutput
from reward_fns.components import RESULT_KEYS
from reward_fns.judgement import Judgement
from reward_fns.options import RewardOptions
from reward_fns.reward_model import RewardModel, Threshold, save_generic
from tests.recipes.made import DECIDED, make_stage

QUESTION = "考试没有考好，很难过"


def output(answer: str) -> str:
    return CoEOutput(("难过", "自责", "被理解", "先共情"), answer).render()


NEAR, FAR, BROKEN = output(QUESTION), output("明天会下雨"), "没有格式"


def write_reward_model(folder: Path) -> None:
    characters = sorted(set(QUESTION + "明天会下雨"))
    tokenizer = Tokenizer(models.WordLevel({text: i for i, text in enumerate(["[UNK]", *characters])}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    encoder = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=64)], device="cpu")
    encoder.save(str(folder), create_model_card=False)
    Threshold(0.6, "by hand", 0, 1.0, {}, {}, 1.0, slope=10.0, intercept=-5.0, margin=0.5).save(folder)
    save_generic(folder, ["明天会下雨"])


def write_prompts(folder: Path) -> None:
    chat = [{"role": "system", "content": DECIDED.system_prompt}, {"role": "user", "content": QUESTION}]
    rows = [{"prompt": chat, "extra_info": {"question_id": f"q{n}", "question": QUESTION}} for n in range(6)]
    pd.DataFrame(rows).to_parquet(folder / "grpo_train.parquet")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_stage(tmp_path, "data", write_prompts)
    make_stage(tmp_path, "sft", lambda folder: (folder / "config.json").write_text("{}"))
    make_stage(tmp_path, "reward-model", write_reward_model)
    return tmp_path


def lines(root: Path, count: int, *overrides: str) -> list[Line]:
    common = Common("tiny", str(root), "base")
    decided = read_decisions(root)
    config: DictConfig = compose_config("tiny", root, 42, decided, overrides)
    return list(sample_lines(common, config, decided, count))


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What vLLM is asked; each prompt gets two near answers, a far one and a broken one, the first four broken ones."""
    found: list[dict[str, Any]] = []

    def answer(name: str, command: list[str], log: Path, limits: Any, **more: Any) -> None:
        request = json.loads(Path(command[-1]).read_text(encoding="utf-8"))
        asked = pd.read_parquet(request["test"])
        found.append({**request, "prompts": asked})
        texts = [[BROKEN] * 4, *[[NEAR, NEAR, FAR, BROKEN]] * (len(asked) - 1)]
        append_replies(
            Path(request["replies"]),
            [
                Reply(question, sample, text, tokens=100 + sample)
                for question, own in zip(asked["id"], texts, strict=True)
                for sample, text in enumerate(own)
            ],
        )

    monkeypatch.setattr("eval.generation.run.run_watched", answer)
    return found


def test_prompts_of_grpo_are_asked_as_in_a_rollout(root: Path, requests: list[dict[str, Any]]) -> None:
    found = lines(root, 4, "actor_rollout_ref.rollout.top_p=0.9")
    (request,) = requests
    assert request["model"] == str(root / "sft")
    assert request["system"] == DECIDED.system_prompt
    assert request["samples"] == 4
    assert request["sampling"] == {"temperature": 1.0, "max_tokens": 448, "top_p": 0.9, "top_k": -1}
    assert request["template_kwargs"] == {"enable_thinking": False}
    assert request["engine"]["max_model_len"] == 896
    assert len(request["prompts"]) == 4
    assert set(request["prompts"]["question"]) == {QUESTION}
    assert [(one.level, one.found) for one in found] == [
        ("ok", "format: 56.2% of 16 outputs are valid"),
        ("ok", "reward: 0.94 on average, 2 at most"),
        ("ok", "groups: 25.0% of 4 tie and teach nothing; standard deviation within a group 0.72"),
        ("ok", "responses: 102 tokens in the middle, 103 at 99 %, 448 at most, 0.0% cut there"),
    ]
    # More than there are: all of them.
    lines(root, 64)
    assert len(requests[1]["prompts"]) == 6


@pytest.mark.parametrize(("stage", "target"), [("sft", "make sft"), ("reward-model", "make reward-model")])
def test_a_missing_stage_is_named(stage: str, target: str, root: Path, requests: list[dict[str, Any]]) -> None:
    (root / stage / "manifest.json").unlink()
    (one,) = lines(root, 4)
    assert (one.level, one.remedy) == ("stop", target)
    assert f"{stage} is not finished" in one.found
    assert requests == []


def test_a_reward_of_the_user_s_own_is_not_guessed(root: Path, requests: list[dict[str, Any]], tmp_path: Path) -> None:
    (own := tmp_path / "own.py").write_text("def compute_score(**_): return 0.0\n")
    (root / "reward-model" / "manifest.json").unlink()
    levels = [one.level for one in lines(root, 4, f"reward.custom_reward_function.path={own}")]
    assert levels == ["warning", "ok", "ok"]
    assert len(requests) == 1


@pytest.mark.parametrize("mode", ["threshold", "dense"])
def test_the_judgement_is_what_verl_is_told(mode: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, options = RewardModel(root / "reward-model"), RewardOptions.of({"mode": mode})
    texts = [NEAR, FAR, BROKEN, f"<answer>{QUESTION}</answer>"]
    found = judge([Reply("q", n, text) for n, text in enumerate(texts)], {"q": QUESTION}, model, options)

    async def ask(question: str, answer: str, _: RewardOptions) -> Judgement:
        return model.judge([question], [answer])[0]

    monkeypatch.setattr(coe_reward, "ask_worker", ask)
    for text, row in zip(texts, found, strict=True):
        told = asyncio.run(coe_reward.compute_score("sample", text, None, {"question": QUESTION}, mode=mode))
        assert row == pytest.approx({key: told[key] for key in RESULT_KEYS})
    assert [row["format"] for row in found] == [1.0, 1.0, 0.0, 0.0]


def outcome(texts: Sequence[str], scores: Sequence[float], tokens: int = 100, chains: bool = True) -> dict[str, Line]:
    """The lines by their first word, of groups of two."""
    replies = [Reply(str(n // 2), n % 2, text, tokens=tokens) for n, text in enumerate(texts)]
    found = outcome_lines(replies, [{"score": score} for score in scores], 200, 0.95, chains)
    return {one.found.partition(":")[0]: one for one in found}


@pytest.mark.parametrize(
    ("texts", "scores", "tokens", "levels"),
    [
        ([NEAR, BROKEN], [2, 0], 100, ("ok", "ok", "ok", "ok")),
        ([BROKEN] * 2, [1, 0], 100, ("stop", "ok", "ok", "ok")),
        ([NEAR, *[BROKEN] * 11], [1, 0] * 6, 100, ("warning", "ok", "ok", "ok")),
        ([NEAR] * 4, [2, 0, 1, 1], 100, ("ok", "ok", "ok", "ok")),
        ([NEAR] * 6, [2, 0, 1, 1, 1, 1], 100, ("ok", "ok", "warning", "ok")),
        ([NEAR] * 4, [0] * 4, 100, ("ok", "ok", "stop", "ok")),
        ([NEAR] * 4, [2] * 4, 100, ("ok", "warning", "stop", "ok")),
        ([NEAR, FAR], [2, 1], 200, ("ok", "ok", "ok", "stop")),
    ],
)
def test_each_line_has_its_bounds(texts: list[str], scores: list[float], tokens: int, levels: tuple[str, ...]) -> None:
    found = outcome(texts, scores, tokens)
    assert tuple(found[name].level for name in ("format", "reward", "groups", "responses")) == levels
    assert all(bool(one.remedy) == (one.level != "ok") for one in found.values())


def test_without_chains_there_is_no_format_to_look_at() -> None:
    found = outcome(["嗯。"] * 4, [1, 0, 1, 1], chains=False)
    assert "format" not in found
    assert found["reward"].found == "reward: 0.75 on average, 1 at most"


def test_outputs_alone_are_no_group() -> None:
    replies = [Reply(str(n), 0, NEAR) for n in range(3)]
    found = {one.found: one.level for one in outcome_lines(replies, [{"score": 1.0}] * 3, 200, 0.95, True)}
    assert found["groups: of one output each, which have no advantage"] == "stop"


def test_nothing_is_generated_while_a_line_says_stop(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preflight, "_lines", lambda *_: iter([Line("stop", "no", "do")]))
    monkeypatch.setattr(preflight, "sample_lines", lambda *_: pytest.fail("generated"))
    with pytest.raises(SystemExit):
        preflight.preflight(["profile=tiny", f"out={root}", "sample=4"])
    assert "2 checks: 1 stop, 1 warn." in capsys.readouterr().out
    with pytest.raises(StageError, match="sample=0: expected 1 or more, or null for none"):
        preflight.preflight(["profile=tiny", f"out={root}", "sample=0"])
