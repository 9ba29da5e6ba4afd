"""What kept SFT on several GPUs from its end, by LLaMA-Factory's own launcher, torchrun and FSDP; here on a CPU."""

import json
import os
import sys
from pathlib import Path
from typing import Final

import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from common.checkpoints import last_whole_checkpoint
from common.decisions import DataDecisions
from common.errors import StageError
from common.watchdog import Limits, run_watched
from recipes import sft
from recipes.profile import Common
from recipes.stage import run
from tests.recipes.made import make_stage
from tests.recipes.test_base import SHIPPED

LIMITS: Final = Limits(total_s=400, idle_s=200)
SAMPLES: Final = [
    {
        "system": "你是咨询师。",
        "instruction": f"第{number}封信：最近总是睡不着。",
        "output": f"先抱抱你，{number}。",
    }
    for number in range(8)
]
LAUNCH: Final = """
import sys
from llamafactory.launcher import launch
sys.argv = ["llamafactory-cli", "train", "config.yaml"]
launch()
"""
# In each of torchrun's processes: accelerate keeps FSDP for GPUs, so two ranks on gloo are told to be such; and the
# stand-in for torchaudio, which a CPU has not and torchrun's processes would ask for.
SITE: Final = """
import os
if "LOCAL_RANK" in os.environ:
    import recipes.sft_train
    recipes.sft_train.prepare()
    import torch
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType
    torch.distributed.init_process_group("gloo")
    PartialState._prepare_backend = lambda self, *_, **__: ("gloo", DistributedType.MULTI_GPU)
    PartialState.set_device = lambda self: setattr(self, "device", torch.device("cpu"))
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Qwen3-8B's kind, with untied embeddings as it has, of some 50,000 parameters."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    tokenizer.save_pretrained(folder)
    config = Qwen3Config(  # type: ignore[call-arg]  # transformers adds the common keys at run time
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=4,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def root(base: Path, tmp_path: Path) -> Path:
    """What `make data` left."""
    samples = {"file_name": "sft.json", "formatting": "alpaca"}
    columns = {"system": "system", "prompt": "instruction", "response": "output"}

    def write(folder: Path) -> None:
        (folder / "sft.json").write_text(json.dumps(SAMPLES), encoding="utf-8")
        (folder / "dataset_info.json").write_text(json.dumps({"coe_sft": {**samples, "columns": columns}}))

    make_stage(tmp_path, "data", write, decided(base).result())
    return tmp_path


def decided(base: Path) -> DataDecisions:
    return DataDecisions("sample", "coe", "你是咨询师。", False, 128, 128, str(base))


def test_torchrun_is_found_from_a_bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LLaMA-Factory starts it by its name alone, and a user need not have activated the environment."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    log = tmp_path / "train.log"
    with pytest.raises(StageError):
        run_watched(
            "sft",
            [sys.executable, "-c", LAUNCH],
            log,
            LIMITS,
            env={"DISABLE_VERSION_CHECK": "1", "FORCE_TORCHRUN": "1", "NPROC_PER_NODE": "none"},
        )
    # It is torchrun that says so.
    assert "Unsupported nproc_per_node value: none" in log.read_text(encoding="utf-8")


@pytest.mark.slow
def test_fsdp_on_two_ranks_leaves_a_model(base: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With FSDP's default every rank would write shards, and save_model nothing."""
    overrides = ["use_cpu=true", "bf16=false", "num_train_epochs=1", "learning_rate=0.01", "report_to=none"]
    config, ours = sft.compose_config(Common("qwen3_8b", str(root), str(base)), decided(base), overrides)
    folder, site = root / "sft", root / "site"
    folder.mkdir()
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    resolved = root / "llamafactory.yaml"
    resolved.write_text(OmegaConf.to_yaml(config, resolve=True), encoding="utf-8")
    environment = {**sft.environment(ours), "NPROC_PER_NODE": "2", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "recipes.sft_train", str(resolved)]
    run_watched("sft", command, root / "train.log", LIMITS, env=environment)
    before, after = (load_file(where / "model.safetensors") for where in (base, folder))
    assert before.keys() == after.keys()
    assert all(before[name].shape == after[name].shape for name in before)
    assert not before["lm_head.weight"].equal(after["lm_head.weight"])
    AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.slow
def test_a_checkpoint_of_another_learning_rate_is_not_gone_on_with(base: Path, root: Path) -> None:
    """LLaMA-Factory goes on from any checkpoint in its folder; here it would train no step and return the old model.

    Without a checkpoint it refuses a folder that holds a model.
    """

    def trained(rate: str) -> tuple[float, dict[str, torch.Tensor]]:
        arguments = ["profile=tiny", f"out={root}", f"model={base}", "num_train_epochs=1", f"learning_rate={rate}"]
        # As the profiles on GPUs have it.
        arguments += ["logging_steps=1", "warmup_steps=0", "save_strategy=epoch", "overwrite_output_dir=false"]
        folder = run(sft.RECIPE, arguments)
        assert last_whole_checkpoint(folder) == str(folder / "checkpoint-2")
        first, *_ = (folder / "trainer_log.jsonl").read_text(encoding="utf-8").splitlines()
        return json.loads(first)["lr"], load_file(folder / "model.safetensors")

    (slow, one), (fast, other) = trained("0.01"), trained("0.03")
    assert (slow, fast) == pytest.approx((0.01, 0.03))
    assert not one["lm_head.weight"].equal(other["lm_head.weight"])
