"""A hang, a crash and a kill are all seen, and leave no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from common.errors import StageError
from common.watchdog import Limits, Progress, run_watched, tail

GENEROUS = Limits(total_s=60, idle_s=60)


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def alive_with(mark: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if mark in " ".join(p.info["cmdline"] or [])]


def test_success_writes_the_log_and_passes_the_environment(tmp_path: Path) -> None:
    code = "import os; print(os.environ['A'], os.environ['B'])"
    run_watched("x", python(code), tmp_path / "log", GENEROUS, env={"A": "你好", "B": 2})
    assert tail(tmp_path / "log") == "你好 2"


def test_failure_shows_the_log_s_last_lines(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"(?s)exit status 3.*the reason"):
        run_watched("x", python("print('the reason'); raise SystemExit(3)"), tmp_path / "log", GENEROUS)


def test_silence_is_ended_with_all_children(tmp_path: Path) -> None:
    mark = f"mark-{os.getpid()}-silence"
    code = f"import subprocess, time; subprocess.Popen(['sleep', '600']); print('started {mark}'); time.sleep(600)"
    with pytest.raises(StageError, match=r"(?s)no line and no step for 1 s.*started"):
        run_watched("x", python(code), tmp_path / "log", Limits(total_s=60, idle_s=1))
    assert alive_with(mark) == []


def test_total_limit_holds_for_a_busy_process(tmp_path: Path) -> None:
    code = "import time\nwhile True: print('busy'); time.sleep(0.1)"
    with pytest.raises(StageError, match="limit of 1 s"):
        run_watched("x", python(code), tmp_path / "log", Limits(total_s=1, idle_s=60))


def test_progress_counts_as_a_sign_of_life(tmp_path: Path) -> None:
    started = time.monotonic()

    def progress() -> Progress:
        return Progress(int((time.monotonic() - started) * 2), 10)

    run_watched("x", python("import time; time.sleep(3)"), tmp_path / "log", Limits(60, 2), progress=progress)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_stage_takes_its_process_with_it(number: signal.Signals, tmp_path: Path) -> None:
    mark = f"mark-{os.getpid()}-{number.name}"
    inner = f"import time; print('up'); time.sleep(600)  # {mark}"
    code = (
        "from pathlib import Path; from common.watchdog import Limits, run_watched\n"
        f"command, log = [{sys.executable!r}, '-u', '-c', {inner!r}], Path({str(tmp_path / 'log')!r})\n"
        "run_watched('x', command, log, Limits(99, 99))"
    )
    stage = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = tmp_path / "log"
    deadline = time.monotonic() + 60
    while not (log.is_file() and "up" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.2)
    stage.send_signal(number)
    stage.wait(30)
    while alive_with(mark) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert alive_with(mark) == []
