"""Whether a GRPO run can learn anything: a group whose rewards are all the same has no advantage (Eq. 1).

A run in which every group ties from the start, such as one from a base model that never writes the format, would go on
for days and end with the model that it began with, and a table would report that as a finding.
"""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common.files import whole_lines, write_json
from common.records import ROLLOUTS

SIGNAL_FILE = "signal.json"


@dataclass(frozen=True)
class Signal:
    """What groups of rollouts tell.

    Attributes:
        steps: that were looked at.
        groups: of one prompt each.
        tied: groups whose rewards are all the same.
        reward: mean over all rollouts.
        none: the reason why the run is held to have no signal, "" where it has one.
    """

    steps: int
    groups: int
    tied: int
    reward: float
    none: str = ""

    @property
    def share(self) -> float:
        """Of the groups that tie."""
        return self.tied / self.groups if self.groups else 0.0

    def write(self, folder: Path) -> None:
        """Leave it in the stage's folder."""
        write_json(folder / SIGNAL_FILE, asdict(self), indent=1)

    @classmethod
    def read(cls, folder: Path) -> "Signal | None":
        """What was left in the stage's folder; None where nothing was."""
        file = folder / SIGNAL_FILE
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def measure(folder: Path, rollouts: int, first: int | None = None) -> Signal:
    """The ties among the rollouts that verl dumped.

    Args:
        folder: GRPO's.
        rollouts: that a whole step has; a step that is still being written is left out.
        first: how many steps are looked at; None for all.
    """
    files = sorted((folder / ROLLOUTS).glob("*.jsonl"), key=lambda file: int(file.stem))
    steps = groups = tied = 0
    rewards: list[float] = []
    for file in files[:first]:
        rows: list[dict[str, Any]] = whole_lines(file)
        if len(rows) < rollouts:
            continue
        scores: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            scores[row["uid"]].append(float(row["score"]))
        steps, groups = steps + 1, groups + len(scores)
        tied += sum(max(group) - min(group) < 1e-6 for group in scores.values())
        rewards += [score for group in scores.values() for score in group]
    return Signal(steps, groups, tied, sum(rewards) / len(rewards) if rewards else 0.0)


class SignalWatch:
    """Asked while the run goes on, until its first steps are done."""

    def __init__(self, folder: Path, rollouts: int, first_steps: int) -> None:
        """Watch the first `first_steps` steps of the run in `folder`; 0 for none."""
        self._folder, self._rollouts, self._first = folder, rollouts, first_steps
        self._seen = -1

    def __call__(self) -> str:
        """Why the run has to be ended, "" while it may go on."""
        dumped = len(list((self._folder / ROLLOUTS).glob("*.jsonl"))) if self._first else 0
        # Read only when a step has come, and no more once enough have.
        if dumped < self._first or self._seen >= self._first:
            return ""
        signal = measure(self._folder, self._rollouts, self._first)
        self._seen = signal.steps
        if signal.steps < self._first or signal.tied < signal.groups:
            return ""
        reason = (
            f"no signal: all {signal.groups} groups of the first {signal.steps} steps tie (mean reward "
            f"{signal.reward:.2f}), so there is no advantage and nothing to learn"
        )
        Signal(signal.steps, signal.groups, signal.tied, signal.reward, reason).write(self._folder)
        return f"{reason}. recipe.signal.first_steps=0 lets it go on."


def judge(folder: Path, rollouts: int, most_tied: float) -> Signal:
    """The signal of a finished run, left in its folder."""
    found = measure(folder, rollouts)
    none = (
        f"no signal: {found.tied} of {found.groups} groups tie, more than {most_tied:.0%}"
        if found.share > most_tied
        else ""
    )
    signal = Signal(found.steps, found.groups, found.tied, found.reward, none)
    signal.write(folder)
    return signal
