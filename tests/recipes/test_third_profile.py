"""A profile says only what differs: one card and another model take at most 40 lines in all.

Three files are written as a user would write them, and read by the recipes and by both frameworks' own parsers.
"""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import yaml
from omegaconf import OmegaConf
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config

from common.code import REPO
from common.decisions import DataDecisions
from data_prep.config import DataConfig
from eval.generation.run import GenerateConfig
from recipes import grpo_config, grpo_machine, sft
from recipes import profile as profiles
from recipes.profile import Common

FILES: Final = {
    "profiles/one_card.yaml": """
# One card with 80 GB, Llama 3.2 with one billion parameters.
model: meta-llama/Llama-3.2-1B-Instruct
data: {test_size: 500, val_size: 50}
reward_model:
  encoder: BAAI/bge-small-zh-v1.5
  device: cuda
  training: {per_device_train_batch_size: 16, learning_rate: 2.0e-5, bf16: true}
heldout_reward_model:
  encoder: BAAI/bge-base-zh-v1.5
  device: cuda
  training: ${reward_model.training}
generate: {dtype: bfloat16}
""",
    "llamafactory_configs/sft_one_card.yaml": """
template: llama3
bf16: true
per_device_train_batch_size: 4
num_train_epochs: 3
learning_rate: 1.0e-5
recipe: {gpus: 1}
""",
    "verl_configs/grpo_one_card.yaml": """
defaults: [grpo_common, _self_]
recipe:
  reward_worker: {num_cpus: 4}
data: {train_batch_size: 8}
actor_rollout_ref:
  actor: {ppo_mini_batch_size: 8, ppo_micro_batch_size_per_gpu: 2, optim: {lr: 1e-6}}
  ref: {log_prob_micro_batch_size_per_gpu: 4}
  rollout: {gpu_memory_utilization: 0.4, log_prob_micro_batch_size_per_gpu: 4}
trainer: {experiment_name: one-card, total_training_steps: 500, save_freq: 100, test_freq: 50}
""",
}
DECIDED: Final = DataDecisions("mine", "coe", "系统", False, 800, 900, "meta-llama/Llama-3.2-1B-Instruct")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for folder in ("profiles", "llamafactory_configs", "verl_configs"):
        shutil.copytree(REPO / folder, tmp_path / folder)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(profiles, "PROFILES", tmp_path / "profiles")
    monkeypatch.setattr(sft, "CONFIGS", tmp_path / "llamafactory_configs")
    monkeypatch.setattr(grpo_config, "CONFIGS", tmp_path / "verl_configs")
    return "one_card"


def test_it_has_at_most_40_lines() -> None:
    lines = [line for text in FILES.values() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    assert len(lines) <= 40


def test_our_stages_take_it(profile: str) -> None:
    common, data = profiles.load_profile([f"profile={profile}"], "data", DataConfig)
    assert (common.model, common.out, data.test_size) == (DECIDED.model, "outputs/one_card", 500)
    _, generate = profiles.load_profile([f"profile={profile}"], "generate", GenerateConfig)
    assert generate.env["VLLM_USE_FLASHINFER_SAMPLER"] == "0"


@pytest.mark.filterwarnings("ignore")
def test_verl_takes_it(profile: str, tmp_path: Path) -> None:
    config = grpo_config.compose_config(profile, tmp_path, 42, DECIDED, [])
    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    assert (config.data.max_prompt_length, config.data.max_response_length) == (800, 900)
    assert config.actor_rollout_ref.rollout.max_model_len == 1700
    assert config.actor_rollout_ref.model.override_config.attn_implementation == "sdpa"
    assert grpo_machine.gpus_needed(config) == 1


def test_llamafactory_takes_it(profile: str, tmp_path: Path) -> None:
    common = Common(profile, str(tmp_path / "out"), DECIDED.model)
    config, ours = sft.compose_config(common, replace(DECIDED, enable_thinking=True), [])
    assert ours.gpus == 1
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    # Its checks of a card are switched off.
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({**plain, "bf16": False, "use_cpu": True, "report_to": "none"}), encoding="utf-8")
    code = (
        "import sys, recipes.sft_train as t\n"
        "t.prepare()\n"
        "from llamafactory.hparams import get_train_args\n"
        f"sys.argv = ['x', {str(file)!r}]\n"
        "model, data, training, finetuning, generating = get_train_args()\n"
        "assert (data.template, data.cutoff_len, data.enable_thinking) == ('llama3', 1700, True), data\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
