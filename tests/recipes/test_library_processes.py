"""The libraries' own code in processes of its own: what verl and TransferQueue reserve of Ray, and verl's engines."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from verl.utils.torch_functional import entropy_from_logits, entropy_from_logits_with_chunking

from common.code import REPO
from common.decisions import DataDecisions
from recipes.grpo_config import compose_config
from recipes.grpo_machine import cpu_slots_needed, gpus_needed
from tests.recipes.test_base import SHIPPED

DECIDED: Final = DataDecisions("sample", "coe", "系统", False, 1024, 1024, str(SHIPPED))
# verl's own settings of the reference model, which the profile had before.
PLAIN_REFERENCE: Final = [
    "actor_rollout_ref.ref.fsdp_config.model_dtype=fp32",
    "actor_rollout_ref.ref.fsdp_config.entropy_from_logits_with_chunking=false",
]
# Everything that a run reserves, by its own functions, while three of the slots are taken; then one of these is given
# back, then all. Empty classes stand for the reward models, and for verl's router, which asks for no slots.
RESERVE: Final = """
import json, sys, threading
from types import SimpleNamespace
import ray, transfer_queue
from omegaconf import OmegaConf
from ray.util import placement_group, remove_placement_group
from recipes.grpo_train import _start_workers
from reward_fns import reward_worker
from verl.trainer.ppo.v1.trainer_base import PPOTrainer
from verl.workers.rollout.router import get_router_handle

class Empty:
    def __init__(self, *_, **__): pass
    def threshold(self): return 0.0

config, slots, gpus = OmegaConf.load(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
reward_worker.RewardWorker = Empty
# Its module would be imported in each actor.
reward_worker.RewardWorkerConfig.__reduce__ = lambda self: (dict, ())
ray.init(address="local", num_cpus=slots, num_gpus=gpus, include_dashboard=False, log_to_driver=False)
taken = [placement_group([{"CPU": 1}]) for _ in range(3)]
ray.get([group.ready() for group in taken])
workers = _start_workers(config)
transfer_queue.init(config.transfer_queue)
trainer = SimpleNamespace(config=config)
PPOTrainer._init_resource_pool_mgr(trainer)
trainer.resource_pool_manager.create_resource_pool()
pools = trainer.resource_pool_manager.resource_pool_dict.values()
reserving = threading.Thread(target=lambda: [pool.get_placement_groups() for pool in pools], daemon=True)
reserving.start()
reserving.join(3)
found = {"three fewer": not reserving.is_alive()}
remove_placement_group(taken.pop())
reserving.join(60)
found["two fewer"] = not reserving.is_alive()
for group in taken:
    remove_placement_group(group)
started = get_router_handle({}, load_balancer_cls=Empty).__ray_ready__.remote()
found["an actor besides"] = bool(ray.wait([started], timeout=60)[0])
transfer_queue.close()
print("FOUND" + json.dumps(found))
"""
# verl's workers of a role, built and asked as the trainer does; noted is which function took the entropy.
BUILD: Final = """
import json, sys
import torch
from omegaconf import OmegaConf
from verl.utils import tensordict_utils, torch_functional
from verl.workers.engine_workers import ActorRolloutRefWorker

asked = []
def noting(function):
    def noted(logits, **options):
        asked.append(function.__name__)
        return function(logits, **options)
    return noted

for name in ("entropy_from_logits", "entropy_from_logits_with_chunking"):
    setattr(torch_functional, name, noting(getattr(torch_functional, name)))

def nested(*rows):
    return torch.nested.nested_tensor(list(rows) * 2, layout=torch.jagged)

found = []
for file, role in zip(sys.argv[1::2], sys.argv[2::2]):
    worker = ActorRolloutRefWorker(OmegaConf.load(file).actor_rollout_ref, role)
    worker.init_model()
    rows = {
        "input_ids": nested(torch.arange(5, 25), torch.arange(9, 16)),
        "position_ids": nested(torch.arange(20), torch.arange(7)),
        "loss_mask": nested(torch.ones(20), torch.ones(7)),
    }
    options = {"temperature": 1.0, "calculate_entropy": True, "compute_loss": False}
    asked.clear()
    getattr(worker, role).infer_batch(tensordict_utils.get_tensordict(rows, options))
    types = {str(value.dtype) for value in getattr(worker, role).engine.module.parameters()}
    found.append([role, sorted(types), list(asked)])
print("FOUND" + json.dumps(found))
"""


def found_by(code: str, arguments: list[str], environment: Mapping[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        cwd=REPO,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rpartition("FOUND")[2])


def written(config: DictConfig, file: Path) -> str:
    file.write_text(OmegaConf.to_yaml(config, resolve=True), encoding="utf-8")
    return str(file)


@pytest.mark.slow
def test_ray_starts_everything_with_the_slots_that_are_asked_for(tmp_path: Path) -> None:
    # Before: as many slots as cores, eight storage units, and a run that waited for ever.
    config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, [])
    Path(config.recipe.heldout).mkdir()
    slots, gpus = cpu_slots_needed(config), gpus_needed(config)
    arguments = [written(config, tmp_path / "config.yaml"), str(slots), str(gpus)]
    # Ray believes in them, and nothing is computed on one.
    environment = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(gpus)))}
    found = found_by(RESERVE, arguments, environment)
    # The last two are for starting others.
    assert found == {"three fewer": False, "two fewer": True, "an actor besides": True}


@pytest.mark.slow
def test_verl_s_engines_are_as_the_profile_says(tmp_path: Path) -> None:
    def config(name: str, *overrides: str) -> str:
        composed = compose_config("qwen3_8b", tmp_path, 42, DECIDED, list(overrides))
        composed.actor_rollout_ref.model.path = str(SHIPPED)
        composed.actor_rollout_ref.model.external_lib = "recipes.verl_cpu.engine"
        return written(composed, tmp_path / name)

    ours, before = config("ours.yaml"), config("before.yaml", *PLAIN_REFERENCE)
    on_a_cpu = compose_config("tiny", tmp_path, 42, DECIDED, []).recipe.env
    alone = {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    environment = {name: str(value) for name, value in on_a_cpu.items()}
    environment |= {**alone, "DIST_INIT_METHOD": f"file://{tmp_path}/meeting"}
    assert found_by(BUILD, [ours, "ref", ours, "actor", before, "ref"], environment) == [
        ["ref", ["torch.bfloat16"], ["entropy_from_logits_with_chunking"]],
        ["actor", ["torch.float32"], ["entropy_from_logits_with_chunking"]],
        ["ref", ["torch.float32"], ["entropy_from_logits"]],
    ]


@pytest.mark.parametrize("rows", [1, 2048, 5000])
def test_the_entropy_in_chunks_is_the_entropy(rows: int) -> None:
    logits = 3 * torch.randn(rows, 200, generator=torch.Generator().manual_seed(rows))
    assert torch.allclose(entropy_from_logits_with_chunking(logits), entropy_from_logits(logits), atol=1e-5)
