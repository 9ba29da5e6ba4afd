"""What GRPO did, step by step, from verl's log and from the rollouts that it dumped."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.files import FileError, read_json_lines
from common.records import METRICS_FILE, ROLLOUTS
from reward_fns.coe_format import FORMAT_REWARDS, format_reward

_LOGGED: Final = {"reward": "critic/score/mean", "kl": "actor/kl_loss", "length": "response_length/mean"}
_VALIDATED: Final = re.compile(r"val-(?:core|aux)/.+/(reward|format|answer)/mean@\d+")
_HELDOUT: Final = "val/heldout_answer"


def read_curves(grpo: Path, format_mode: str = "exact") -> pd.DataFrame | None:
    """What GRPO did, step by step, from verl's file logger and, where they were dumped, its rollouts.

    verl's log names the parts of the reward at validation only; in training they follow from the dumped outputs.

    Args:
        grpo: the stage's folder: METRICS_FILE has a step and its data a line, ROLLOUTS ``<step>.jsonl`` with an output
            and its score a line.
        format_mode: of the reward, by which format is told from answer; a mode that only a reward of one's own knows is
            read as "exact".

    Returns:
        indexed by step: reward, kl, length, format, answer, val_reward, val_format, val_answer and heldout_answer (the
        validation outputs' by a reward model that was not trained on), NaN where a step tells nothing; None without a
        log.

    Raises:
        FileError: a line that is not such an object, or no step with a reward.
    """
    metrics = grpo / METRICS_FILE
    if not metrics.is_file():
        return None
    steps: dict[int, dict[str, float]] = {}
    for record in _records(metrics, ("step", "data")):
        data: dict[str, Any] = record["data"]
        told = {name: float(data[key]) for name, key in _LOGGED.items() if key in data}
        found: dict[str, list[float]] = {}
        for key, value in data.items():
            if match := _VALIDATED.fullmatch(key):
                found.setdefault(f"val_{match[1]}", []).append(float(value))
        if _HELDOUT in data:
            told["heldout_answer"] = float(data[_HELDOUT])
        steps[int(record["step"])] = told | {name: sum(values) / len(values) for name, values in found.items()}
    score_format = FORMAT_REWARDS.get(format_mode, format_reward)
    for file in sorted((grpo / ROLLOUTS).glob("*.jsonl")):
        rows = _records(file, ("step", "output", "score"))
        if rows and (step := int(rows[0]["step"])) in steps:
            formats = sum(score_format(row["output"]) for row in rows)
            answers = sum(float(row["score"]) for row in rows) - formats
            # Without a format in the reward there is no curve of it.
            told = {} if format_mode == "none" else {"format": formats / len(rows)}
            steps[step] |= told | {"answer": answers / len(rows)}
    names = *_LOGGED, "format", "answer", "val_reward", "val_format", "val_answer", "heldout_answer"
    curves = pd.DataFrame.from_dict(steps, orient="index").reindex(columns=names).sort_index()
    if curves["reward"].isna().all():
        raise FileError(f"{metrics}: no step has {_LOGGED['reward']}, expected verl's log. Run `make grpo` again.")
    return curves


def _records(path: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    rows = dict(read_json_lines(path))
    if lacking := [number for number, row in rows.items() if not all(key in row for key in keys)]:
        raise FileError(f"{path}:{lacking[0]}: expected an object with {', '.join(keys)}. Run `make grpo` again.")
    return list(rows.values())
