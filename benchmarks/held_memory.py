"""Memory that a run's processes hold while it goes on: of the cards where there are any, else of the host."""

import subprocess
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import psutil
import torch

_EVERY_S: Final = 0.5
_MIB: Final = 2**20
_SMI: Final = ("nvidia-smi", "--format=csv,noheader,nounits")


@dataclass
class HeldMemory:
    """Looks twice a second at the tree below this process while it is entered.

    Attributes:
        on_cards: whether it is the cards' memory.
        most: bytes by what a process calls itself, each at its own most; of several with one name all together.
        together: bytes of all processes at the fullest moment; on cards what the fullest card says of itself, which
            counts CUDA's contexts too.
    """

    on_cards: bool = field(default_factory=torch.cuda.is_available)
    most: dict[str, int] = field(default_factory=dict)
    together: int = 0
    _done: threading.Event = field(default_factory=threading.Event)
    _failed: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Look no more.

        Raises:
            Exception: what made looking impossible.
        """
        self._done.set()
        self._thread.join()
        if self._failed is not None and error is None:
            raise self._failed

    def _look(self) -> None:
        try:
            while not self._done.wait(_EVERY_S):
                self.note(*(_on_cards() if self.on_cards else _on_host()))
        except (OSError, subprocess.CalledProcessError, ValueError) as failed:
            self._failed = failed

    def note(self, held: Mapping[int, int], together: int | None) -> None:
        """Take in a moment.

        Args:
            held: bytes by process id.
            together: bytes of the fullest card; None: the sum of the processes'.
        """
        by_name: dict[str, int] = {}
        for pid, size in held.items():
            name = _name(pid)
            by_name[name] = by_name.get(name, 0) + size
        for name, size in by_name.items():
            self.most[name] = max(self.most.get(name, 0), size)
        self.together = max(self.together, sum(by_name.values()) if together is None else together)


def _name(pid: int) -> str:
    """What a process calls itself: Ray's workers by their class, others by their module or program."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return "gone"
    if not words:
        return "gone"
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    # ray::WorkerDict.actor_update changes with what it does.
    return words[0].split(".")[0].split(" ")[0] if "::" in words[0] else words[0].rpartition("/")[2].split(" ")[0]


def _on_host() -> tuple[dict[int, int], None]:
    held = {}
    for process in psutil.Process().children(recursive=True):
        try:
            # What is shared with others, such as the libraries' code, counts once by this share.
            held[process.pid] = process.memory_full_info().pss
        except psutil.Error:
            continue
    return held, None


def _on_cards() -> tuple[dict[int, int], int]:
    used = _lines("--query-gpu=memory.used")
    held: dict[int, int] = {}
    for line in _lines("--query-compute-apps=pid,used_memory"):
        pid, size = line.split(",")
        # A container may hide how much each has.
        if size.strip().isdigit():
            held[int(pid)] = held.get(int(pid), 0) + int(size) * _MIB
    return held, max(int(each) for each in used) * _MIB


def _lines(query: str) -> Iterable[str]:
    told = subprocess.run([*_SMI, query], check=True, capture_output=True, text=True).stdout
    return [line for line in told.splitlines() if line.strip()]
