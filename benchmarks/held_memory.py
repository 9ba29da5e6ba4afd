"""Memory that a run's processes hold while it goes on: of the cards that it sees, or of the host."""

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, NamedTuple, Self

import psutil

_EVERY_S: Final = 0.5
_LOOK_S: Final = 30
_MIB: Final = 2**20


class Device(NamedTuple):
    """A card, or the host, at one moment.

    Attributes:
        used: bytes, by the card's own count, which has what no process of ours is told to hold; None: the sum.
        held: bytes by process id, of the tree below this process alone.
    """

    used: int | None
    held: Mapping[int, int]


@dataclass
class HeldMemory:
    """Looks twice a second while it is entered; raises nothing then, since the run is worth more than the look.

    Attributes:
        on_cards: whether it is the cards' memory.
        most: bytes by what a process calls itself, on the card where they are most; of several with one name together.
        together: bytes of the fullest card, or of all processes on the host, at the fullest moment.
        problem: why a look failed, "" if none did. A container that hides its processes' ids leaves `most` empty.
    """

    on_cards: bool
    most: dict[str, int] = field(default_factory=dict)
    together: int = 0
    problem: str = ""
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Begin to look.

        Raises:
            OSError: there is no ``nvidia-smi``.
        """
        self.note(_cards() if self.on_cards else [_host()])
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Look no more."""
        self._done.set()
        self._thread.join(2 * _LOOK_S)

    def _look(self) -> None:
        while not self._done.wait(_EVERY_S):
            try:
                self.note(_cards() if self.on_cards else [_host()])
            except (OSError, subprocess.SubprocessError, ValueError) as failed:
                self.problem = str(failed)

    def note(self, devices: Sequence[Device]) -> None:
        """Take in a moment."""
        for used, held in devices:
            by_name: dict[str, int] = {}
            for pid, size in held.items():
                if name := _name(pid):
                    by_name[name] = by_name.get(name, 0) + size
            for name, size in by_name.items():
                self.most[name] = max(self.most.get(name, 0), size)
            self.together = max(self.together, sum(held.values()) if used is None else used)


def card_names() -> list[str]:
    """The cards that a run sees, such as "NVIDIA H200, 143771 MiB".

    Raises:
        OSError: there is no ``nvidia-smi``.
    """
    return _smi("--query-gpu=name,memory.total", "--format=csv,noheader")


def _name(pid: int) -> str:
    """What a process calls itself: Ray's workers by their class, others by module or program; "" when it is gone."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return ""
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    title = words[0].split(" ")[0] if words else ""
    if "::" not in title:
        return title.rpartition("/")[2]
    # ray::WorkerDict.actor_update changes with what it does, ray::vllm_server_0_0:vLLMHttpServer has a name of its own.
    kind, _, rest = title.split(".")[0].partition("::")
    return f"{kind}::{rest.rpartition(':')[2]}"


def _host() -> Device:
    held = {}
    for process in psutil.Process().children(recursive=True):
        try:
            # What is shared with others, such as the libraries' code, counts by this share.
            held[process.pid] = process.memory_full_info().pss
        except psutil.Error:
            continue
    return Device(None, held)


def _cards() -> list[Device]:
    ours = {process.pid for process in psutil.Process().children(recursive=True)}
    held: dict[str, dict[int, int]] = {}
    for line in _smi("--query-gpu=uuid,memory.used"):
        card, used = (each.strip() for each in line.split(","))
        held[card] = {-1: int(used) * _MIB}
    for line in _smi("--query-compute-apps=gpu_uuid,pid,used_memory"):
        card, process, size = (each.strip() for each in line.split(","))
        # "[N/A]" where the driver does not tell; another's, or an id outside of this container.
        if size.isdigit() and int(process) in ours and card in held:
            held[card][int(process)] = held[card].get(int(process), 0) + int(size) * _MIB
    return [Device(own.pop(-1), own) for own in held.values()]


def _smi(query: str, form: str = "--format=csv,noheader,nounits") -> list[str]:
    # It goes by no CUDA_VISIBLE_DEVICES of its own.
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    command = ["nvidia-smi", *(["-i", visible] if visible else []), query, form]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LOOK_S).stdout
    return [line for line in told.splitlines() if line.strip()]
