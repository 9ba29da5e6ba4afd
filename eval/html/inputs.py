"""What the HTML report is made of, read from the folders of a run's stages."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from eval.compare import Gain
from eval.replies import read_references
from eval.results import Result
from eval.statistics import Interval
from reward_fns.coe_format import format_reward, partial_format_reward
from reward_fns.modes import FormatMode
from reward_fns.reward_model import Threshold

RANKED: Final = ("win_1", "win_2", "mean_rank")
"""Figures of a ranking, by people or by a judge."""

RANKED_BY: Final = ("ranking", "judge")
"""The stages of rankings: by people, and by a model."""

_POST: Final = ("title", "description", "topic", "crisis", "risks")
_SCORES: Final = ("question_id", "sample", "text", "shown", "fault", "chars", "cosine", "answer", "second")
_LOGGED: Final = {"reward": "critic/score/mean", "kl": "actor/kl_loss", "length": "response_length/mean"}
_VALIDATED: Final = re.compile(r"val-(?:core|aux)/.+/(reward|format|answer)/mean@\d+")


class ReportError(ValueError):
    """Files that no report can be made of; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run's results.

    Attributes:
        test: the questions, of ``test.parquet``.
        results: of protocol zh, in order.
        paper: of protocol paper, in the same order.
        scores: a row a reply, by model, in the same order.
        gains: of `eval.compare.compare`.
        curves: see `read_curves`; None for a run without GRPO.
        threshold: T of the reward model.
        heldout: kind and cosine of the reward model's held-out pairs; None where it kept none.
        rankings: by stage of `RANKED_BY`: model → figure of `RANKED` → interval.
        manifests: by stage, in the order in which they ran.
    """

    test: pd.DataFrame
    results: list[Result]
    paper: list[Result]
    scores: dict[str, pd.DataFrame]
    gains: list[Gain]
    curves: pd.DataFrame | None
    threshold: Threshold
    heldout: pd.DataFrame | None
    rankings: dict[str, dict[str, dict[str, Interval]]]
    manifests: dict[str, dict[str, Any]]


def read_run(root: Path, metrics: str, rollouts: str, heldout: str) -> Run:
    """Read the folder that holds a folder a stage.

    Args:
        metrics: name of verl's log in ``grpo``.
        rollouts: name of the folder of its dumped rollouts in ``grpo``, which may be missing.
        heldout: name of the held-out pairs in ``reward-model``, which may be missing.

    Raises:
        ReportError: a file is missing or not as its stage writes it.
        ValueError: likewise, of the readers of other modules; the message names the file.
        FileNotFoundError: the reward model has no threshold.
    """
    folder = root / "eval"
    gains = _gains(folder / "gains.json")
    by_stem = _results(folder, "zh", [name for gain in gains for name in (gain.theirs, gain.ours)])
    paper = _results(folder, "paper", [result.model for result in by_stem.values()])
    test = read_references(root / "data" / "test.parquet")
    _check_columns(test, _POST, root / "data" / "test.parquet", "data")
    manifests = _manifests(root)
    pairs = root / "reward-model" / heldout
    return Run(
        test=test,
        results=list(by_stem.values()),
        paper=list(paper.values()),
        scores={result.model: _scores(folder / f"{stem}.scores.parquet") for stem, result in by_stem.items()},
        gains=gains,
        curves=read_curves(root / "grpo" / metrics, root / "grpo" / rollouts, _format_mode(manifests.get("grpo", {}))),
        threshold=Threshold.load(root / "reward-model"),
        heldout=pd.read_parquet(pairs) if pairs.is_file() else None,
        rankings={
            by: read_ranking(root / by / f"{by}.json") for by in RANKED_BY if (root / by / f"{by}.json").is_file()
        },
        manifests=manifests,
    )


def read_curves(metrics: Path, rollouts: Path, format_mode: FormatMode) -> pd.DataFrame | None:
    """What GRPO did, step by step, from verl's file logger and, where they were dumped, its rollouts.

    verl's log names the parts of the reward at validation only; in training they follow from the dumped outputs.

    Args:
        metrics: JSON Lines with step and data.
        rollouts: a folder with ``<step>.jsonl``, an output and its score a line.
        format_mode: of the reward, by which format is told from answer.

    Returns:
        indexed by step: reward, kl, length, format, answer, val_reward, val_format and val_answer, NaN where a step
        tells nothing; None without a log.

    Raises:
        ReportError: a line that is not such an object.
    """
    if not metrics.is_file():
        return None
    steps: dict[int, dict[str, float]] = {}
    for record in _json_lines(metrics, ("step", "data")):
        data: dict[str, Any] = record["data"]
        told = {name: float(data[key]) for name, key in _LOGGED.items() if key in data}
        found: dict[str, list[float]] = {}
        for key, value in data.items():
            if match := _VALIDATED.fullmatch(key):
                found.setdefault(f"val_{match[1]}", []).append(float(value))
        steps[int(record["step"])] = told | {name: sum(values) / len(values) for name, values in found.items()}
    score_format = partial_format_reward if format_mode == "partial" else format_reward
    for file in sorted(rollouts.glob("*.jsonl")):
        rows = _json_lines(file, ("step", "output", "score"))
        if rows and (step := int(rows[0]["step"])) in steps:
            formats = [score_format(row["output"]) for row in rows]
            scores = [float(row["score"]) for row in rows]
            steps[step]["format"] = sum(formats) / len(rows)
            steps[step]["answer"] = (sum(scores) - sum(formats)) / len(rows)
    names = [*_LOGGED, "format", "answer", "val_reward", "val_format", "val_answer"]
    return pd.DataFrame.from_dict(steps, orient="index").reindex(columns=names).sort_index()


def read_ranking(path: Path) -> dict[str, dict[str, Interval]]:
    """Model → figure of `RANKED` → interval, from a ranking stage's file; empty where no question is ranked whole yet.

    Raises:
        ReportError: not JSON, or figures that are no intervals.
    """
    try:
        rows = list(_rows(json.loads(path.read_text(encoding="utf-8")), ""))
        return {
            name: {key: Interval(*(float(row[key][end]) for end in ("mean", "low", "high"))) for key in RANKED}
            for name, row in rows
        }
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ReportError(f"{path}: {error!r}, expected mean, low and high of {', '.join(RANKED)} by model") from error


def _rows(content: Any, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Every object with a ranking's figures, wherever it stands, with its model: its key ``model``, or its own name."""
    if isinstance(content, dict):
        if all(isinstance(content.get(key), dict) for key in RANKED):
            return [(str(content.get("model", name)), content)]
        return [row for key, value in content.items() for row in _rows(value, key)]
    return [row for value in content for row in _rows(value, name)] if isinstance(content, list) else []


