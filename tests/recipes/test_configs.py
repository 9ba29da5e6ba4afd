"""Every configuration in the repository loads, composes and passes its framework's own validation."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config

from common.code import REPO, code_identity, strings
from common.decisions import DataDecisions
from common.errors import StageError
from data_prep.config import DataConfig
from eval.generation.run import GenerateConfig
from eval.html.report import ReportConfig
from eval.human.conduct import StudyConfig
from eval.judge.config import JudgeConfig
from recipes import sft
from recipes.eval import EvalConfig
from recipes.grpo import read_progress, reward_outage
from recipes.grpo_config import (
    OUTAGE_FILE,
    REWARD_FUNCTION,
    compose_config,
)
from recipes.grpo_machine import check_machine, cpu_slots_needed, gpus_needed
from recipes.grpo_train import join_cluster
from recipes.profile import COMMON_PROFILE, PROFILES, Common, load_profile, profile_names
from recipes.reward_probes import ProbesConfig
from recipes.reward_ranking import RankingConfig
from recipes.tables import TablesConfig
from recipes.tiny_base.build import BaseConfig
from reward_fns.reward_worker import RewardWorkerConfig
from reward_fns.training.config import RewardModelConfig

NAMES = profile_names()
DECIDED = DataDecisions("sample", "coe", "系统", False, 1024, 1024, "base")
# LLaMA-Factory's launcher as `recipes.sft_train` reaches it.
LAUNCH = """
import sys
import recipes.sft_train as t
t.prepare()
from llamafactory.launcher import launch
sys.argv = ["x", "train", "config.yaml"]
launch()
"""
SECTIONS: dict[str, type[Any]] = {
    "base": BaseConfig,
    "data": DataConfig,
    "reward_model": RewardModelConfig,
    "heldout_reward_model": RewardModelConfig,
    "reward_probes": ProbesConfig,
    "reward_ranking": RankingConfig,
    "generate": GenerateConfig,
    "eval": EvalConfig,
    "judge": JudgeConfig,
    "ranking": StudyConfig,
    "report": ReportConfig,
    "tables": TablesConfig,
}


@pytest.mark.parametrize("profile", NAMES)
@pytest.mark.parametrize("section", SECTIONS)
def test_profile_sections_match_their_schema(profile: str, section: str) -> None:
    _, config = load_profile([f"profile={profile}"], section, SECTIONS[section])
    assert isinstance(config, SECTIONS[section])


@pytest.mark.parametrize("profile", NAMES)
def test_every_key_of_a_profile_belongs_to_a_schema(profile: str) -> None:
    keys = set(yaml.safe_load((PROFILES / f"{profile}.yaml").read_text(encoding="utf-8")))
    assert keys <= {"out", "model", "corpus", "seed", *SECTIONS}


@pytest.mark.parametrize("profile", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_grpo_composes_and_passes_verl_s_validation(profile: str, tmp_path: Path) -> None:
    config = compose_config(profile, tmp_path, 42, DECIDED, [])
    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    settings: Any = OmegaConf.to_container(config.recipe.reward_worker, resolve=True)
    del settings["start"]
    worker = RewardWorkerConfig(**settings)
    assert worker.model == str(tmp_path / "reward-model")
    assert config.data.apply_chat_template_kwargs == {"enable_thinking": False}
    assert config.trainer.use_v1 is True
    assert config.algorithm.adv_estimator == "grpo"
    assert config.data.train_batch_size * config.actor_rollout_ref.rollout.n % config.trainer.n_gpus_per_node == 0


def test_the_paper_s_numbers(tmp_path: Path) -> None:
    """Section 4.1.2."""
    config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, [])
    actor, rollout = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout
    assert (config.trainer.n_gpus_per_node, gpus_needed(config), config.recipe.reward_worker.num_gpus) == (6, 7, 1)
    assert (actor.optim.lr, actor.ppo_micro_batch_size_per_gpu, actor.ppo_mini_batch_size) == (1e-6, 1, 6)
    assert (rollout.n, rollout.temperature, config.trainer.total_training_steps) == (4, 1.0, 1000)
    assert (config.data.max_prompt_length, config.data.max_response_length, config.recipe.seed) == (1024, 1024, 42)
    assert actor.use_kl_loss


def test_hydra_overrides_reach_verl(tmp_path: Path) -> None:
    assert (
        compose_config("qwen3_8b", tmp_path, 42, DECIDED, ["actor_rollout_ref.rollout.n=8"]).actor_rollout_ref.rollout.n
        == 8
    )


def test_unknown_hydra_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"actor_rollout_ref\.rollot\.n"):
        compose_config("tiny", tmp_path, 42, DECIDED, ["actor_rollout_ref.rollot.n=8"])


@pytest.mark.parametrize("profile", NAMES)
def test_llamafactory_parses_every_file(profile: str, tmp_path: Path) -> None:
    """By LLaMA-Factory's own parser, in the process that would train; bf16 off, since its check needs a GPU."""
    composed, ours = sft.compose_config(Common(profile, str(tmp_path), "x"), DECIDED, [])
    assert set(ours) == {"gpus", "limits", "env"}
    config: Any = OmegaConf.to_container(composed, resolve=True)
    config.update(use_cpu=True, report_to="none", bf16=False)
    for key in ("fsdp", "fsdp_config"):
        config.pop(key, None)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    code = (
        "import sys, recipes.sft_train as t\n"
        "t.prepare()\n"
        "from llamafactory.hparams import get_train_args\n"
        f"sys.argv = ['x', {str(file)!r}]\n"
        "model, data, training, finetuning, generating = get_train_args()\n"
        f"assert (data.template, data.cutoff_len) == ({config['template']!r}, 2048), data\n"
        "assert data.enable_thinking is False, data\n"
        "assert finetuning.finetuning_type == 'full'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=None, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("profile", NAMES)
def test_a_profile_s_header_is_a_command_that_uses_it_or_names_its_other_files(profile: str) -> None:
    lines = (PROFILES / f"{profile}.yaml").read_text(encoding="utf-8").splitlines()
    header = " ".join(takewhile(lambda line: line.startswith("#"), lines))
    files = (f"llamafactory_configs/sft_{profile}.yaml", f"verl_configs/grpo_{profile}.yaml")
    assert re.search(rf"PROFILE={profile}\b", header) or all(file in header for file in files)


@pytest.mark.parametrize("path", sorted(REPO.glob("*_configs/*.yaml")), ids=lambda path: path.stem)
def test_a_config_s_header_is_the_command_that_uses_it(path: Path) -> None:
    stage, profile = path.stem.split("_", 1)
    command = f"#   make {stage}" if profile == COMMON_PROFILE else f"#   make {stage} PROFILE={profile}\n"
    assert command in path.read_text(encoding="utf-8")


def test_without_gpus_the_gpu_profile_stops_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "recipes.grpo", "profile=qwen3_8b", f"out={tmp_path}"]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    for word in ("7 GPUs", "make sft", "make reward-model", "PROFILE=tiny"):
        assert word in done.stderr
    # The promise is 10 s on an idle machine; this bound only catches a wait.
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["profile=huge"], "profile=huge: no such profile. Known: " + ", ".join(NAMES)),
        (["profile=tiny", "tst_size=3"], "tst_size"),
        (["profile=tiny", "test_size=many"], "test_size: Value 'many'"),
        (["profile=tiny", "test_size"], "'test_size' is not key=value"),
        ([], "no such profile"),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], message: str) -> None:
    with pytest.raises(StageError, match=message):
        load_profile(arguments, "data", DataConfig)


