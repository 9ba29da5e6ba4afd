"""What the ledger keeps of a run that has been evaluated."""

from collections.abc import Iterator
from pathlib import Path

from common.decisions import read_decisions
from common.manifest import Manifest, read_manifest, stage_problem
from common.records import METRICS_FILE
from eval.ledger import Entry
from eval.report import read_curves
from eval.results import Result
from eval.tables import Standings, read_standings
from recipes.variants import model_folders

_RANKED: Path = Path("ranking") / "ranking.json"


def entries_of_run(root: Path, profile: str, seed: int) -> list[Entry]:
    """An entry for every model that `make eval` has scored, and for every variant that had no signal.

    Args:
        root: the main run's folder.

    Raises:
        FileError: a result is not as its stage writes it.
        StageError: the data or the evaluation are missing or not whole.
    """
    return list(_entries(root, profile, seed))


def _entries(root: Path, profile: str, seed: int) -> Iterator[Entry]:
    corpus, asked = read_decisions(root).data_source, read_manifest(root / "generate", "generate")
    read_manifest(root / "eval", "eval")
    results: dict[str, list[Result]] = {}
    for file in sorted((root / "eval").glob("*.zh.json")) + sorted((root / "eval").glob("*.paper.json")):
        result = Result.read(file)
        results.setdefault(result.model, []).append(result)
    folders = model_folders(root)
    made = {name: Manifest.find(folder) for name, folder in folders.items() if not stage_problem(folder)}
    silent = {name: one for name, one in made.items() if one and one.result.get("no_signal")}
    test_set, standings = read_standings(root / _RANKED) if (root / _RANKED).is_file() else ("", Standings())
    for name in [*results, *(name for name in silent if name not in results)]:
        manifest = made.get(name) or asked
        curves = read_curves(folders[name]) if name in folders and (folders[name] / METRICS_FILE).is_file() else None
        yield Entry(
            profile=profile,
            corpus=corpus,
            model=name,
            seed=seed,
            commit=manifest.git_commit,
            started=manifest.started,
            seconds=manifest.seconds or 0.0,
            results=[] if name in silent else results[name],
            no_signal=str(silent[name].result["no_signal"]) if name in silent else "",
            rewards=[] if curves is None else curves["reward"].dropna().tolist(),
            rankings={test_set: standings[name]} if name in standings else {},
        )