def _gains(path: Path) -> list[Gain]:
    try:
        return [
            Gain(
                **{
                    **row,
                    "gain": Interval(**row["gain"]),
                    "at_equal_length": Interval(**row["at_equal_length"]) if row["at_equal_length"] else None,
                }
            )
            for row in json.loads(path.read_text(encoding="utf-8"))
        ]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ReportError(f"{path}: {error!r}, expected the gains of `make eval`. Run it again.") from error


def _results(folder: Path, protocol: str, order: Sequence[str]) -> dict[str, Result]:
    """By the files' stems, in the order of the models' names given, others last."""
    suffix = f".{protocol}.json"
    found = {path.name.removesuffix(suffix): Result.read(path) for path in sorted(folder.glob(f"*{suffix}"))}
    if not found:
        raise ReportError(f"{folder}: no *{suffix}, expected one for each model. Run `make eval` again.")
    place = {name: number for number, name in reversed(list(enumerate(order)))}
    return dict(sorted(found.items(), key=lambda item: place.get(item[1].model, len(order))))


def _scores(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise ReportError(f"{path} is missing, expected the scores of every reply. Run `make eval` again.")
    table = pd.read_parquet(path)
    _check_columns(table, _SCORES, path, "eval")
    numbers = table.select_dtypes("number")
    if numbers.isna().any(axis=None):
        row = int(numbers.isna().any(axis=1).to_numpy().argmax())
        raise ReportError(f"{path}, row {row}: a figure is missing or no number. Run `make eval` again.")
    return table


def _check_columns(table: pd.DataFrame, expected: Sequence[str], path: Path, made_by: str) -> None:
    if missing := [name for name in expected if name not in table.columns]:
        raise ReportError(f"{path}: no column {', '.join(missing)}. Run `make {made_by}` again.")


def _manifests(root: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(root.glob("*/manifest.json")):
        try:
            found[path.parent.name] = dict(json.loads(path.read_text(encoding="utf-8")))
        except (UnicodeDecodeError, json.JSONDecodeError, TypeError, ValueError) as error:
            raise ReportError(f"{path}: {error}. Run `make {path.parent.name}` again.") from error
    found.pop("report", None)
    return dict(sorted(found.items(), key=lambda item: str(item[1].get("started", ""))))


def _format_mode(manifest: dict[str, Any]) -> FormatMode:
    """How the run paid r_format, by GRPO's manifest."""
    reward = manifest.get("config", {}).get("reward", {}).get("custom_reward_function", {}).get("reward_kwargs", {})
    return "partial" if reward.get("format_mode") == "partial" else "exact"


def _json_lines(path: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line:
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ReportError(f"{path}:{number}: not JSON ({error}). Run `make grpo` again.") from error
        if not isinstance(row, dict) or not all(key in row for key in keys):
            raise ReportError(f"{path}:{number}: expected an object with {', '.join(keys)}. Run `make grpo` again.")
        rows.append(row)
    return rows
