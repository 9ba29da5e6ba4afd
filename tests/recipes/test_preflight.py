"""Every check of `make preflight` says stop or warning for its own fault, and ok without one."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from verl.utils.config import validate_config

from common.code import REPO
from common.decisions import DataDecisions
from common.errors import StageError
from common.manifest import VERSIONS_OF
from recipes import sft
from recipes.card_memory import card_memory_line
from recipes.grpo_config import compose_config
from recipes.grpo_preflight import grpo_lines
from recipes.grpo_static import static_lines
from recipes.lengths import prompt_lengths
from recipes.machine import Card, Machine, model_shape, read_machine
from recipes.preflight_checks import Line, length_line, lock_of, sft_lines, stop_at, version_lines
from recipes.profile import Common
from recipes.prompts_agree import agree_line
from tests.recipes.made import copy_tokenizer, write_prompts

DECIDED = DataDecisions("sample", "coe", "系统", False, 1024, 1024, "base")
GB = 10**9
QWEN3_8B = {"num_attention_heads": 32, "max_position_embeddings": 40960}
PARAMETERS = 8_190_735_360
# A node as the paper's.
NODE = Machine(
    cards=(Card("A800", 80 * GB),) * 8,
    driver="580.65.06",
    cuda="13.0",
    memory=1000 * GB,
    shared=64 * GB,
    free=2000 * GB,
    compiler=True,
    versions={"torch": "2.11.0"},
    cores=128,
)


def faults(machine: Machine, tmp_path: Path, *overrides: str, model: dict[str, int] | None = None) -> list[Line]:
    config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, list(overrides))
    lines = list(grpo_lines(config, model or QWEN3_8B, PARAMETERS, machine))
    assert len(lines) > 8
    assert all(bool(one.remedy) == (one.level != "ok") for one in lines)
    return [one for one in lines if one.level != "ok"]


def test_the_paper_s_node_has_all(tmp_path: Path) -> None:
    assert faults(NODE, tmp_path) == []


@pytest.mark.parametrize(
    ("machine", "level", "found"),
    [
        (replace(NODE, cards=NODE.cards[:6]), "stop", "6 train and generate, 1 serve the reward model"),
        (replace(NODE, driver="570.86.10"), "stop", "570.86.10, CUDA 13.0 wants 580"),
        (replace(NODE, driver=""), "stop", "driver: none found"),
        (replace(NODE, compiler=False), "stop", "compiler for Triton: none"),
        (
            replace(NODE, free=200 * GB),
            "stop",
            "disk: 131.1 GB a checkpoint, 200 GB free, 2 at once and 32.8 GB",
        ),
        (replace(NODE, shared=64 * 2**20), "warning", "/dev/shm: 0.1 GB"),
        (replace(NODE, memory=30 * GB), "warning", "host memory: 49 GB"),
        (replace(NODE, driver="570.86.10", library="12.8"), "stop", "570.86.10, CUDA 13.0 wants 580"),
    ],
)
def test_a_machine_s_lack_is_told(machine: Machine, level: str, found: str, tmp_path: Path) -> None:
    (one,) = faults(machine, tmp_path)
    assert one.level == level
    assert found in one.found


def test_an_older_driver_has_a_set_of_its_own(tmp_path: Path) -> None:
    older = replace(NODE, driver="550.54.15")
    (one,) = faults(older, tmp_path)
    assert "make install-gpu-cu12" in one.remedy
    # With that set: CUDA 12 takes the driver, and its own lock is the one to compare with.
    older = replace(older, cuda="12.8", versions={"torch": "2.9.0"})
    assert faults(older, tmp_path) == []
    assert next(version_lines(older, lock_of("cuda", older))).remedy == "make install-gpu-cu12"
    assert [lock_of(*of).stem for of in (("cuda", NODE), ("cpu", older))] == ["gpu", "cpu"]


def test_an_older_driver_will_do_with_the_package_for_forward_compatibility(tmp_path: Path) -> None:
    assert faults(replace(NODE, driver="570.86.10", library="13.0"), tmp_path) == []
    # The package alone, without any driver, will not.
    assert faults(replace(NODE, driver="", library="13.0"), tmp_path) != []


def test_slots_that_nobody_gave_are_the_cores(tmp_path: Path) -> None:
    (one,) = faults(replace(NODE, cores=8), tmp_path, "ray_kwargs.ray_init.num_cpus=null")
    assert one.found == "CPU slots of Ray: 26 needed, as many as cores, 8 given"
    assert faults(NODE, tmp_path, "ray_kwargs.ray_init.num_cpus=null") == []


def test_what_is_offloaded_waits_in_the_host_s_memory(tmp_path: Path) -> None:
    config = compose_config("one_gpu", tmp_path, 42, DECIDED, [])
    small = replace(NODE, memory=5 * GB)
    told = next(one.found for one in grpo_lines(config, QWEN3_8B, 10**9, small) if "host memory" in one.found)
    # A billion parameters: 2 GB of the reference, 4 for saving, 4 of weights and 8 of Adam's moments.
    assert told == "host memory: 18 GB for the reference, for saving and for what is offloaded, 5 GB free"
    for override, size in (("actor_rollout_ref.model.lora_rank=32", 8), ("+size=lora_4b", 6)):
        lora = compose_config("one_gpu", tmp_path, 42, DECIDED, [override])
        assert any(f"host memory: {size} GB" in one.found for one in grpo_lines(lora, QWEN3_8B, 10**9, small))


def test_a_prompt_that_a_later_stage_asks_otherwise_is_told(tmp_path: Path) -> None:
    sft_folder = tmp_path / "sft"
    sft_folder.mkdir()
    base = REPO / "recipes" / "tiny_base" / "model"
    copy_tokenizer(sft_folder)

    def told(*overrides: str) -> Line | None:
        return agree_line(tmp_path, DECIDED, compose_config("tiny", tmp_path, 42, DECIDED, list(overrides)))

    assert told() is None, "no SFT of ours yet"
    (sft_folder / "llamafactory.yaml").write_text(f"model_name_or_path: {base}\nenable_thinking: false\n", "utf-8")
    assert (agreed := told()) is not None
    assert agreed.level == "ok"
    assert (one := told("data.apply_chat_template_kwargs.enable_thinking=true")) is not None
    assert one.level == "stop"
    assert "in GRPO it is" in one.found
    assert "make generate" not in one.found
    (sft_folder / "llamafactory.yaml").write_text(f"model_name_or_path: {base}\nenable_thinking: true\n", "utf-8")
    assert (one := told()) is not None
    assert "in GRPO it is" in one.found
    assert "in make generate it is" in one.found


def test_a_base_that_is_no_longer_here_stops_nothing(tmp_path: Path) -> None:
    """SFT's folder may have been brought from elsewhere; it has a tokenizer of its own."""
    (tmp_path / "sft").mkdir()
    copy_tokenizer(tmp_path / "sft")
    (tmp_path / "sft" / "llamafactory.yaml").write_text("model_name_or_path: /gone\n", "utf-8")
    (tmp_path / "data").mkdir()
    write_prompts(tmp_path / "data")
    common = Common("tiny", str(tmp_path), "/gone")
    lines = list(static_lines(common, compose_config("tiny", tmp_path, 42, DECIDED, []), DECIDED))
    assert [one for one in lines if one.level != "ok"] == []
    assert any("GRPO's prompts" in one.found for one in lines)


