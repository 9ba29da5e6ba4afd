"""`kill -9` of GRPO's processes at random moments of a tiny run, and what the run makes of it.

    python -m benchmarks.kills source=outputs/tiny out=outputs/kills
    python -m benchmarks.kills source=outputs/tiny out=outputs/kills kills=4 seed=7

First a run is left alone. Another one like it is killed again and again: its driver, the training worker, vLLM's
server, vLLM's engine and the reward worker in turn, at moments drawn over the start and the steps. After each kill the
command of `make grpo` is given again, unless the run has gone on by itself. The end is status 0 only where

- every restart loaded the states of optimizer and generators of its checkpoint, byte for byte;
- each step has its record, rollouts and learning rate once, and the prompts of the run that was left alone;
- every recorded reward is the one that its text gets, and each step's mean that of its rollouts;
- no process of a killed run was left.
"""

import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psutil
import torch
from omegaconf import MISSING, OmegaConf

from benchmarks.kills_check import faults
from benchmarks.loaded_state import LOADS_FILE, digest
from benchmarks.nodes import copy_stages
from common.code import REPO
from common.files import whole_lines
from common.records import METRICS_FILE, ROLLOUTS
from common.settings import build, limited
from common.watchdog import end_tree

# What a process calls itself; Ray's workers by their class.
TARGETS: Final = {
    "driver": "recipes.grpo_train",
    "training worker": "ray::WorkerDict",
    "vLLM's server": "ray::vLLMHttpServer",
    "vLLM's engine": "EngineCore",
    "reward worker": "ray::RewardWorker",
}
# Seconds of silence after which the watchdog ends a run.
IDLE_S: Final = 180
ATTEMPT: Final = "metrics.attempt.jsonl"
# Seconds within which the last process of a killed run has to be gone: Ray's two agents look five times whether their
# raylet is there, and then try for a minute to say so to a server that is gone as well.
LAST_S: Final = 120


@dataclass(frozen=True)
class KillsConfig:
    """The run and its kills.

    Attributes:
        source: a folder with data, sft and reward-model of the profile tiny.
        out: for both runs; made anew.
        kills: how many, the targets in turn.
        steps: of the run; each is saved.
        seed: of the moments.
    """

    source: str = MISSING
    out: str = MISSING
    kills: int = limited(10, 1)
    steps: int = limited(8, 5)
    seed: int = 1


@dataclass(frozen=True)
class Moment:
    """When to kill: in which step, 0 for the start of whatever attempt there is, and how far in it, 0 to 1."""

    step: int
    share: float


@dataclass(frozen=True)
class Pace:
    """Seconds of the start until the first step, and of a step with its checkpoint."""

    start_s: float
    step_s: float


