"""Looks at each step's record while GRPO runs, and says so where the policy goes wrong.

An alarm is a line in the terminal and in ``alarms.log``; with ``recipe.alarms.stop=true`` it ends the run, whose
checkpoints stay.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final

from common.files import whole_lines, write_text
from recipes.grpo_metrics import ENTROPY
from recipes.grpo_validation import HELDOUT_ANSWER, REWARD, validation_figures

FORMAT: Final = "reward/format"
TIED: Final = "reward/tied"
_KL: Final = "actor/kl_loss"
# Validations over which a rise and a fall are told: one alone moves by chance.
_VALIDATIONS: Final = 4


class AlarmWatch:
    """Asked twice a second; reads the records only when there are more of them.

    Attributes:
        reason: why the run has to be ended, "" while it may go on.
    """

    def __init__(
        self,
        records: Path,
        limits: Mapping[str, Any],
        tell: Callable[[str], None],
        earlier: Sequence[Mapping[str, Any]] = (),
        log: Path | None = None,
    ) -> None:
        """Watch a run.

        Args:
            records: the file that verl's logger writes, a record a step; it may not be there yet.
            limits: ``recipe.alarms``.
            tell: takes a line for the user.
            earlier: records of the run before it was resumed, whose validations count too.
            log: a file that gets the alarms as well; those of steps that are done again are dropped.
        """
        self._records, self._limits, self._tell, self._log = records, limits, tell, log
        self._size, self._seen = 0, 0
        self._begun = bool(earlier)
        self._told: set[str] = set()
        self._validated: dict[int, dict[str, float]] = {}
        for record in earlier:
            self._note(int(record["step"]), record["data"])
        if log is not None and log.is_file():
            reached = max((int(record["step"]) for record in earlier), default=0)
            kept = [
                line for line in log.read_text(encoding="utf-8").splitlines(keepends=True) if _step(line) <= reached
            ]
            write_text(log, "".join(kept))
        self.reason = ""

    def __call__(self) -> str:
        """`reason`, after a look at what is new."""
        size = self._records.stat().st_size if self._records.is_file() else 0
        if size == self._size:
            return self.reason
        self._size = size
        records = whole_lines(self._records)
        for record in records[self._seen :]:
            self._look(int(record["step"]), record["data"])
        self._seen = len(records)
        return self.reason

    def _look(self, step: int, data: Mapping[str, float]) -> None:
        if not self._begun and {FORMAT, TIED} <= data.keys():
            self._tell(f"step {step}: format {data[FORMAT]:.0%}, groups that tie {data[TIED]:.0%}")
            self._begun = True
        found = alarms(data, self._limits)
        if self._note(step, data):
            found |= drifting(self._validated, self._limits["heldout_falls"])
        elif "heldout_falls" in self._told:
            # Until the next validation it is as it was.
            found["heldout_falls"] = ""
        # Once for each alarm until it has gone: a line a step would hide the others.
        new = [name for name in found if name not in self._told]
        for name in new:
            self._tell(f"step {step}: {found[name]}")
            if self._log is not None:
                with self._log.open("a", encoding="utf-8") as file:
                    file.write(f"step {step}: {found[name]}\n")
        self._told = set(found)
        if new and self._limits["stop"] and not self.reason:
            self.reason = f"alarm at step {step}: {found[new[0]]} (recipe.alarms.stop)"

    def _note(self, step: int, data: Mapping[str, float]) -> bool:
        """Whether the step has a validation that a held-out model scored; it is remembered."""
        figures = validation_figures(data)
        if HELDOUT_ANSWER in figures:
            self._validated[step] = figures
        return HELDOUT_ANSWER in figures


def _step(line: str) -> int:
    """Of a line of the log."""
    return int(line.partition(":")[0].removeprefix("step "))


def alarms(data: Mapping[str, float], limits: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a step, by the limit's key; no figure, or a limit of null, and it is passed over.

    Args:
        data: the step's record.
        limits: ``entropy_below`` in nats a token, ``kl_above`` in nats a token, ``tied_above`` as a share.
    """
    checks = {
        "entropy_below": (
            ENTROPY,
            lambda value, limit: value < limit,
            "entropy {:.3f} is below {}: all are alike",
        ),
        "kl_above": (_KL, lambda value, limit: value > limit, "KL {:.3f} is above {}: far from the SFT model"),
        "tied_above": (TIED, lambda value, limit: value > limit, "{:.0%} of the groups tie, more than {:.0%}"),
    }
    return {
        name: told.format(data[key], limits[name])
        for name, (key, broken, told) in checks.items()
        if limits[name] is not None and key in data and broken(data[key], limits[name])
    }


def drifting(validated: Mapping[int, Mapping[str, float]], limit: float | None) -> dict[str, str]:
    """The alarm that the reward rises while the held-out answer reward falls, by its key; {} without.

    Both changes are along the straight line that fits the last four validations best (least squares).

    Args:
        validated: the figures of each validation that a held-out model scored, by step.
        limit: both changes have to be larger; None for no alarm.
    """
    steps = sorted(validated)[-_VALIDATIONS:]
    if limit is None or len(steps) < _VALIDATIONS:
        return {}
    change = {
        name: linear_regression(steps, [validated[step][name] for step in steps]).slope * (steps[-1] - steps[0])
        for name in (REWARD, HELDOUT_ANSWER)
    }
    if change[REWARD] <= limit or change[HELDOUT_ANSWER] >= -limit:
        return {}
    told = f"over the validations of steps {steps[0]} to {steps[-1]} the reward rises by {change[REWARD]:.2f}, "
    told += f"while the held-out answer reward falls by {-change[HELDOUT_ANSWER]:.2f}: it may be gamed"
    return {"heldout_falls": told}