def test_a_policy_on_a_hub_is_not_taken_for_the_base(tmp_path: Path) -> None:
    common = Common("tiny", str(tmp_path), str(REPO / "recipes" / "tiny_base" / "model"))
    config = compose_config("tiny", tmp_path, 42, DECIDED, ["actor_rollout_ref.model.path=/no/such/model"])
    *_, last = static_lines(common, config, DECIDED, unknown="warning")
    assert last.level == "warning"
    assert "/no/such/model" in last.found


def test_prompts_of_another_format_are_not_counted(tmp_path: Path) -> None:
    config = compose_config("tiny", tmp_path, 42, DECIDED, [f"data.train_files={tmp_path}/mine.jsonl"])
    assert prompt_lengths(config, "none") == []


def test_prompts_are_counted_as_verl_asks_them(tmp_path: Path) -> None:
    """With the marks of a closed chain of thought, which the template adds where thinking is off."""
    base = str(REPO / "recipes" / "tiny_base" / "model")
    chat = [{"role": "user", "content": "乙"}]
    pd.DataFrame({"prompt": [chat]}).to_parquet(tmp_path / "train.parquet")
    counts = []
    for thinking in ("true", "false"):
        overrides = [f"data.train_files={tmp_path}/train.parquet", f"recipe.enable_thinking={thinking}"]
        counts += prompt_lengths(compose_config("tiny", tmp_path, 42, DECIDED, overrides), base)
    assert counts[1] > counts[0]


