"""The bytes of the plan beside the real thing: modules, optimizer, vLLM's cache, PyTorch's memory tracker."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch._subclasses import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig
from verl.utils.torch_functional import logprobs_from_logits

from common.errors import StageError
from recipes.planning import memory
from recipes.planning.check import make_setup
from recipes.planning.constants import constants
from recipes.planning.setup import Setup
from recipes.planning.shapes import find_encoder, find_shape, shape_of

SHAPES = {
    "qwen3, tied": ("qwen3", {"num_key_value_heads": 2, "head_dim": 32, "tie_word_embeddings": True}),
    "qwen3": ("qwen3", {"num_key_value_heads": 4, "head_dim": 16, "tie_word_embeddings": False}),
    "qwen2, tied": ("qwen2", {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    "llama": ("llama", {"num_key_value_heads": 4, "tie_word_embeddings": False}),
}
# Of the models' cards and of their files' indices.
PUBLISHED = {
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-1.7B": 1_720_574_976,
    "Qwen/Qwen3-4B": 4_022_468_096,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
}

ENCODERS = {
    "Qwen/Qwen3-Embedding-0.6B": 595_776_512,
    "BAAI/bge-m3": 567_754_752,
    "BAAI/bge-base-zh-v1.5": 102_267_648,
    "BAAI/bge-small-zh-v1.5": 23_953_920,
}


def _config(kind: str) -> PretrainedConfig:
    family, own = SHAPES[kind]
    common = {
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "vocab_size": 300,
    }
    return AutoConfig.for_model(family, **common, **own)


def _setup(**changes: object) -> Setup:
    of = {"model": "Qwen/Qwen3-0.6B", "card": "rtx4090", "cards": 1, "prompt": 500, "response": 400, "longest": 1024}
    step = {"prompts": 8, "rollouts": 4, "mini": 8, "micro": 2, "scored": 4}
    return make_setup({**of, **step, **changes})


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_parameters_are_the_published_ones(name: str, parameters: int) -> None:
    assert find_shape(name).parameters == parameters


@pytest.mark.parametrize(("name", "parameters"), ENCODERS.items())
def test_encoders_have_their_published_size_and_no_head(name: str, parameters: int) -> None:
    shape = find_encoder(name)
    assert shape is not None
    assert shape.parameters == parameters
    assert shape.computing == shape.layers * shape.layer < parameters


def test_an_encoder_may_be_a_folder(tmp_path: Path) -> None:
    _config("qwen3").save_pretrained(tmp_path)
    shape = find_encoder(str(tmp_path))
    assert shape is not None
    assert shape.layers == 3
    assert find_encoder("someone/else") is None


@pytest.mark.parametrize("kind", SHAPES)
def test_states_are_the_bytes_of_a_real_step(kind: str) -> None:
    model = AutoModelForCausalLM.from_config(_config(kind), dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters())
    model(input_ids=torch.arange(8)[None], labels=torch.arange(8)[None]).loss.backward()
    optimizer.step()
    moments = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    told = memory.states(replace(_setup(), shape=shape_of(_config(kind), kind)))
    assert told["weights"] == sum(each.nbytes for each in model.parameters())
    assert told["gradients"] == sum(each.grad.nbytes for each in model.parameters())
    assert told["Adam"] == sum(each.nbytes for each in moments)


@pytest.mark.parametrize("kind", SHAPES)
def test_lora_trains_as_many_numbers_as_peft(kind: str) -> None:
    adapted = get_peft_model(
        AutoModelForCausalLM.from_config(_config(kind)),
        LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    setup = replace(_setup(lora=4), shape=shape_of(_config(kind), kind))
    assert setup.trained == sum(each.numel() for each in adapted.parameters() if each.requires_grad)


def test_keys_and_values_are_vllms() -> None:
    interface = pytest.importorskip("vllm.v1.kv_cache_interface")
    for name in PUBLISHED:
        shape = find_shape(name)
        groups = shape.keys * shape.heads // shape.queries
        spec = interface.FullAttentionSpec(
            block_size=16, num_kv_heads=groups, head_size=shape.queries // shape.heads, dtype=torch.bfloat16
        )
        assert shape.kv_bytes() == shape.layers * spec.page_size_bytes / 16


def _tracked(kind: str, tokens: int, checkpointing: bool, **sizes: int) -> tuple[Setup, float]:
    """A setup of one row, and the peak bytes of a pass through its layers, gradients and weights taken out."""
    config = AutoConfig.for_model(kind, vocab_size=64, max_position_embeddings=8192, tie_word_embeddings=True, **sizes)
    with FakeTensorMode(allow_non_fake_inputs=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa", dtype=torch.bfloat16).model.train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        for parameter in model.parameters():
            # Sharded away as soon as they are there.
            parameter.register_post_accumulate_grad_hook(lambda each: setattr(each, "grad", None))
        tracker = MemTracker()
        tracker.track_external(model)
        with tracker:
            ids = torch.zeros(1, tokens, dtype=torch.long)
            out = model(input_ids=ids, position_ids=torch.arange(tokens)[None], use_cache=False)
            out.last_hidden_state.sum().backward()
        peak = next(iter(tracker.get_tracker_snapshot("peak").values()))["Total"]
        weights = sum(parameter.nbytes for parameter in model.parameters())
    shape = shape_of(config, kind)
    # Where layers are computed again, the peak has the gradient of the largest weight, which counts as gathered.
    return replace(_setup(checkpointing=checkpointing), shape=shape), peak - weights - checkpointing * 2 * shape.largest


@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize(
    "sizes",
    [
        {
            "hidden_size": 512,
            "intermediate_size": 1536,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "head_dim": 128,
        },
        {
            "hidden_size": 768,
            "intermediate_size": 1024,
            "num_attention_heads": 6,
            "num_key_value_heads": 2,
            "head_dim": 64,
        },
    ],
)
def test_activations_are_what_pytorch_tracks(sizes: dict[str, int], checkpointing: bool) -> None:
    setup, peak = _tracked("qwen3", 512, checkpointing, num_hidden_layers=3, **sizes)
    assert memory.activations(setup, 512) == pytest.approx(peak, rel=0.06)


def test_logits_are_what_pytorch_tracks() -> None:
    tokens, words = 64, 20_000
    with FakeTensorMode(allow_non_fake_inputs=True):
        head = torch.nn.Linear(8, words, bias=False, dtype=torch.bfloat16)
        head.weight.register_post_accumulate_grad_hook(lambda each: setattr(each, "grad", None))
        hidden = torch.zeros(tokens, 8, dtype=torch.bfloat16, requires_grad=True)
        tracker = MemTracker()
        tracker.track_external(head, hidden)

        def log_probs() -> torch.Tensor:
            return logprobs_from_logits(head(hidden), torch.zeros(tokens, dtype=torch.long))

        with tracker:
            log_probs().sum().backward()
        peak = next(iter(tracker.get_tracker_snapshot("peak").values()))["Total"] - head.weight.nbytes
    assert peak / tokens / words == pytest.approx(constants().logit_bytes, rel=0.01)


def test_offloading_takes_states_off_the_card_while_vllm_has_it() -> None:
    kept, moved = (
        memory.estimate(_setup(offload_weights=each, offload_optimizer=each), constants()) for each in (False, True)
    )
    states = memory.states(_setup())
    saved = sum(kept.phases["rollout"].values()) - sum(moved.phases["rollout"].values())
    assert saved == pytest.approx(states["weights"] + states["Adam"])
    assert sum(kept.phases["update"].values()) == pytest.approx(sum(moved.phases["update"].values()))


def test_deferred_gradients_stay_whole_until_the_last_micro_batch() -> None:
    one = _setup(cards=4, prompts=16, mini=16)
    held = memory.states(replace(one, deferred=True))
    assert held["gradients"] == 4 * one.shape.parameters == 4 * memory.states(one)["gradients"]
    assert held["Adam"] == memory.states(one)["Adam"]
    # With a single micro-batch there is nothing to defer.
    assert memory.states(replace(one, deferred=True, micro=16)) == memory.states(one)
    assert replace(one, micro=0, micro_tokens=16 * 900).accumulates is False
    assert replace(one, micro=0, micro_tokens=16 * 900 - 1).accumulates is True


def test_a_largest_micro_batch_has_room_for_long_rows() -> None:
    setup = _setup()
    assert setup.largest(1, 0) > setup.lengths.mean
    assert setup.largest(2, 0) <= 2 * (500 + 1024)
    assert replace(setup, padded=True).largest(2, 0) == 2 * (500 + 1024)
    assert setup.largest(0, 4096) == 4096


def test_a_model_of_no_known_kind_is_named() -> None:
    with pytest.raises(StageError, match=r"model=/absent/model: .* Give MODEL= a folder, or one of .*Qwen3-8B"):
        find_shape("/absent/model")