@pytest.mark.parametrize(
    "argument", ["samples=0", "temperature=-1", "limits.total=5", "engine_runner=x", "models=[]", "models=[SFT,sft]"]
)
def test_generate_values_are_checked(argument: str) -> None:
    with pytest.raises(StageError, match=argument.partition("=")[0]):
        load_profile(["profile=tiny", argument], "generate", GenerateConfig)


def test_grpo_names_the_key_of_a_wrong_value_and_takes_any_folder(tmp_path: Path) -> None:
    out = tmp_path / "我的 输出"
    assert compose_config("tiny", out, 42, DECIDED, []).recipe.out == str(out)
    with pytest.raises(StageError, match=r"rollout\.n=abc: found 'abc', expected a number"):
        compose_config("tiny", out, 42, DECIDED, ["actor_rollout_ref.rollout.n=abc"])


def test_an_outage_of_the_reward_is_told_apart_from_progress(tmp_path: Path) -> None:
    assert reward_outage(tmp_path) == ""
    (tmp_path / OUTAGE_FILE).write_text("the reward worker did not answer\n", encoding="utf-8")
    assert "did not answer" in reward_outage(tmp_path)
    assert read_progress(tmp_path, 3) is None


@pytest.mark.parametrize("profile", NAMES)
def test_the_reward_tells_of_an_outage_where_grpo_looks(profile: str, tmp_path: Path) -> None:
    config = compose_config(profile, tmp_path, 42, DECIDED, [])
    kwargs = config.reward.custom_reward_function.reward_kwargs
    assert Path(kwargs.outage_file) == tmp_path.resolve() / "grpo" / OUTAGE_FILE


def test_grpo_follows_what_data_decided(tmp_path: Path) -> None:
    decided = replace(DECIDED, max_prompt_tokens=300, max_response_tokens=200, enable_thinking=True)
    config = compose_config("tiny", tmp_path, 42, decided, [])
    assert (config.data.max_prompt_length, config.data.max_response_length) == (300, 200)
    assert config.actor_rollout_ref.rollout.max_model_len == 500
    assert config.data.apply_chat_template_kwargs.enable_thinking is True