class Run:
    """One GRPO run in a folder: the command of `make grpo`, as often as it is given."""

    def __init__(self, root: Path, steps: int) -> None:
        self.root, self.folder = root, root / "grpo"
        self._command = [
            *(sys.executable, "-m", "recipes.grpo", "profile=tiny", f"out={root}"),
            f"trainer.total_training_steps={steps}",
            "trainer.save_freq=1",
            "data.train_batch_size=4",
            "actor_rollout_ref.actor.ppo_mini_batch_size=4",
            "actor_rollout_ref.model.external_lib=benchmarks.kills_hook",
            f"recipe.limits.idle_s={IDLE_S}",
        ]
        self._log: IO[bytes] = (root / "grpo.log").open("ab")
        self.started = 0.0
        self._starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Give the command."""
        log, self._starts = self.folder / "train.log", self._starts + 1
        if log.is_file():
            log.rename(self.root / f"train.{self._starts}.log")
        self.started = time.monotonic()
        self.process = subprocess.Popen(self._command, cwd=REPO, stdout=self._log, stderr=subprocess.STDOUT)

    def step(self) -> int:
        """The last step on record, of this attempt or an earlier one; 0 for none."""
        records = [*whole_lines(self.folder / METRICS_FILE), *whole_lines(self.folder / ATTEMPT)]
        return max((record["step"] for record in records), default=0)

    def stepping(self) -> bool:
        """Whether this start has come to its steps: the trainer's bar is in its log."""
        log = self.folder / "train.log"
        return log.is_file() and b"Training Progress" in log.read_bytes()

    def running(self) -> bool:
        """Whether the command has not ended."""
        return self.process is not None and self.process.poll() is None

    def tree(self) -> list[psutil.Process]:
        """Its processes; [] after its end."""
        assert self.process
        try:
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def find(self, name: str) -> psutil.Process | None:
        """The process that calls itself so, None where there is none yet."""
        for process in self.tree():
            try:
                if name in " ".join(process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None

    def saved(self) -> dict[int, tuple[str, str]]:
        """Digests of the states of optimizer and generators in each checkpoint that can be read, by step."""
        found = {}
        for file in self.folder.glob("checkpoints/global_step_*/actor/optim_*.pt"):
            extra = file.with_name(file.name.replace("optim_", "extra_state_"))
            try:
                states = torch.load(file, weights_only=False), torch.load(extra, weights_only=False)["rng"]
            except Exception:  # of torch's own, whatever half a file makes of it
                continue
            found[int(file.parents[1].name.rsplit("_", 1)[1])] = digest(states[0]), digest(states[1])
        return found

    def loads(self) -> list[dict[str, Any]]:
        """What the worker said of each load."""
        return whole_lines(self.folder / LOADS_FILE)


def undisturbed(run: Run) -> Pace:
    """Let a run come to its end; gives its pace."""
    run.start()
    first = 0.0
    while run.running():
        if not first and run.step():
            first = time.monotonic() - run.started
        time.sleep(0.2)
    if run.process is None or run.process.returncode:
        sys.exit(f"the run that was left alone failed, see {run.root / 'grpo.log'}")
    seconds = [record["data"]["timing_s/step"] for record in whole_lines(run.folder / METRICS_FILE)]
    return Pace(first - seconds[0], statistics.median(seconds))


def draw(kills: int, steps: int, seed: int) -> list[Moment]:
    """The moments in order: a quarter while the run starts again, the others in a step, not the first or last three.

    In the first step there is no checkpoint yet, so the first kill is in a later one. A run that goes on by itself does
    two steps more before the next kill.
    """
    generator = random.Random(seed)
    drawn = [0 if number and generator.random() < 0.25 else generator.randint(2, steps - 3) for number in range(kills)]
    later = iter(sorted(step for step in drawn if step))
    return [Moment(next(later) if step else 0, generator.random()) for step in drawn]


def await_moment(run: Run, moment: Moment, pace: Pace) -> bool:
    """Wait for it; False where the run has ended before."""
    began = 0.0 if moment.step else run.started
    length = pace.step_s if moment.step else pace.start_s
    while run.running():
        now = time.monotonic()
        if not began and run.stepping() and run.step() >= moment.step - 1:
            began = now
        if began and now >= began + moment.share * length:
            return True
        time.sleep(0.1)
    return False


def kill(run: Run, target: str) -> tuple[int, list[psutil.Process]]:
    """Kill it, as soon as it is there; gives the last step on record, and the processes that the run then had."""
    while run.running():
        if process := run.find(TARGETS[target]):
            tree, step = run.tree(), run.step()
            process.send_signal(signal.SIGKILL)
            return step, tree
        time.sleep(0.1)
    sys.exit(f"the run ended before its {target} was there, see {run.root / 'grpo.log'}")


def outcome(run: Run, step: int, tree: list[psutil.Process], pace: Pace) -> tuple[str, str]:
    """What came of the kill and of the processes: the run has ended, or has done two steps more by itself."""
    killed = time.monotonic()
    while run.running():
        if run.step() > step + 1:
            return "went on by itself", ""
        if time.monotonic() - killed > 2 * (IDLE_S + pace.start_s):
            assert run.process
            end_tree(run.process.pid)
            return "hung", "the run neither ended nor went on"
        time.sleep(0.2)
    seconds = time.monotonic() - killed
    _, left = psutil.wait_procs(tree, timeout=LAST_S)
    names = [" ".join(_cmdline(process))[:60] for process in left]
    return f"ended after {seconds:.0f} s", f"left running: {', '.join(names)}" if names else ""


def _cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return ["?"]


def restart(run: Run) -> tuple[str, list[str]]:
    """Give the command again and wait until it has loaded what it goes on with; says what, and what was wrong."""
    saved, loads = run.saved(), len(run.loads())
    run.start()
    while run.running() and len(run.loads()) == loads and not run.stepping():
        time.sleep(0.2)
    if len(run.loads()) == loads:
        return ("nothing", []) if run.running() else ("–", ["the restart failed"])
    told = run.loads()[-1]
    if saved.get(told["step"]) == (told["optimizer"], told["generators"]):
        return f"step {told['step']}'s, byte for byte", []
    return f"ANOTHER than step {told['step']}'s", [f"the states loaded are not those of step {told['step']}"]


def disturbed(run: Run, moments: list[Moment], pace: Pace) -> Iterator[tuple[list[str], list[str]]]:
    """Kill and start again to the run's end; gives a row of the table and what was wrong, for each kill."""
    names = list(TARGETS)
    run.start()
    for number, moment in enumerate(moments):
        target = names[number % len(names)]
        if not await_moment(run, moment, pace):
            yield [str(number + 1), target, "–", "–", "ended before the kill", "–"], ["the run ended before its kill"]
            return
        after = time.monotonic() - run.started
        where = f"step {run.step() + 1}" if run.stepping() else "its start"
        step, tree = kill(run, target)
        what, fault = outcome(run, step, tree, pace)
        loaded, wrong = ("–", []) if run.running() else restart(run)
        row = [str(number + 1), target, f"{after:.0f} s", where, what, loaded]
        print("| " + " | ".join(row) + " |", *(["FAULT", fault] if fault else []), *wrong, flush=True)
        yield row, [*([fault] if fault else []), *wrong]
    while run.running():
        time.sleep(0.5)
    if run.process is None or run.process.returncode:
        yield [], [f"the last start failed, see {run.root / 'grpo.log'}"]


def main(arguments: list[str]) -> None:
    """Both runs, and what is to be said of them."""
    config = build(KillsConfig, OmegaConf.from_dotlist(arguments), "benchmarks.kills")
    out = Path(config.out).resolve()
    shutil.rmtree(out, ignore_errors=True)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(REPO), os.environ.get("PYTHONPATH", "")])
    roots = out / "alone", out / "killed"
    for root in roots:
        copy_stages(Path(config.source), root)
    alone, killed = (Run(root, config.steps) for root in roots)
    pace = undisturbed(alone)
    print(f"left alone: {pace.start_s:.0f} s until the first step, {pace.step_s:.1f} s a step", flush=True)
    rows, wrong = [], []
    try:
        for row, found in disturbed(killed, draw(config.kills, config.steps, config.seed), pace):
            rows += [row] if row else []
            wrong += found
    finally:
        if killed.running() and killed.process:
            end_tree(killed.process.pid)
    wrong += faults(alone.root, killed.root, config.steps)
    print("\n| | killed | after its start | in | the run | loaded then |\n|---:|---|---:|---|---|---|")
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))
    rollouts = sum(len(whole_lines(file)) for file in (killed.folder / ROLLOUTS).glob("*.jsonl"))
    print(f"{config.steps} steps, {rollouts} rollouts; faults: {len(wrong)}", *wrong, sep="\n")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
