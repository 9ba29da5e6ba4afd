"""`make eval` scores what `make generate` left and generates nothing."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from common.errors import StageError
from common.records.replies import GeneratedModel, Reply, read_models, write_models, write_replies
from eval.results import Result
from eval.sources import sources
from recipes import report
from recipes.eval import RECIPE
from recipes.stage import run
from reward_fns.coe_format import CoEOutput
from reward_fns.reward_model import GENERIC_FILE, Threshold
from tests.recipes.made import make_stage

OWN = {"SFT": "sft", "SFT+GRPO": "grpo"}
GOOD = CoEOutput(("难过", "自责", "被理解", "先共情"), "听起来你这段时间很难过。").render()


class RewardModel:
    """Cosines without an encoder."""

    def __init__(self, folder: Path, device: str) -> None:
        self.threshold = Threshold.load(folder)

    def cosines(self, questions: Sequence[str], answers: Sequence[str]) -> list[float]:
        return [0.5] * len(answers)


def write_test(folder: Path) -> None:
    rows = [
        {"id": f"q{n}", "title": "标题", "description": "来信", "question": "来信", "topic": "职场", "crisis": n == 0}
        | {"test_set": "sample", "risk_level": "none", "risks": [], "references": ["你一定很难过。"]}
        for n in range(4)
    ]
    pd.DataFrame(rows).to_parquet(folder / "test.parquet")


def write_model(folder: Path) -> None:
    (folder / "config.json").write_text(folder.name)
    Threshold(0.2, "Youden", 4, 0.9, {}, {}, 0.8, 10.0, -2.0, 0.3).save(folder)
    (folder / GENERIC_FILE).write_text('["嗯。"]')


def write_generated(folder: Path) -> None:
    texts = {"SFT": ("coe", "乱码"), "SFT+GRPO": ("coe", GOOD), "other": ("plain", "抱抱你。")}
    models = [GeneratedModel(name, f"{n}.jsonl", kind) for n, (name, (kind, _)) in enumerate(texts.items())]  # type: ignore[arg-type]
    for model in models:
        write_replies(folder / model.file, [Reply(f"q{n}", 0, texts[model.name][1]) for n in range(4)])
    write_models(folder, models)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("recipes.eval.RewardModel", RewardModel)
    make_stage(tmp_path, "data", write_test)
    for name in ("sft", "grpo", "reward-model", "heldout-reward-model"):
        make_stage(tmp_path, name, write_model)
    (tmp_path / "grpo" / "metrics.jsonl").write_text('{"step": 1, "data": {"critic/score/mean": 1.5}}\n')
    make_stage(tmp_path, "generate", write_generated, {"own": OWN, "local": {}}, sources(tmp_path, OWN, {}))
    return tmp_path


def arguments(root: Path) -> list[str]:
    return ["profile=tiny", f"out={root}"]


def test_replies_are_scored_and_reported(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run(RECIPE, arguments(root))
    result = Result.read(folder / "sft_grpo.zh.json")
    assert (result.test_set, result.figures["reward"].mean, result.figures["heldout_answer"].mean) == ("sample", 2, 1)
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "Held-out answer ↑" in report
    replies = (folder / "replies.md").read_text(encoding="utf-8")
    assert "### SFT+GRPO: reward 2.00, cosine 0.500, held-out answer 1.00, 12 characters\n\n- **L1" in replies
    assert "### other: cosine 0.500, held-out answer 1.00, 4 characters\n\n> 抱抱你。" in replies
    # A pair is compared in the figures that both have.
    gains = json.loads((folder / "gains.json").read_text(encoding="utf-8"))
    assert {gain["figure"] for gain in gains if "other" in (gain["ours"], gain["theirs"])} == {
        *("visible", "answer", "heldout_answer", "bleu_1", "distinct_1", "rouge_l", "meteor", "navg")
    }
    assert {(gain["ours"], gain["theirs"]) for gain in gains if gain["figure"] == "format"} == {("SFT+GRPO", "SFT")}
    # Baselines are rows of the table, rewarded like the others, and stand nowhere else.
    assert Result.read(folder / "the_post.zh.json").figures["answer"].mean == 1
    assert "| the post (baseline) " in report
    assert "the post" not in report.split("Mean gains")[1] + replies + (folder / "gains.json").read_text("utf-8")
    assert {path.name for path in folder.glob("*.png")} == {"models.png", "reward.png"}
    run(RECIPE, arguments(root))
    assert "nothing has changed" in capsys.readouterr().out


def test_each_test_set_has_its_rows_its_gains_and_its_mark(root: Path) -> None:
    """Two sets in one run: the second is PsyQA, which one of the models has read."""
    test = pd.read_parquet(root / "data" / "test.parquet")
    both = test.assign(test_set=["sample", "PsyQA", "sample", "PsyQA"])
    make_stage(root, "data", lambda folder: both.to_parquet(folder / "test.parquet"))

    def generated(folder: Path) -> None:
        write_generated(folder)
        write_models(folder, [replace(m, seen=["PsyQA"] if m.name == "other" else []) for m in read_models(folder)])

    make_stage(root, "generate", generated, {"own": OWN, "local": {}}, sources(root, OWN, {}))
    folder = run(RECIPE, arguments(root))
    found = {path.name: Result.read(path) for path in folder.glob("*.zh.json")}
    assert found.keys() == {
        f"{model}.{name}.zh.json"
        for model in ("sft", "sft_grpo", "other", "one_character", "the_post", "generic_comfort")
        for name in ("sample", "psyqa")
    }
    assert {(r.test_set, tuple(r.by_question.index)) for r in found.values()} == {
        ("sample", ("q0", "q2")),
        ("PsyQA", ("q1", "q3")),
    }
    assert [name for name, result in found.items() if result.note] == ["other.psyqa.zh.json"]
    gains = json.loads((folder / "gains.json").read_text(encoding="utf-8"))
    assert {gain["test_set"] for gain in gains} == {"sample", "PsyQA"}
    told = (folder / "report.md").read_text(encoding="utf-8")
    assert "other, PsyQA: it may have seen this test set" in told
    assert "| Answer | SFT+GRPO − SFT | PsyQA | +1.000" in re.sub(" +", " ", told)
    assert "Answer by part of the test set PsyQA:" in told
    page = report.RECIPE.plan(*report.RECIPE.load(arguments(root)))
    out = root / "page"
    out.mkdir()
    page.work(out, False)
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "answered the 4 questions\n  of test set sample, PsyQA" in html
    assert "PsyQA: Held-out answer: SFT+GRPO is higher than SFT" in html or "PsyQA: Held-out answer: no clear" in html
    assert "it may have seen this test set" in html


def test_data_made_again_with_the_same_bytes_redo_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(RECIPE, arguments(root))
    make_stage(root, "data", write_test)
    run(RECIPE, arguments(root))
    assert "nothing has changed" in capsys.readouterr().out


@pytest.mark.parametrize("changed", ["sft/config.json", "grpo/config.json", "data/test.parquet"])
def test_replies_of_other_models_or_to_other_questions_are_refused(changed: str, root: Path) -> None:
    if changed.startswith("data"):
        pd.read_parquet(root / changed).assign(title="另一个").to_parquet(root / changed)
        make_stage(root, "data", lambda folder: None)
    else:
        (root / changed).write_text("trained again")
    with pytest.raises(StageError, match=r"Run `make generate` again"):
        run(RECIPE, arguments(root))
    assert not (root / "eval").exists()


def test_replies_that_do_not_fit_are_told_in_a_line(root: Path) -> None:
    file = root / "generate" / "0.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace('"q3"', '"q9"'), encoding="utf-8")
    with pytest.raises(StageError, match=r"eval: .*0\.jsonl: replies to 1 questions without references"):
        run(RECIPE, arguments(root))
