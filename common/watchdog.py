"""Runs a long command with a log, a progress bar and limits, so that a hang is never silent.

A failed weight sync or a dead server leaves its driver waiting for ever; the watchdog ends the whole process tree
after a time limit, or when neither the log nor the progress has moved for a while, and shows the log's last lines.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from tqdm import tqdm

from common.errors import StageError

_POLL_S = 0.5
_GRACE_S = 10.0
_TAIL_LINES = 40


@dataclass(frozen=True)
class Limits:
    """How long a command may run, and how long it may be silent, in seconds."""

    total_s: float
    idle_s: float


@dataclass(frozen=True)
class Progress:
    """Where a command stands, read from the files it writes."""

    done: int
    total: int
    note: str = ""


def run_watched(
    name: str,
    command: Sequence[str],
    log: Path,
    limits: Limits,
    env: Mapping[str, str | float] | None = None,
    progress: Callable[[], Progress | None] = lambda: None,
    failure: Callable[[], str] = lambda: "",
) -> None:
    """Run `command`, its output in `log`, until it ends or a limit is reached.

    Args:
        env: added to this process's environment; a number, as an override reads one, becomes its text.
        progress: asked every half second; None while there is nothing to tell.
        failure: asked as often; a reason why the command, though it still runs, has to be ended, "" for none.

    Raises:
        StageError: the command failed or was ended at a limit; the message holds the log's last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"{name}: log in {log}", flush=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PATH": _path(), **{key: str(value) for key, value in (env or {}).items()}},
            preexec_fn=die_with_parent,
        )
    # `kill` of the stage becomes SystemExit here, so that the tree below it is ended too.
    previous = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
    try:
        verdict = _watch(name, process, log, limits, progress, failure)
    finally:
        end_tree(process.pid)
        process.wait()
        signal.signal(signal.SIGTERM, previous)
    if verdict:
        raise StageError(f"{name} {verdict}. The last lines of {log}:\n{tail(log)}")


def _path() -> str:
    """Our environment's programs first: LLaMA-Factory starts torchrun by its bare name, vLLM's compilers ninja."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _watch(
    name: str,
    process: subprocess.Popen[bytes],
    log: Path,
    limits: Limits,
    progress: Callable[[], Progress | None],
    failure: Callable[[], str],
) -> str:
    """Wait for the process; "" when it ended well, else what happened to it."""
    started = moved = time.monotonic()
    seen: tuple[int, Progress | None] = (0, None)
    with tqdm(desc=name, unit="step", dynamic_ncols=True, mininterval=1.0) as bar:
        while True:
            code = process.poll()
            state = progress()
            if state is not None and state != seen[1]:
                bar.total, bar.n = state.total, state.done
                bar.set_postfix_str(state.note, refresh=True)
            if reason := failure():
                return f"was ended: {reason}"
            if code is not None:
                return f"failed with exit status {code}" if code else ""
            now, sign = time.monotonic(), (log.stat().st_size, state)
            if sign != seen:
                seen, moved = sign, now
            if now - started > limits.total_s:
                return f"was ended after its limit of {limits.total_s:.0f} s"
            if now - moved > limits.idle_s:
                return f"was ended: no line and no step for {limits.idle_s:.0f} s"
            time.sleep(_POLL_S)


def end_tree(pid: int) -> None:
    """End a process and everything it started: politely first, by force after ten seconds."""
    try:
        root = psutil.Process(pid)
        tree = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        _signal(process, signal.SIGTERM)
    for process in psutil.wait_procs(tree, timeout=_GRACE_S)[1]:
        _signal(process, signal.SIGKILL)


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, whatever bytes it holds."""
    with log.open(encoding="utf-8", errors="replace") as file:
        return "".join(deque(file, maxlen=lines)).rstrip()


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def die_with_parent() -> None:
    """Ask Linux to end the child when this process is killed outright (prctl PR_SET_PDEATHSIG = 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
