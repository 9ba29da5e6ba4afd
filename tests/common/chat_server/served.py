"""The scripted server as tests hold it: started, its address, its log, ended."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.code import REPO

_SCRIPT = Path(__file__).with_name("scripted.py")


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes:
        url: ends with /v1.
        log: of the completions that it sent whole.
    """

    url: str
    log: Path

    @property
    def paid(self) -> list[dict[str, Any]]:
        """The requests that were answered by a whole completion."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    @property
    def calls(self) -> int:
        """How many requests came."""
        file = self.log.with_suffix(".calls")
        return len(file.read_text()) if file.is_file() else 0


@contextmanager
def served(mode: str, log: Path, kill: int = 0) -> Iterator[Served]:
    """A scripted server in a process of its own.

    Args:
        mode: of `scripted.MODES`.
        log: as `scripted` writes it; a second server goes on with the first one's.
        kill: the call at which the process of ``log``'s .pid is ended.
    """
    with _process([str(_SCRIPT), mode, str(log), f"kill={kill}"], log) as server:
        yield server


@contextmanager
def faulty(kind: str, what: str, log: Path, kill: int = 0) -> Iterator[Served]:
    """A scripted teacher or a proxy that goes wrong, see `tests.common.chat_server.faulty`."""
    with _process(["-m", "tests.common.chat_server.faulty", kind, what, str(log), f"kill={kill}"], log) as server:
        yield server


@contextmanager
def _process(arguments: list[str], log: Path) -> Iterator[Served]:
    log.touch()
    command = [sys.executable, "-S", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPO)
    assert process.stdout
    try:
        yield Served(f"http://127.0.0.1:{int(process.stdout.readline())}/v1", log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
