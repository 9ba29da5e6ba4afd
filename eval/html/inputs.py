"""What the HTML report is made of, read from the folders of a run's stages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.files import FileError
from common.hashing import Input
from common.manifest import MANIFEST, Manifest, require_stage
from common.records import HELDOUT_FILE, METRICS_FILE, PROBES_FILE, ROLLOUTS
from common.records.references import read_references
from common.records.replies import file_stem
from eval.compare import Gain
from eval.curves import read_curves
from eval.results import Result
from eval.statistics import Interval, PValue
from eval.tables import ResultTable, Standings, read_standings
from eval.tables_folder import TABLES_FILE, read_tables
from reward_fns.reward_model import THRESHOLD_FILE, Threshold

# The stages of rankings: by people, and by a model.
RANKED_BY: Final = ("ranking", "judge")

_POST: Final = ("id", "references", "test_set", "title", "description", "topic", "crisis", "risk_level", "risks")
_SCORES: Final = ("question_id", "sample", "text", "shown", "fault", "chars", "cosine", "answer", "heldout_answer")


@dataclass(frozen=True, slots=True)
class Run:
    """One run's results.

    Attributes:
        test: the questions, of ``test.parquet``.
        results: of protocol zh, test set by test set, the models of each in order.
        baselines: likewise, see `eval.baselines`.
        paper: of protocol paper, in the same order.
        scores: a row a reply to a question of any test set, by model, in order.
        gains: of `eval.compare.compare`.
        curves: see `read_curves`; None for a run without GRPO.
        threshold: T of the reward model.
        heldout: kind and cosine of the reward model's held-out pairs; None where it kept none.
        probes: rows of PROBES_FILE: the genuine responses, then every attack; none without `make reward-probes`.
        rankings: by stage of `RANKED_BY`.
        manifests: by stage, in the order in which they ran.
        tables: the paper's tables over several runs, as `make tables` drew them last; none without it.
    """

    test: pd.DataFrame
    results: list[Result]
    baselines: list[Result]
    paper: list[Result]
    scores: dict[str, pd.DataFrame]
    gains: list[Gain]
    curves: pd.DataFrame | None
    threshold: Threshold
    heldout: pd.DataFrame | None
    probes: list[dict[str, Any]]
    rankings: dict[str, Standings]
    manifests: dict[str, Manifest]
    tables: list[ResultTable]


def files_of_run(root: Path) -> dict[str, Input]:
    """Every file that the report is made of, by stage, in the folder that holds a folder a stage.

    A ranking's own file stands for its stage, since people's and a judge's work may still go on.

    Raises:
        StageError: a stage is missing or not whole; the message names its make target.
    """
    for name in ("data", "reward-model", "eval", *(["grpo"] if (root / "grpo" / METRICS_FILE).is_file() else [])):
        require_stage(root / name, name)
    patterns = {
        "data": ["data/test.parquet"],
        "eval": ["eval/*.zh.json", "eval/*.paper.json", "eval/*.scores.parquet", "eval/gains.json"],
        "reward-model": [f"reward-model/{THRESHOLD_FILE}", f"reward-model/{HELDOUT_FILE}"],
        "reward-probes": [f"reward-probes/{PROBES_FILE}"],
        "grpo": [f"grpo/{METRICS_FILE}", f"grpo/{ROLLOUTS}/*.jsonl"],
        "tables": [f"tables/{TABLES_FILE}"],
        **{by: [f"{by}/{by}.json"] for by in RANKED_BY},
    }
    found = {name: [file for pattern in own for file in sorted(root.glob(pattern))] for name, own in patterns.items()}
    return {**{name: files for name, files in found.items() if files}, "manifests": _manifest_files(root)}


def read_run(root: Path) -> Run:
    """Read the folder that holds a folder a stage.

    Raises:
        FileError: a file is missing or not as its stage writes it.
        ValueError: likewise, of the readers of other modules; the message names the file.
        FileNotFoundError: the reward model has no threshold.
    """
    folder = root / "eval"
    test = read_references(root / "data" / "test.parquet", _POST)
    gains = _gains(folder / "gains.json")
    sets = list(test["test_set"].unique())
    found = _results(folder, "zh", [name for gain in gains for name in (gain.theirs, gain.ours)], sets)
    results = [result for result in found if not result.baseline]
    models = list(dict.fromkeys(result.model for result in results))
    manifests = _manifests(root)
    threshold = Threshold.load(root / "reward-model")
    # How the run paid r_format, by GRPO's manifest.
    grpo = manifests["grpo"].config if "grpo" in manifests else {}
    reward = grpo.get("reward", {}).get("custom_reward_function", {})
    format_mode = str(reward.get("reward_kwargs", {}).get("format_mode", "exact"))
    return Run(
        test=test,
        results=results,
        baselines=[result for result in found if result.baseline],
        paper=_results(folder, "paper", models, sets),
        scores={model: _scores(folder / f"{file_stem(model)}.scores.parquet") for model in models},
        gains=gains,
        curves=read_curves(root / "grpo", format_mode),
        threshold=threshold,
        heldout=pd.read_parquet(pairs) if (pairs := root / "reward-model" / HELDOUT_FILE).is_file() else None,
        probes=_probes(root / "reward-probes" / PROBES_FILE, threshold.value),
        rankings={by: read_standings(file)[1] for by in RANKED_BY if (file := root / by / f"{by}.json").is_file()},
        manifests=manifests,
        tables=read_tables(root / "tables" / TABLES_FILE),
    )


def _gains(path: Path) -> list[Gain]:
    try:
        return [
            Gain(
                **{
                    **row,
                    **{key: row[key] and Interval(**row[key]) for key in ("gain", "shown", "at_equal_length")},
                    **{key: row[key] and PValue(**row[key]) for key in ("p", "p_shown")},
                    "visible": tuple(row["visible"]),
                }
            )
            for row in json.loads(path.read_text(encoding="utf-8"))
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path}: {error!r}, expected the gains of `make eval`. Run it again.") from error


def _probes(path: Path, threshold: float) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tried = float(content["threshold"])
        rows = [{key: row[key] for key in ("name", "what", "answers", "passed")} for row in content["probes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path}: {error!r}, expected T and the rows of `make reward-probes`. Run it again.") from error
    if tried != threshold:
        raise FileError(
            f"{path}: attacks on a reward model with T = {tried:.4f}, that of this run has {threshold:.4f}. "
            "Run `make reward-probes` again."
        )
    return rows


def _results(folder: Path, protocol: str, models: Sequence[str], sets: Sequence[str]) -> list[Result]:
    """In the order of the test sets and models given, others last."""
    found = [Result.read(path) for path in sorted(folder.glob(f"*.{protocol}.json"))]
    if not found:
        raise FileError(f"{folder}: no *.{protocol}.json, expected one for each model. Run `make eval` again.")

    def place(name: str, order: Sequence[str]) -> int:
        return order.index(name) if name in order else len(order)

    return sorted(found, key=lambda one: (place(one.test_set, sets), one.baseline, place(one.model, models)))


def _scores(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise FileError(f"{path} is missing, expected the scores of every reply. Run `make eval` again.")
    table = pd.read_parquet(path)
    if missing := [name for name in _SCORES if name not in table.columns]:
        raise FileError(f"{path}: no column {', '.join(missing)}. Run `make eval` again.")
    if (broken := table.select_dtypes("number").isna().any(axis=1).to_numpy()).any():
        raise FileError(f"{path}, row {broken.argmax()}: a figure is missing or no number. Run `make eval` again.")
    return table


def _manifest_files(root: Path) -> list[Path]:
    return [path for path in sorted(root.glob(f"*/{MANIFEST}")) if path.parent.name != "report"]


def _manifests(root: Path) -> dict[str, Manifest]:
    found: dict[str, Manifest] = {}
    for path in _manifest_files(root):
        stage = path.parent.name
        if (manifest := Manifest.find(path.parent)) is None:
            raise FileError(f"{path}: not the manifest of a stage of this version. Run `make {stage}` again.")
        found[stage] = manifest
    return dict(sorted(found.items(), key=lambda item: item[1].started))
