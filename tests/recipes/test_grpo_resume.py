"""A killed GRPO run goes on after the last step on record, and never from a checkpoint of other settings."""

import json
from pathlib import Path
from typing import Any

import pytest
from verl.utils.checkpoint.checkpoint_manager import find_latest_ckpt_path

from common.errors import StageError
from common.records import METRICS_FILE, ROLLOUTS
from recipes import grpo
from recipes.grpo_checkpoints import TRACKER, prune, whole_checkpoints
from recipes.grpo_resume import recorded_steps, settle, with_records_first
from recipes.stage import run
from tests.recipes.made import copy_tokenizer, make_stage, write_prompts
from tests.recipes.test_grpo_checkpoints import checkpoint


def record(folder: Path, *steps: int, name: str = METRICS_FILE) -> None:
    lines = [json.dumps({"step": step, "data": {"training/global_step": step}}) + "\n" for step in steps]
    (folder / name).write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """Two steps saved, and a third one begun."""
    folder = tmp_path / "checkpoints"
    for step in (4, 8):
        checkpoint(folder, step)
    checkpoint(folder, 12, model=False)
    (folder / TRACKER).write_text("8")
    (tmp_path / ROLLOUTS).mkdir()
    for step in range(1, 10):
        (tmp_path / ROLLOUTS / f"{step}.jsonl").touch()
    return folder


@pytest.mark.parametrize(
    ("recorded", "tracker", "goes_on_after"),
    [
        (range(1, 10), "8", 8),
        # Killed between the checkpoint and its record, whose rollouts may be fewer.
        (range(1, 8), "8", 4),
        # Killed while verl wrote the file.
        (range(1, 10), "", 8),
        (range(1, 4), "8", 0),
        (None, "8", 8),
    ],
)
def test_where_a_killed_run_goes_on(
    recorded: range | None, tracker: str, goes_on_after: int, checkpoints: Path, tmp_path: Path
) -> None:
    (checkpoints / TRACKER).write_text(tracker)
    record(tmp_path, *(recorded or range(1, 10)))
    assert settle(checkpoints, tmp_path, recorded and recorded_steps(tmp_path)) == goes_on_after
    prune(checkpoints, 1)
    found = find_latest_ckpt_path(str(checkpoints))
    assert found == (str(checkpoints / f"global_step_{goes_on_after}") if goes_on_after else None)
    left = [json.loads(line)["step"] for line in (tmp_path / METRICS_FILE).read_text().splitlines()]
    assert left == list(range(1, goes_on_after + 1))
    assert {int(path.stem) for path in (tmp_path / ROLLOUTS).iterdir()} == set(left)
    assert len(list(checkpoints.glob("global_step_*"))) == (goes_on_after > 0)


def test_a_checkpoint_goes_when_the_next_step_begins(checkpoints: Path) -> None:
    from omegaconf import OmegaConf

    class Trainer:
        config = OmegaConf.create({"trainer": {"default_local_dir": str(checkpoints)}})

        def on_step_begin(self) -> None:
            assert len(whole_checkpoints(checkpoints)) == 2

    with_records_first(Trainer, 1)().on_step_begin()
    assert [path.name for path in checkpoints.glob("global_step_*")] == ["global_step_8"]


def test_only_its_own_checkpoints_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def files(*names: str) -> Any:
        return lambda folder: [(folder / name).write_text(name) for name in names]

    make_stage(tmp_path, "data", write_prompts)
    make_stage(tmp_path, "sft", files("model.safetensors"))
    make_stage(tmp_path, "sft", copy_tokenizer)
    make_stage(tmp_path, "reward-model", files("threshold.json", "generic.json", "model.safetensors"))
    found: list[str | None] = []

    def killed(name: str, command: list[str], log: Path, *_: Any, **__: Any) -> None:
        folder = log.parent
        found.append(find_latest_ckpt_path(str(folder / "checkpoints")))
        checkpoint(folder / "checkpoints", len(found))
        (folder / "checkpoints" / TRACKER).write_text(str(len(found)))
        record(folder, *range(1, len(found) + 1), name="metrics.attempt.jsonl")
        raise StageError("killed")

    monkeypatch.setattr(grpo, "run_watched", killed)
    for rate in ("1e-4", "1e-4", "3e-4"):
        with pytest.raises(StageError, match="killed"):
            run(grpo.RECIPE, ["profile=tiny", f"out={tmp_path}", f"actor_rollout_ref.actor.optim.lr={rate}"])
    assert found == [None, str(tmp_path / "grpo" / "checkpoints" / "global_step_1"), None]


def test_a_run_without_the_log_that_others_read_is_told(tmp_path: Path) -> None:
    make_stage(tmp_path, "data", write_prompts)
    with pytest.raises(StageError, match=r"trainer\.logger=\['console'\] is without file"):
        run(grpo.RECIPE, ["profile=tiny", f"out={tmp_path}", "trainer.logger=[console]"])
