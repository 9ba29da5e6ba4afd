"""Our tiny GRPO beside TRL's GRPOTrainer: the same loss on the same batch, then the speed and the reward of both.

    make trl-env                                            # TRL, in a folder of its own
    python -m benchmarks.grpo out=outputs/tiny              # a folder in which `make demo` has run
    python -m benchmarks.grpo out=outputs/tiny steps=20 generator=transformers

Model, prompts and their order, group, limits, sampling, reward, learning rate and optimiser are the same, and
everything is in float32. Ours runs through `recipes.grpo`, with Ray, verl's vLLM server and the reward worker. TRL runs
in one process afterwards, on the prompts that ours dumped, with the same torch, transformers and vLLM. Others on the
machine would spoil the figures.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from common.code import REPO
from common.decisions import read_decisions
from common.errors import StageError
from common.files import whole_lines, write_text
from common.records import METRICS_FILE, ROLLOUTS
from common.settings import build, check, limited, one_of
from common.watchdog import Limits, run_watched
from recipes.grpo_config import compose_config

# A stage's folders that GRPO reads.
_NEEDED = ("data", "sft", "reward-model", "grpo")


@dataclass(frozen=True)
class Options:
    """What is compared.

    Attributes:
        out: a run's folder: its data, SFT model and reward model are used, and its GRPO model is the later policy of
            the losses.
        into: where both runs and their logs go; what a former benchmark left there is replaced.
        profile: of ``verl_configs/``.
        seed: of both.
        steps: of both.
        rows: of TRL's micro-batches; verl's are the profile's.
        generator: TRL's, "vllm" in its own process or "transformers".
        trl: the folder that holds TRL.
    """

    out: str = "outputs/tiny"
    into: str = "outputs/benchmark_grpo"
    profile: str = "tiny"
    seed: int = 42
    steps: int = limited(10, 3)
    rows: int = limited(4, 1)
    generator: str = field(default="vllm", metadata=one_of(("vllm", "transformers")))
    trl: str = ".trl"

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Run:
    """What one side did.

    Attributes:
        name: with version.
        generator: what wrote the outputs.
        start_s: from its start to its first step.
        first_s: the first step, which warms up.
        step_s: a later one.
        parts: seconds of it by phase.
        rewards: mean of each step.
        kl: of each step, to the reference.
        rates: learning rate of each update.
        tokens: prompts' and outputs', a step.
    """

    name: str
    generator: str
    start_s: float
    first_s: float
    step_s: float
    parts: dict[str, float]
    rewards: list[float]
    kl: list[float]
    rates: list[float]
    tokens: float


def losses(options: Options, config: Path, env: dict[str, str]) -> list[dict[str, Any]]:
    """Both losses, see `benchmarks.grpo_losses`."""
    grpo, result = Path(options.out) / "grpo", Path(options.into) / "losses.json"
    arguments = [str(config), str(grpo / ROLLOUTS / "1.jsonl"), str(options.rows), str(result), str(grpo)]
    _run("losses", ["benchmarks.grpo_losses", *arguments], Path(options.into), env)
    found: list[dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))
    return found


def run_verl(options: Options, overrides: Sequence[str]) -> Run:
    """Ours, in a folder of links to what the run reads."""
    own = Path(options.into) / "verl"
    common = [f"profile={options.profile}", f"out={own}", f"seed={options.seed}", "force=true"]
    started = time.time()
    _run("verl", ["recipes.grpo", *common, *overrides], Path(options.into), {})
    steps = [record["data"] for record in whole_lines(own / "grpo" / METRICS_FILE)]
    ends = [(own / "grpo" / ROLLOUTS / f"{step}.jsonl").stat().st_mtime for step in range(1, options.steps + 1)]
    first_s = steps[0]["timing_s/step"]

    def part(name: str) -> float:
        return statistics.mean(step[f"timing_s/{name}"] for step in steps[1:])

    return Run(
        f"verl {version('verl')}",
        f"vLLM {version('vllm')}, a server",
        ends[0] - first_s - started,
        first_s,
        (ends[-1] - ends[0]) / (len(ends) - 1),
        {"generation": part("gen"), "old policy": part("old_log_prob"), "reference": part("ref")},
        [step["critic/score/mean"] for step in steps],
        [step["actor/kl_loss"] for step in steps],
        [0.0, *(step["actor/lr"] for step in steps[:-1])],  # verl logs the next update's
        statistics.mean(step["perf/total_num_tokens"] for step in steps),
    )


def run_trl(options: Options, config: Path, env: dict[str, str]) -> Run:
    """TRL's, see `benchmarks.grpo_trl`."""
    into = Path(options.into)
    dumps, result = into / "verl" / "grpo" / ROLLOUTS, into / "trl.json"
    started = time.time()
    arguments = [str(config), str(dumps), options.generator, str(options.rows), str(result)]
    _run("trl", ["benchmarks.grpo_trl", *arguments], into, env)
    found = json.loads(result.read_text(encoding="utf-8"))
    ends = found["ends"]
    return Run(
        f"TRL {found['version']}",
        f"vLLM {version('vllm')}, in the process" if options.generator == "vllm" else "transformers",
        found["began"] - started,
        ends[0] - found["began"],
        (ends[-1] - ends[0]) / (len(ends) - 1),
        {"generation": found["spent_s"]["gen"], "old policy": 0.0, "reference": found["spent_s"]["ref"]},
        found["rewards"],
        found["kl"],
        found["rates"],
        found["tokens"][-1] / len(ends),
    )


