"""The libraries' own code, run with our configuration: what they load, how they checkpoint, where they log."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoModelForCausalLM, HfArgumentParser, PreTrainedModel
from transformers.utils.import_utils import is_flash_attn_2_available
from verl.utils.config import omega_conf_to_dataclass
from verl.utils.model import get_hf_auto_model_class
from verl.utils.tracking import Tracking

from common.decisions import DataDecisions
from common.errors import StageError
from common.records import METRICS_FILE
from recipes import grpo, sft
from recipes.grpo_config import compose_config
from recipes.grpo_metrics import step_metrics
from recipes.profile import Common
from recipes.sft_train import prepare
from recipes.stage import run
from reward_fns.encoder import Encoder
from reward_fns.reward_model import RewardModel, Threshold, save_generic
from tests.recipes.made import copy_tokenizer, make_stage, write_prompts
from tests.recipes.test_base import SHIPPED

DECIDED: Final = DataDecisions("sample", "coe", "系统", False, 1024, 1024, str(SHIPPED))
IDS: Final = torch.arange(5, 25)[None]
TEXTS: Final = ["最近总是失眠", "失眠的时候起来走走", "和妈妈吵架了", "先别急着回她"]
OF_THE_LOGGERS: Final = ("VERL_FILE_LOGGER_PATH", "TENSORBOARD_DIR")
PARTS: Final = [{"format": 1.0, "cosine": 0.8, "answer_chars": 90.0}, {"format": 0.0, "answer_chars": 0.0}]
FIGURES: Final = step_metrics(["p_0_0", "p_1_0"], [2.0, 0.0], PARTS, [400, 20], 400)


@pytest.fixture
def policy(tmp_path: Path) -> DictConfig:
    """verl's section of the model, as the profile composes it, for a small one."""
    model = compose_config("qwen3_8b", tmp_path, 42, DECIDED, []).actor_rollout_ref.model
    model.path = str(SHIPPED)
    assert isinstance(model, DictConfig)
    return model


def loaded_by_verl(policy: DictConfig) -> PreTrainedModel:
    """As `FSDPEngine._build_module` loads it."""
    ours = omega_conf_to_dataclass(policy)
    kind = get_hf_auto_model_class(hf_config=ours.hf_config)
    return kind.from_pretrained(
        pretrained_model_name_or_path=ours.local_path, torch_dtype=torch.float32, config=ours.hf_config
    )


def test_verl_loads_the_policy_with_an_attention_that_is_installed(policy: DictConfig) -> None:
    with torch.no_grad():
        assert loaded_by_verl(policy)(input_ids=IDS).logits.isfinite().all()


@pytest.mark.skipif(is_flash_attn_2_available(), reason="a user may install flash-attn")
def test_verl_s_own_attention_is_not_installed(policy: DictConfig) -> None:
    # Before: the composed configuration named none, so the run ended here.
    policy.override_config = {}
    with pytest.raises(ImportError, match="FlashAttention2"):
        loaded_by_verl(policy)


def checkpointed(root: Path, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> tuple[PreTrainedModel, list[Any]]:
    """A model as LLaMA-Factory prepares it with our arguments, and the passes through its first layer."""
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")
    prepare()
    from llamafactory.hparams import ModelArguments
    from llamafactory.model.model_utils.checkpointing import prepare_model_for_training

    config, _ = sft.compose_config(Common("qwen3_8b", str(root), str(SHIPPED)), DECIDED, list(overrides))
    plain: Any = OmegaConf.to_container(config, resolve=True)
    (given,) = HfArgumentParser(ModelArguments).parse_dict(plain, allow_extra_keys=True)
    model = AutoModelForCausalLM.from_pretrained(SHIPPED, dtype=torch.float32)
    prepare_model_for_training(model, given)
    passes: list[Any] = []
    model.model.layers[0].mlp.register_forward_pre_hook(lambda *_: passes.append(None))
    return model.train(), passes


def gradients(model: PreTrainedModel) -> tuple[torch.Tensor, ...]:
    """By `torch.autograd.grad`, which re-entrant checkpointing refuses."""
    return torch.autograd.grad(model(input_ids=IDS, labels=IDS).loss, list(model.parameters()))


def test_sft_checkpoints_as_fsdp2_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, passes = checkpointed(tmp_path, monkeypatch)
    found = gradients(model)
    assert len(passes) == 2
    expected = gradients(AutoModelForCausalLM.from_pretrained(SHIPPED, dtype=torch.float32).train())
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(found, expected, strict=True))


