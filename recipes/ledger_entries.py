"""What the ledger keeps of a run that has been evaluated."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from common.code import REPO
from common.decisions import read_decisions
from common.files import write_json
from common.hashing import Hashes
from common.manifest import Manifest, read_manifest, stage_problem
from common.records import METRICS_FILE
from common.records.replies import read_models
from eval.curves import read_curves
from eval.ledger import Entry
from eval.results import Result
from eval.tables import Standings, read_standings
from recipes.variants import MAIN, TRAINING, load_variants, model_folders, variant_root

_RANKING: Final = "ranking.json"
# Which replies were ranked, beside the ranking.
_RANKED: Final = "ranked.json"


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
    decided, asked = read_decisions(root), read_manifest(root / "generate", "generate")
    read_manifest(root / "eval", "eval")
    results: dict[str, list[Result]] = {}
    for file in sorted((root / "eval").glob("*.zh.json")) + sorted((root / "eval").glob("*.paper.json")):
        result = Result.read(file)
        if not result.baseline:
            results.setdefault(result.model, []).append(result)
    folders = model_folders(root)
    made = {name: Manifest.find(folder) for name, folder in folders.items() if not stage_problem(folder)}
    silent = {name: one for name, one in made.items() if one and one.result.get("no_signal")}
    test_set, standings = _standings(root)
    for name in [*results, *(name for name in silent if name not in results)]:
        trained = made.get(name)
        curves = read_curves(folders[name]) if name in folders and (folders[name] / METRICS_FILE).is_file() else None
        yield Entry(
            profile=profile,
            corpus=decided.data_source,
            model=name,
            seed=seed,
            settings=settings_of(root, name),
            asked="" if name in silent else asked_of(root, name),
            commit=(trained or asked).git_commit,
            started=(trained or asked).started,
            seconds=trained.seconds if trained else None,
            results=[] if name in silent else results[name],
            no_signal=str(silent[name].result["no_signal"]) if name in silent else "",
            rewards=[] if curves is None else curves["reward"].dropna().tolist(),
            rankings={test_set: standings[name]} if name in standings else {},
            ranked_among=len(standings) if name in standings else 0,
        )


def settings_of(root: Path, model: str) -> str:
    """A digest of every setting that a model was trained with, but for the seed and where the run lies.

    Two runs of one digest differ in their seed alone, so tables may sum them up.
    """
    stages = [root / "data"]
    for name, variant in load_variants().items():
        if variant.row == model:
            own = variant_root(root, name)
            last = TRAINING.index(variant.model)
            kept = [stage for stage in TRAINING[: last + 1] if name == MAIN or stage in variant.stages]
            stages += [own / stage for stage in kept] if kept else [root / variant.model]
    return _digest({folder: _config(folder) for folder in stages}, root)


def asked_of(root: Path, model: str) -> str:
    """A digest of every setting by which a model was asked and its replies were scored, as `settings_of`."""
    generated = _config(root / "generate")
    # Which other models were asked in the same run decides nothing of this one.
    own = {**generated, "models": None, "entries": None, "asked": generated.get("asked", {}).get(model)}
    return _digest({root / "generate": own, root / "eval": _config(root / "eval")}, root)


def _config(folder: Path) -> dict[str, Any]:
    manifest = Manifest.find(folder)
    return dict(manifest.config) if manifest else {}


def _digest(configs: Mapping[Path, Mapping[str, Any]], root: Path) -> str:
    found = {str(folder.relative_to(root)): _without_place(config, root) for folder, config in configs.items()}
    return hashlib.sha256(json.dumps(found, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]


def _without_place(value: Any, root: Path) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_place(one, root) for key, one in value.items() if key != "seed"}
    if isinstance(value, list):
        return [_without_place(one, root) for one in value]
    if isinstance(value, str):
        for place, name in ((root.resolve(), "<run>"), (root, "<run>"), (REPO, "<repository>")):
            value = value.replace(str(place), name)
    return value


def note_ranked(root: Path, models: Sequence[str]) -> None:
    """Note beside people's ranking which replies it is of."""
    write_json(root / "ranking" / _RANKED, {"replies": _replies(root, models)})


def _standings(root: Path) -> tuple[str, Standings]:
    """People's ranking and its test set; nothing without one, or where it is of other replies than today's."""
    folder = root / "ranking"
    if not (folder / _RANKING).is_file():
        return "", {}
    test_set, standings = read_standings(folder / _RANKING)
    noted = folder / _RANKED
    told = json.loads(noted.read_text(encoding="utf-8"))["replies"] if noted.is_file() else ""
    if told != _replies(root, list(standings)):
        print(f"tables: {folder / _RANKING} ranks other replies than those of now; it is left out.", flush=True)
        return "", {}
    return test_set, standings


def _replies(root: Path, models: Sequence[str]) -> str:
    """A digest of the replies of these models; of none that is not there."""
    folder = root / "generate"
    files = [folder / one.file for one in read_models(folder) if one.name in models]
    return Hashes(root).of(files)
