"""Whether a GRPO run can learn anything: a group whose rewards are all the same has no advantage (Eq. 1).

A run in which every group ties from the start, such as one from a base model that never writes the format, would go on
for days and end with the model that it began with, and a table would report that as a finding.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.files import whole_lines
from common.records import ROLLOUTS
from recipes.grpo_metrics import SAME, prompt_of


@dataclass(frozen=True)
class Signal:
    """What groups of rollouts tell.

    Attributes:
        steps: that were looked at.
        groups: of one prompt each.
        tied: groups whose rewards are all the same.
        best: those of them that have the highest reward of the whole run: they tie because there is nothing to gain.
        reward: mean over all rollouts.
    """

    steps: int
    groups: int
    tied: int
    best: int
    reward: float

    @property
    def share(self) -> float:
        """Of the groups that tie."""
        return self.tied / self.groups if self.groups else 0.0


def measure(folder: Path, rollouts: int, first: int | None = None) -> Signal:
    """The ties among the rollouts that verl dumped.

    Args:
        folder: GRPO's.
        rollouts: that a whole step has; a step that is still being written is left out.
        first: how many steps are looked at; None for all.
    """
    files = sorted((folder / ROLLOUTS).glob("*.jsonl"), key=lambda file: int(file.stem))
    steps = 0
    groups: list[list[float]] = []
    for file in files[:first]:
        rows: list[dict[str, Any]] = whole_lines(file)
        # Once a later step is there, this one is as it will stay.
        if len(rows) < rollouts and file == files[-1]:
            continue
        scores: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            scores[prompt_of(str(row["uid"]))].append(float(row["score"]))
        steps += 1
        # A rollout alone is no group: nothing can be told of it.
        groups += [group for group in scores.values() if len(group) > 1]
    rewards = [score for group in groups for score in group]
    tied = [group for group in groups if max(group) - min(group) < SAME]
    best = sum(group[0] > max(rewards) - SAME for group in tied) if len(tied) < len(groups) else 0
    return Signal(steps, len(groups), len(tied), best, sum(rewards) / len(rewards) if rewards else 0.0)


def no_signal(found: Signal, most_tied: float) -> str:
    """Why a finished run counts as one that learnt nothing, "" where it does not.

    Groups that tie at the highest reward are left out of the count: a run that has reached it has learnt.
    """
    starved = found.tied - found.best
    if not found.groups or starved / found.groups <= most_tied:
        return ""
    return f"no signal: {starved} of {found.groups} groups tie below the highest reward, more than {most_tied:.0%}"


class SignalWatch:
    """Asked while the run goes on, until its first steps are done.

    Attributes:
        reason: why the run had to be ended, "" while it may go on.
    """

    def __init__(self, folder: Path, rollouts: int, first_steps: int) -> None:
        """Watch the first `first_steps` steps of the run in `folder`, 0 for none; see `measure` for `rollouts`."""
        self._folder, self._rollouts, self._first = folder, rollouts, first_steps
        self._done = first_steps == 0
        self.reason = ""

    def __call__(self) -> str:
        """`reason`, once the steps are there."""
        # The files are counted first: they are read only when enough have come, and then no more.
        if self._done or len(list((self._folder / ROLLOUTS).glob("*.jsonl"))) < self._first:
            return self.reason
        found = measure(self._folder, self._rollouts, self._first)
        self._done = found.steps == self._first
        if self._done and 0 < found.groups == found.tied:
            self.reason = (
                f"no signal: all {found.groups} groups of the first {found.steps} steps tie (mean reward "
                f"{found.reward:.2f}), so there is no advantage and nothing to learn. recipe.signal.first_steps=0 "
                "runs it again without this check."
            )
        return self.reason