def loss_table(found: Sequence[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = [
        f"{found[0]['outputs']} outputs, {found[0]['tokens']} tokens, float32",
        "",
        "| | loss, verl | loss, TRL | difference | gradient's norm, verl | TRL | difference, relative | clipped | by "
        "dual clip | KL |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['name']} | {row['verl']:.6f} | {row['trl']:.6f} | {abs(row['verl'] - row['trl']):.1e} "
        f"| {row['verl_gradient']:.5f} | {row['trl_gradient']:.5f} | {row['gradient_difference']:.1e} "
        f"| {row['clipped']:.3f} | {row['dual_clipped']:.4f} | {row['kl']:.4f} |"
        for row in found
    ]
    return "\n".join(lines)


def run_table(runs: Sequence[Run]) -> str:
    """As Markdown, a column a side."""
    half = len(runs[0].rewards) // 2
    rest = [run.step_s - sum(run.parts.values()) for run in runs]
    rows = {
        "generation by": [run.generator for run in runs],
        "start-up": [f"{run.start_s:.0f} s" for run in runs],
        "first step": [f"{run.first_s:.1f} s" for run in runs],
        "steps a minute after it": [f"{60 / run.step_s:.2f}" for run in runs],
        "a step": [f"{run.step_s:.1f} s" for run in runs],
        **{f"of it {name}": [f"{run.parts[name]:.1f} s" for run in runs] for name in runs[0].parts},
        "of it update and all else": [f"{seconds:.1f} s" for seconds in rest],
        "tokens a step": [f"{run.tokens:.0f}" for run in runs],
        "tokens a second": [f"{run.tokens / run.step_s:.0f}" for run in runs],
        f"mean reward, {len(runs[0].rewards)} steps": [f"{statistics.mean(run.rewards):.3f}" for run in runs],
        f"first {half}": [f"{statistics.mean(run.rewards[:half]):.3f}" for run in runs],
        f"last {half}": [f"{statistics.mean(run.rewards[-half:]):.3f}" for run in runs],
        "KL to the SFT model at the last": [f"{run.kl[-1]:.4f}" for run in runs],
        "learning rate of the second update, the last": [f"{run.rates[1]:.2e}, {run.rates[-1]:.2e}" for run in runs],
    }
    head = ["| | " + " | ".join(run.name for run in runs) + " |", "|---|" + "---:|" * len(runs)]
    return "\n".join([*head, *(f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows.items())])


def _prepare(options: Options) -> None:
    """Make the folders.

    Raises:
        StageError: a part of the run or TRL is missing.
    """
    for name in _NEEDED:
        if not (Path(options.out) / name / "manifest.json").is_file():
            raise StageError(f"{options.out} has no finished {name}. Run `make demo OUT={options.out}` first.")
    if not Path(options.trl, "trl").is_dir():
        raise StageError(f"{options.trl} holds no TRL. Run `make trl-env`, or name its folder by trl=.")
    own = Path(options.into) / "verl"
    own.mkdir(parents=True, exist_ok=True)
    for name in _NEEDED[:-1]:
        link = own / name
        link.unlink(missing_ok=True)
        link.symlink_to((Path(options.out) / name).resolve())


def _run(name: str, command: Sequence[str], into: Path, env: dict[str, str]) -> None:
    run_watched(name, [sys.executable, "-m", *command], into / f"{name}.log", Limits(7200, 600), env)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    options = build(Options, OmegaConf.from_dotlist(list(arguments)), "benchmarks.grpo")
    _prepare(options)
    own = Path(options.into) / "verl"
    overrides = [
        f"trainer.total_training_steps={options.steps}",
        f"trainer.save_freq={options.steps}",  # once: TRL saves nothing
    ]
    composed = compose_config(options.profile, own, options.seed, read_decisions(own), overrides)
    config = Path(options.into) / "config.yaml"
    write_text(config, OmegaConf.to_yaml(composed, resolve=True))
    paths = [str(Path(options.trl).resolve()), str(REPO), os.environ.get("PYTHONPATH", "")]
    env = {name: str(value) for name, value in composed.recipe.env.items()} | {"PYTHONPATH": os.pathsep.join(paths)}
    print(f"\n{loss_table(losses(options, config, env))}\n", flush=True)
    runs = [run_verl(options, overrides), run_trl(options, config, env)]
    print(f"\n{run_table(runs)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except StageError as error:
        sys.exit(f"error: {error}")
