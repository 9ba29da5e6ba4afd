"""Looks at each step's record while GRPO runs, and says so where the policy goes wrong.

An alarm is a line in the terminal; with ``recipe.alarms.stop=true`` it ends the run, whose checkpoints stay.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from common.files import whole_lines

FORMAT: Final = "reward/format"
TIED: Final = "reward/tied"
_ENTROPY: Final = "actor/entropy"
_KL: Final = "actor/kl_loss"


class AlarmWatch:
    """Asked twice a second; reads the records only when there are more of them.

    Attributes:
        reason: why the run has to be ended, "" while it may go on.
    """

    def __init__(self, records: Path, limits: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """Watch a run.

        Args:
            records: the file that verl's logger writes, a record a step; it may not be there yet.
            limits: ``recipe.alarms``.
            tell: takes a line for the user.
        """
        self._records, self._limits, self._tell = records, limits, tell
        self._size, self._seen = 0, 0
        self._told: set[str] = set()
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
        if not self._seen and not self._told and {FORMAT, TIED} <= data.keys():
            self._tell(f"step {step}: format {data[FORMAT]:.0%}, groups that tie {data[TIED]:.0%}")
            self._told.add("")
        found = alarms(data, self._limits)
        # Once for each alarm until it has gone: a line a step would hide the others.
        for name in found.keys() - self._told:
            self._tell(f"step {step}: {found[name]}")
        self._told = {"", *found}
        if found and self._limits["stop"] and not self.reason:
            self.reason = f"alarm at step {step}: {next(iter(found.values()))} (recipe.alarms.stop)"


def alarms(data: Mapping[str, float], limits: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a step, by the limit's key; no figure, or a limit of null, and it is passed over.

    Args:
        data: the step's record.
        limits: ``entropy_below`` in nats a token, ``kl_above`` in nats a token, ``tied_above`` as a share.
    """
    checks = {
        "entropy_below": (
            _ENTROPY,
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