def test_a_step_that_does_not_fit_into_a_card_is_told(tmp_path: Path) -> None:
    common = Common("one_gpu", str(tmp_path), "Qwen/Qwen3-4B")
    config = compose_config("one_gpu", tmp_path, 42, DECIDED, ["actor_rollout_ref.model.lora_rank=32"])
    card = Card("RTX 4090", int(23.6 * 2**30))
    assert card_memory_line(common, config, [card]).level == "warning"
    assert card_memory_line(common, config, [Card("H200", 140 * GB)]).level == "ok"
    # The smallest decides.
    assert card_memory_line(common, config, [Card("H200", 140 * GB), card]).level == "warning"


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("actor_rollout_ref.rollout.tensor_model_parallel_size=4", "an engine over 4 of 6 processes"),
        ("data.train_batch_size=7", "a step: 7 prompts of 4 rollouts"),
        ("actor_rollout_ref.rollout.tensor_model_parallel_size=3", "32 attention heads over 3 GPUs"),
        ("actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=3", "of 3 rollouts a process"),
        ("ray_kwargs.ray_init.num_cpus=16", "CPU slots of Ray: 26 needed, 16 given"),
        ("trainer.max_actor_ckpt_to_keep=null", "and all are kept"),
    ],
)
def test_a_setting_that_cannot_be_is_told(override: str, found: str, tmp_path: Path) -> None:
    assert any(found in one.found for one in faults(NODE, tmp_path, override))


# The rows of the table in docs/cluster.md.
@pytest.mark.parametrize(
    ("overrides", "train"),
    [
        ("trainer.nnodes=2 trainer.n_gpus_per_node=3", 6),
        ("trainer.nnodes=2 trainer.n_gpus_per_node=6", 12),
        (
            "trainer.nnodes=2 trainer.n_gpus_per_node=7 data.train_batch_size=7 "
            "actor_rollout_ref.actor.ppo_mini_batch_size=7",
            14,
        ),
    ],
)
def test_a_cluster_s_gpus_and_slots_are_not_this_machine_s(overrides: str, train: int, tmp_path: Path) -> None:
    assert overrides in (REPO / "docs" / "cluster.md").read_text(encoding="utf-8")
    joins = replace(NODE, cards=NODE.cards[:4], cluster="10.0.0.1:6379")
    assert faults(joins, tmp_path, *overrides.split()) == []
    alone = faults(replace(joins, cluster=""), tmp_path, *overrides.split())
    assert any(f"{train + 1} are needed, 4 are here" in one.remedy for one in alone)
    config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, overrides.split())
    validate_config(config, use_reference_policy=True, use_critic=False)


def test_processes_that_do_not_divide_a_step_are_told_on_a_cluster(tmp_path: Path) -> None:
    joins = replace(NODE, cluster="10.0.0.1:6379")
    found = faults(joins, tmp_path, "trainer.nnodes=2", "trainer.n_gpus_per_node=8")
    assert any("over 16 processes" in one.found for one in found)


def test_outputs_longer_than_the_model_takes(tmp_path: Path) -> None:
    (one,) = faults(NODE, tmp_path, model={**QWEN3_8B, "max_position_embeddings": 1024})
    assert one.found == "prompt and response: 2048 tokens at most, the model takes 1024"


def test_sft_wants_room_for_its_checkpoints(tmp_path: Path) -> None:
    config, ours = sft.compose_config(Common("qwen3_8b", str(tmp_path), "x"), DECIDED, [])
    assert all(one.level == "ok" for one in sft_lines(config, ours.gpus, PARAMETERS, NODE))
    tight = replace(NODE, free=100 * GB, compiler=False)
    levels = [one.level for one in sft_lines(config, ours.gpus, PARAMETERS, tight)]
    assert levels.count("stop") == 2


def test_a_stage_stops_with_every_remedy_and_goes_on_at_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    stop_at([Line("ok", "a"), Line("warning", "b", "do b")], "grpo")
    assert capsys.readouterr().out == "grpo: warning: b. do b\n"
    with pytest.raises(StageError, match=r"(?s)grpo would not come through.*- c\. do c.*- d\. do d"):
        stop_at([Line("stop", "c", "do c"), Line("stop", "d", "do d")], "grpo")


def test_lengths_beside_their_limit() -> None:
    assert length_line("prompts", list(range(1, 102)), 101) == Line(
        "ok", "prompts: 51 tokens in the middle, 100 at 99 %, 101 at most, 0.0% over it"
    )
    assert length_line("prompts", [10, 20], 15).level == "warning"


def test_this_machine_and_model_are_read(tmp_path: Path) -> None:
    machine = read_machine(tmp_path / "not" / "there", VERSIONS_OF)
    assert machine.free > 0 < machine.memory
    assert machine.versions["verl"]
    found = [one for one in version_lines(machine, REPO / "locks" / "cpu.txt") if one.level != "ok"]
    assert found == []
    older = replace(machine, versions={"torch": "2.0.0"})
    assert next(version_lines(older, REPO / "locks" / "cpu.txt")).remedy == "make install"
    values, parameters = model_shape(str(REPO / "recipes" / "tiny_base" / "model"))
    assert parameters == 6_180_864  # as LLaMA-Factory prints it
    assert values["num_attention_heads"] == 4