def test_a_limit_under_data_s_names_both(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"max_prompt_length=10.*max_prompt_tokens=1024"):
        compose_config("tiny", tmp_path, 42, DECIDED, ["data.max_prompt_length=10"])
    with pytest.raises(StageError, match=r"cutoff_len=10.*2048"):
        sft.compose_config(Common("tiny", str(tmp_path), "x"), DECIDED, ["cutoff_len=10"])


REWARD_KWARGS = "reward.custom_reward_function.reward_kwargs"


@pytest.mark.parametrize("option", ["max_cpy=0.4", "+max_cpy=0.4"])
def test_a_misspelt_option_of_the_reward_stops(option: str, tmp_path: Path) -> None:
    plus, name = ("+", option[1:]) if option.startswith("+") else ("", option)
    with pytest.raises(StageError, match="max_cpy"):
        compose_config("tiny", tmp_path, 42, DECIDED, [f"{plus}{REWARD_KWARGS}.{name}"])


def test_an_option_out_of_range_stops(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="mode"):
        compose_config("tiny", tmp_path, 42, DECIDED, [f"{REWARD_KWARGS}.mode=loud"])


def test_the_reward_goes_by_the_prompt(tmp_path: Path) -> None:
    """Section 4.3.2: without CoE a reply has no tags, so r_format and <answer> would give every output 0."""
    plain = replace(DECIDED, prompt="plain")

    def mode(decided: DataDecisions, *overrides: str) -> str:
        config = compose_config("tiny", tmp_path, 42, decided, list(overrides))
        return str(config.reward.custom_reward_function.reward_kwargs.format_mode)

    assert (mode(DECIDED), mode(plain)) == ("exact", "none")
    assert mode(DECIDED, f"{REWARD_KWARGS}.format_mode=partial") == "partial"
    for decided, given in ((DECIDED, "none"), (plain, "exact"), (plain, "partial")):
        with pytest.raises(StageError, match=f"format_mode={given} with the prompt '{decided.prompt}'"):
            mode(decided, f"{REWARD_KWARGS}.format_mode={given}")


def test_a_reward_of_one_s_own(tmp_path: Path) -> None:
    """Its keys are its own, and no reward model is needed or served unless it asks."""
    mine = tmp_path / "mine.py"
    mine.write_text(
        "def compute_score(data_source, solution_str, ground_truth, extra_info, **kwargs):\n    return 1.0\n"
    )
    own = [f"reward.custom_reward_function.path={mine}", f"+{REWARD_KWARGS}.length=200"]
    config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, own)
    assert config.reward.custom_reward_function.reward_kwargs == {"length": 200}
    assert gpus_needed(config) == 6
    with pytest.raises(StageError) as stopped:
        check_machine(config)
    assert "reward-model" not in str(stopped.value)
    asked = compose_config("qwen3_8b", tmp_path, 42, DECIDED, [*own, "recipe.reward_worker.start=true"])
    assert gpus_needed(asked) == 7
    mine.unlink()
    with pytest.raises(StageError, match=r"mine\.py, the file of the reward function"):
        check_machine(config)


def test_the_reward_s_own_file_is_part_of_the_run(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("def compute_score(**kwargs):\n    return 1.0\n")
    config = compose_config("tiny", tmp_path, 42, DECIDED, [f"reward.custom_reward_function.path={mine}"])
    named = list(strings(OmegaConf.to_container(config, resolve=True)))
    reached = code_identity(REPO / "recipes" / "grpo.py", named)
    assert str(mine) in reached
    assert "reward_fns/coe_reward.py" not in reached
    assert str(REWARD_FUNCTION.relative_to(REPO)) in code_identity(
        REPO / "recipes" / "grpo.py",
        list(strings(OmegaConf.to_container(compose_config("tiny", tmp_path, 42, DECIDED, []), resolve=True))),
    )


@pytest.mark.parametrize("profile", NAMES)
def test_ray_has_slots_for_everything(profile: str, tmp_path: Path) -> None:
    """verl checks GPUs only; with too few CPU slots it waits for ever."""
    config = compose_config(profile, tmp_path, 42, DECIDED, [])
    slots = config.ray_kwargs.ray_init.num_cpus
    assert slots is None or cpu_slots_needed(config) <= slots  # without it Ray counts the machine's cores
    tight = compose_config(profile, tmp_path, 42, DECIDED, ["ray_kwargs.ray_init.num_cpus=4"])
    with pytest.raises(StageError, match="CPU slots, Ray would have 4"):
        check_machine(tight)


def test_what_would_stop_the_first_run_on_a_card(tmp_path: Path) -> None:
    """Each was read in the frameworks' sources; docs of the reasons stand in the files."""
    config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, [])
    assert config.actor_rollout_ref.model.override_config.attn_implementation == "sdpa"
    assert config.transfer_queue.backend.SimpleStorage.num_data_storage_units == 1
    _, ours = sft.compose_config(Common("qwen3_8b", str(tmp_path), "x"), DECIDED, [])
    assert ours.env.FSDP_STATE_DICT_TYPE == "FULL_STATE_DICT"
    assert ours.env.FORCE_TORCHRUN == "1"
    _, generate = load_profile(["profile=qwen3_8b"], "generate", GenerateConfig)
    assert generate.env["VLLM_USE_FLASHINFER_SAMPLER"] == "0"