def test_llamafactory_s_default_is_re_entrant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Before: the arguments left it at this.
    model, _ = checkpointed(tmp_path, monkeypatch, "use_reentrant_gc=true")
    with pytest.raises(RuntimeError, match="use_reentrant=True"):
        gradients(model)


def test_a_reward_model_in_bfloat16_is_served_in_float32(tmp_path: Path) -> None:
    saved = SentenceTransformer(str(SHIPPED), device="cpu", model_kwargs={"dtype": "bfloat16"})
    saved.save(str(tmp_path), create_model_card=False)
    assert {weight.dtype for weight in load_file(tmp_path / "model.safetensors").values()} == {torch.bfloat16}
    assert {weight.dtype for weight in Encoder.load(tmp_path, "cpu").model.parameters()} == {torch.float32}
    save_generic(tmp_path, [TEXTS[2]])
    Threshold(0.3, "by hand", 0, 1.0, {}, {}, 1.0, slope=1.0, intercept=0.0, margin=0.3).save(tmp_path)
    served = torch.tensor(RewardModel(tmp_path).cosines(TEXTS[::2], TEXTS[1::2]), dtype=torch.float64)
    exact, rounded = (cosines(saved.to(dtype)) for dtype in (torch.float32, torch.bfloat16))
    assert torch.allclose(served, exact, atol=1e-6)
    # Before: the checkpoint's own type, whose cosines are these.
    assert (rounded - exact).abs().max() > 1e-4


def cosines(model: SentenceTransformer) -> torch.Tensor:
    vectors = model.encode(TEXTS, normalize_embeddings=True, convert_to_tensor=True).double()
    return (vectors[::2] * vectors[1::2]).sum(dim=1)


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """GRPO's stage, whose run is verl's logger alone in the environment that the stage builds; gives its folder."""

    def files(*names: str) -> Any:
        return lambda folder: [(folder / name).write_text(name) for name in names]

    def log(name: str, command: list[str], *_: Any, env: dict[str, str], **__: Any) -> None:
        for variable in OF_THE_LOGGERS:
            if variable in env:
                monkeypatch.setenv(variable, env[variable])
        trainer = OmegaConf.load(command[-1]).trainer
        tracking = Tracking(trainer.project_name, trainer.experiment_name, list(trainer.logger))
        tracking.log({**FIGURES, "critic/score/mean": 1.0}, step=1)
        tracking.finish()
        raise StageError("logged")

    make_stage(tmp_path, "data", write_prompts)
    make_stage(tmp_path, "sft", copy_tokenizer)
    make_stage(tmp_path, "sft", files("model.safetensors"))
    make_stage(tmp_path, "reward-model", files("threshold.json", "generic.json", "model.safetensors"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(grpo, "run_watched", log)

    def start(*overrides: str) -> Path:
        with pytest.raises(StageError, match="logged"):
            run(grpo.RECIPE, ["profile=tiny", f"out={tmp_path}", *overrides])
        return tmp_path / "grpo"

    return start


def test_verl_logs_into_the_run_s_folder(logged: Callable[..., Path], tmp_path: Path) -> None:
    folder = logged("trainer.logger=[console,file,tensorboard]")
    events = EventAccumulator(str(folder / "runs")).Reload()
    assert {name: events.Scalars(name)[0].value for name in FIGURES} == pytest.approx(FIGURES)
    # Before: it wrote here.
    assert not (tmp_path / "tensorboard_log").exists()
    progress = grpo.read_progress(folder, 20)
    assert progress is not None
    assert (progress.done, progress.note) == (1, "reward=1.00")
    grpo.merge_metrics(folder)
    assert '"reward/format": 0.5' in (folder / METRICS_FILE).read_text(encoding="utf-8")


def test_wandb_takes_our_figures(logged: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    for kind in ("", "CACHE_", "CONFIG_", "DATA_"):
        monkeypatch.setenv(f"WANDB_{kind}DIR", str(tmp_path))
    logged("trainer.logger=[file,wandb]")
    (written,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    assert all(name.encode() in written.read_bytes() for name in FIGURES)
