"""An update on two nodes beside the same update on one: same rollouts, so the same loss and gradient norm.

    python -m benchmarks.nodes source=outputs/tiny out=outputs/nodes

Three runs of `make grpo` in the profile tiny. The first, on one process, writes its rollouts; the others take these by
verl's own replay (``skip.rollout_tq``): two processes on one node, and one on each of two nodes. The nodes are two of
Ray's on this machine, with addresses, ports and shared memory of their own, which the run joins by ``RAY_ADDRESS``.
Ends with status 1 where a figure differs by more than `TOLERANCE`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from omegaconf import MISSING, OmegaConf
from ray.cluster_utils import Cluster
from ray.util import get_node_ip_address

from common.code import REPO
from common.files import whole_lines
from common.records import METRICS_FILE
from common.settings import build

TOLERANCE: Final = 1e-4
# On one machine Ray's nodes need addresses of their own to be two; verl groups its processes by them. The first has the
# machine's: Ray takes a loopback address of its head for that one.
SECOND: Final = "127.0.0.2"
TWO_NODES: Final = "two nodes of one"
# In absolute terms: all of them are of the order of 0.01 to 1.
COMPARED: Final = ("actor/loss", "actor/pg_loss", "actor/kl_loss", "actor/grad_norm", "actor/entropy")
# What has to be the same to the last digit, since it comes with the rollouts.
REPLAYED: Final = ("critic/score/mean", "response_length/mean", "prompt_length/mean", "critic/advantages/max")
# What a run takes from the earlier stages.
STAGES: Final = ("data", "sft", "reward-model")


@dataclass(frozen=True)
class NodesConfig:
    """Where the runs begin and what they are.

    Attributes:
        source: a folder with data, sft and reward-model of the profile tiny.
        out: for the runs; those that are there are kept.
        steps: of each; from the second on they tell of the update before.
    """

    source: str = MISSING
    out: str = MISSING
    steps: int = 2


def copy_stages(source: Path, out: Path) -> None:
    """What GRPO reads, in a folder of its own."""
    for stage in STAGES:
        shutil.copytree(source / stage, out / stage)


def train(out: Path, overrides: list[str], environment: Mapping[str, str]) -> None:
    """What `make grpo OUT=…` runs; its output comes to the terminal.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "recipes.grpo", "profile=tiny", f"out={out}", *overrides]
    subprocess.run(command, cwd=REPO, env={**os.environ, **environment}, check=True)


@contextmanager
def two_nodes() -> Iterator[str]:
    """A Ray cluster of two nodes, each with slots for one process; gives the address to join it by."""
    folder = tempfile.mkdtemp(prefix="nodes-")
    # Ray notes in its folder which cluster came last, and whoever starts Ray on this machine would join it.
    os.environ["RAY_TMPDIR"] = folder
    cluster = Cluster()
    try:
        for address in (get_node_ip_address(), SECOND):
            cluster.add_node(node_ip_address=address, num_cpus=12, num_gpus=1, include_dashboard=False)
        cluster.wait_for_nodes()
        yield str(cluster.address)
    finally:
        cluster.shutdown()
        del os.environ["RAY_TMPDIR"]
        shutil.rmtree(folder, ignore_errors=True)


def report(runs: Mapping[str, Path]) -> float:
    """Print the figures of each step, and give the largest difference from the first run's."""
    records = {name: whole_lines(folder / "grpo" / METRICS_FILE) for name, folder in runs.items()}
    first, *others = records
    largest = 0.0
    print(f"\n| step | figure | {' | '.join(records)} | largest difference |\n|---|---|{'---:|' * (len(records) + 1)}")
    for number, record in enumerate(records[first]):
        for figure in (*REPLAYED, *COMPARED):
            values = [float(lines[number]["data"][figure]) for lines in records.values()]
            difference = max(abs(value - values[0]) for value in values)
            if figure in COMPARED:
                largest = max(largest, difference)
            elif difference:
                sys.exit(f"step {record['step']}: {figure} is {values}, the runs have not had the same rollouts")
            print(
                f"| {record['step']} | {figure} | {' | '.join(f'{value:.7f}' for value in values)} | {difference:.1e} |"
            )
    for name in others:
        log = (runs[name] / "grpo" / "train.log").read_text(encoding="utf-8", errors="replace")
        if log.count("Injected") != len(records[name]):
            sys.exit(f"{name}: verl took other rollouts than those of the first run, see {runs[name]}/grpo/train.log")
        # verl starts a server on the node of each training process.
        servers = re.search(r"LLMServerManager: \[(.*)\]", log)
        hosts = sorted(set(re.findall(r"'([0-9.]+):", servers[1]))) if servers else []
        if name == TWO_NODES and SECOND not in hosts:
            sys.exit(f"{name}: processes on {hosts}, none on {SECOND}, see {runs[name]}/grpo/train.log")
        print(f"{name}: processes and servers on {', '.join(hosts)}")
    return largest


def main(arguments: list[str]) -> None:
    """Run all three and compare them."""
    config = build(NodesConfig, OmegaConf.from_dotlist(arguments), "benchmarks.nodes")
    source, out = Path(config.source), Path(config.out).resolve()
    steps = list(range(1, config.steps + 1))
    common = [
        f"trainer.total_training_steps={config.steps}",
        f"trainer.save_freq={config.steps}",
        # Without a warm-up the first step already moves the weights.
        "actor_rollout_ref.actor.optim.lr_warmup_steps=0",
        "skip.rollout_tq.enable=true",
        f"skip.rollout_tq.dump_dir={out / 'rollouts'}",
        f"skip.rollout_tq.steps={json.dumps(steps)}",
    ]
    shapes = {
        "one process": [],
        "one node of two": ["trainer.n_gpus_per_node=2", "ray_kwargs.ray_init.num_gpus=2"],
        TWO_NODES: ["trainer.nnodes=2"],
    }
    runs = {}
    for name, shape in shapes.items():
        runs[name] = out / name.replace(" ", "-")
        if not runs[name].is_dir():
            copy_stages(source, runs[name])
        if name != TWO_NODES:
            train(runs[name], [*common, *shape], {})
            continue
        with two_nodes() as address:
            train(runs[name], [*common, *shape], {"RAY_ADDRESS": address})
    largest = report(runs)
    print(f"largest difference of loss and gradient norm: {largest:.1e}, allowed {TOLERANCE:g}")
    if largest > TOLERANCE:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
