"""Every configuration in the repository loads, composes and passes its framework's own validation."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf
from recipes.base import BaseConfig
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config

from data_prep.config import DataConfig
from eval.html.report import ReportConfig
from recipes.eval import EvalConfig
from recipes.generate import GenerateConfig
from recipes.grpo import OUTAGE_FILE, compose_config, read_progress
from recipes.judge import JudgeConfig
from recipes.ranking import StudyConfig
from recipes.reward_model import RewardModelConfig, check_config
from recipes.reward_probes import ProbesConfig
from recipes.reward_ranking import RankingConfig
from recipes.stage import PROFILES, REPO, StageError, load_profile
from reward_fns.reward_worker import RewardWorkerConfig

NAMES = sorted(path.stem for path in PROFILES.glob("*.yaml"))
SECTIONS: dict[str, type[Any]] = {
    "base": BaseConfig,
    "data": DataConfig,
    "reward_model": RewardModelConfig,
    "second_scorer": RewardModelConfig,
    "reward_probes": ProbesConfig,
    "reward_ranking": RankingConfig,
    "generate": GenerateConfig,
    "eval": EvalConfig,
    "judge": JudgeConfig,
    "ranking": StudyConfig,
    "report": ReportConfig,
}


@pytest.mark.parametrize("profile", NAMES)
@pytest.mark.parametrize("section", SECTIONS)
def test_profile_sections_match_their_schema(profile: str, section: str) -> None:
    common, config = load_profile([f"profile={profile}"], section, SECTIONS[section])
    assert common.out == f"outputs/{profile}"
    assert isinstance(config, SECTIONS[section])


@pytest.mark.parametrize("profile", NAMES)
def test_every_key_of_a_profile_belongs_to_a_schema(profile: str) -> None:
    keys = set(yaml.safe_load((PROFILES / f"{profile}.yaml").read_text(encoding="utf-8")))
    assert keys <= {"out", "model", "corpus", "seed", *SECTIONS}


@pytest.mark.parametrize("profile", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_grpo_composes_and_passes_verl_s_validation(profile: str, tmp_path: Path) -> None:
    config = compose_config(profile, tmp_path, 42, [])
    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    worker = RewardWorkerConfig(**OmegaConf.to_container(config.recipe.reward_worker, resolve=True))  # type: ignore[arg-type]
    assert worker.model == str(tmp_path / "reward-model")
    assert config.data.apply_chat_template_kwargs == {"enable_thinking": False}
    assert config.trainer.use_v1 is True
    assert config.algorithm.adv_estimator == "grpo"
    assert config.data.train_batch_size * config.actor_rollout_ref.rollout.n % config.trainer.n_gpus_per_node == 0


def test_the_paper_s_numbers(tmp_path: Path) -> None:
    """Section 4.1.2."""
    config = compose_config("qwen3_8b", tmp_path, 42, [])
    actor, rollout = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout
    assert (config.trainer.n_gpus_per_node, config.recipe.gpus, config.recipe.reward_worker.num_gpus) == (6, 7, 1)
    assert (actor.optim.lr, actor.ppo_micro_batch_size_per_gpu, actor.ppo_mini_batch_size) == (1e-6, 1, 6)
    assert (rollout.n, rollout.temperature, config.trainer.total_training_steps) == (4, 1.0, 1000)
    assert (config.data.max_prompt_length, config.data.max_response_length, config.recipe.seed) == (1024, 1024, 42)
    assert actor.use_kl_loss


def test_hydra_overrides_reach_verl(tmp_path: Path) -> None:
    assert compose_config("qwen3_8b", tmp_path, 42, ["actor_rollout_ref.rollout.n=8"]).actor_rollout_ref.rollout.n == 8


def test_unknown_hydra_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"actor_rollout_ref\.rollot\.n"):
        compose_config("tiny", tmp_path, 42, ["actor_rollout_ref.rollot.n=8"])


@pytest.mark.parametrize("path", sorted((REPO / "llamafactory_configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_llamafactory_parses_every_file(path: Path, tmp_path: Path) -> None:
    """By LLaMA-Factory's own parser, in the process that would train; bf16 off, since its check needs a GPU."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    ours = config.pop("recipe")
    assert set(ours) == {"gpus", "limits", "env"}
    config.update(model_name_or_path="x", dataset_dir=str(tmp_path), output_dir=str(tmp_path / "out"), bf16=False)
    config.update(use_cpu=True, report_to="none")
    for key in ("fsdp", "fsdp_config"):
        config.pop(key, None)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    code = (
        "import sys, recipes.sft_train as t\n"
        "import importlib.util\n"
        "importlib.util.find_spec('torchaudio') or t._import_mm_plugin_without_torchaudio()\n"
        "from llamafactory.hparams import get_train_args\n"
        f"sys.argv = ['x', {str(file)!r}]\n"
        "model, data, training, finetuning, generating = get_train_args()\n"
        "assert data.template == 'qwen3' and data.enable_thinking is False, data\n"
        "assert finetuning.finetuning_type == 'full'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=None, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("path", sorted(REPO.glob("*_configs/*.yaml")), ids=lambda path: path.stem)
def test_a_config_s_header_is_the_command_that_uses_it(path: Path) -> None:
    stage, profile = path.stem.split("_", 1)
    assert f"#   make {stage} PROFILE={profile}\n" in path.read_text(encoding="utf-8")


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
        (["profile=huge"], "profile=huge: no such profile. Known: qwen3_8b, tiny"),
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
    ("changes", "message"),
    [
        ({"margin": -5.0}, "margin=-5.0"),
        ({"dimension": 0}, "dimension=0"),
        ({"encoder": "/no/such"}, "encoder=/no/such: no such folder"),
        ({"training": {"learning_ratee": 0.1}}, "training.learning_ratee"),
    ],
)
def test_reward_model_values_are_checked_before_anything_is_touched(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StageError, match=message):
        check_config(RewardModelConfig(**{"encoder": "static", **changes}))


@pytest.mark.parametrize(
    "argument", ["samples=0", "temperature=-1", "limits.total=5", "engine_runner=x", "models=[]", "models=[SFT,sft]"]
)
def test_generate_values_are_checked(argument: str) -> None:
    with pytest.raises(StageError, match=argument.partition("=")[0]):
        load_profile(["profile=tiny", argument], "generate", GenerateConfig)


def test_grpo_names_the_key_of_a_wrong_value_and_takes_any_folder(tmp_path: Path) -> None:
    out = tmp_path / "我的 输出"
    assert compose_config("tiny", out, 42, []).recipe.out == str(out)
    with pytest.raises(StageError, match=r"rollout\.n=abc: found 'abc', expected a number"):
        compose_config("tiny", out, 42, ["actor_rollout_ref.rollout.n=abc"])


def test_an_outage_of_the_reward_ends_grpo(tmp_path: Path) -> None:
    assert read_progress(tmp_path, 3) is None
    (tmp_path / OUTAGE_FILE).write_text("the reward worker did not answer\n", encoding="utf-8")
    with pytest.raises(StageError, match="did not answer"):
        read_progress(tmp_path, 3)


@pytest.mark.parametrize("profile", NAMES)
def test_the_reward_tells_of_an_outage_where_grpo_looks(profile: str, tmp_path: Path) -> None:
    config = compose_config(profile, tmp_path, 42, [])
    kwargs = config.reward.custom_reward_function.reward_kwargs
    assert Path(kwargs.outage_file) == tmp_path.resolve() / "grpo" / OUTAGE_FILE