def test_one_epsilon_holds_on_both_sides(tmp_path: Path) -> None:
    """verl goes by clip_ratio_low and clip_ratio_high, so an override of clip_ratio alone used to change nothing."""
    actor = compose_config("tiny", tmp_path, 42, DECIDED, ["actor_rollout_ref.actor.clip_ratio=0.3"]).actor_rollout_ref
    assert (actor.actor.clip_ratio_low, actor.actor.clip_ratio_high) == (0.3, 0.3)
    apart = ["actor_rollout_ref.actor.clip_ratio_high=0.28"]  # as DAPO has it
    actor = compose_config("tiny", tmp_path, 42, DECIDED, apart).actor_rollout_ref.actor
    assert (actor.clip_ratio_low, actor.clip_ratio_high) == (0.2, 0.28)


@pytest.mark.parametrize("profile", NAMES)
def test_fast_changes_no_number_that_decides_what_is_learned(profile: str, tmp_path: Path) -> None:
    plain = compose_config(profile, tmp_path, 42, DECIDED, [])
    fast = compose_config(profile, tmp_path, 42, DECIDED, ["+speed=fast"])
    assert fast.actor_rollout_ref.actor.use_dynamic_bsz
    longest = fast.data.max_prompt_length + fast.data.max_response_length
    assert fast.actor_rollout_ref.actor.ppo_max_token_len_per_gpu >= longest
    for key in ("algorithm", "actor_rollout_ref.actor.optim", "actor_rollout_ref.actor.ppo_mini_batch_size", "data"):
        assert OmegaConf.select(fast, key) == OmegaConf.select(plain, key)


def test_sft_starts_as_many_processes_as_gpus_were_asked_for(tmp_path: Path) -> None:
    """LLaMA-Factory's own launcher reads the number; without it eight visible GPUs give other batches than six."""
    _, ours = sft.compose_config(Common("qwen3_8b", str(tmp_path), "x"), DECIDED, [])
    assert sft.environment(ours)["NPROC_PER_NODE"] == "6"
    torchrun = tmp_path / "torchrun"
    torchrun.write_text('#!/bin/sh\necho "$@"\n')
    torchrun.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH],
        env={**os.environ, **sft.environment(ours), "PATH": path},
        capture_output=True,
        text=True,
        cwd=REPO,
    )
    assert "--nproc_per_node 6 " in done.stdout, done.stdout + done.stderr
    _, ours = sft.compose_config(Common("tiny", str(tmp_path), "x"), DECIDED, [])
    assert "NPROC_PER_NODE" not in sft.environment(ours)


def test_a_cluster_that_runs_is_joined_with_the_run_s_own_variables(tmp_path: Path) -> None:
    composed = compose_config("tiny", tmp_path, 42, DECIDED, [])
    # As it is read back from its file.
    config = OmegaConf.create(OmegaConf.to_yaml(composed, resolve=True))
    assert isinstance(config, DictConfig)
    own = {**{name: str(value) for name, value in config.recipe.env.items()}, "TENSORBOARD_DIR": "runs", "HOME": "/"}
    join_cluster(config, own)
    assert config.ray_kwargs.ray_init.num_cpus == 16
    assert config.ray_kwargs.ray_init.pop("address") == "local"
    secret = {"WANDB_API_KEY": "k", "HF_TOKEN": "t", "HF_ENDPOINT": "https://name:password@hub"}
    told = {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline", **secret, "VLLM_HOST_IP": "10.0.0.1"}
    join_cluster(config, {**own, **told, "RAY_ADDRESS": "127.0.0.1:6379"})
    assert not {"num_cpus", "num_gpus", "include_dashboard"} & set(config.ray_kwargs.ray_init)
    given = config.ray_kwargs.ray_init.runtime_env.env_vars
    assert given["VERL_PLATFORM"] == "cpu"
    assert given["TENSORBOARD_DIR"] == "runs"
    assert (given["HF_HUB_OFFLINE"], given["WANDB_MODE"]) == ("1", "offline")
    # Whoever sees the cluster sees these; and a node's own address is no other's.
    assert not {"HOME", *secret, "VLLM_HOST_IP"} & set(given)
