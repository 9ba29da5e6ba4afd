"""The paper's Tables 2 to 4: every run that they need and that is not there yet, then the tables.

    make tables                                                 # the profile's seeds, one after the other
    make tables ARGS="seeds=[1]"                                # one seed a day
    make tables ARGS="action=draw"                              # from the ledger alone, without any run
    make tables ARGS="baselines=[EmoLLM] args.generate.entries.EmoLLM.model=/models/emollm"
    make tables ARGS="args.data.tests=[/data/PsyQA_full.json] args.grpo.trainer.total_training_steps=100"

Each seed is a run of every stage, with the variants of ``profiles/variants.yaml``: that of ``SEED`` in ``OUT``, others
in ``OUT/seeds/<seed>``. A stage that is done is not done again, so a killed command goes on where it was. What a
finished run scored is appended to ``results/<profile>.jsonl``, which git tracks; ``OUT/tables`` has the tables as
Markdown and LaTeX, and ``OUT/report/report.html`` shows them once that run is among the seeds.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from common.errors import StageError
from common.files import FileError
from common.manifest import Manifest
from common.settings import check, one_of
from common.watchdog import die_with_parent
from eval.ledger import add_entries, read_entries
from eval.sources import BASE
from eval.tables_folder import write_tables
from recipes.ledger_entries import entries_of_run
from recipes.own_models import THINKING, trained_models
from recipes.profile import Common, load_profile
from recipes.stage import main
from recipes.variants import MAIN, TRAINING, load_variants

_AFTER: Final = ("generate", "eval", "report")


@dataclass(frozen=True)
class TablesConfig:
    """What the tables are made of.

    Attributes:
        action: "run" what is missing, then draw; "draw" from the ledger alone.
        seeds: a run each.
        baselines: further models of Table 2, entries of ``eval/generation/models.yaml``.
        args: keys of a stage, by its make target: what stands in ``ARGS`` when it is run by itself.
        ledger: the file with a line for every finished run.
    """

    action: str = field(default="run", metadata=one_of(("run", "draw")))
    seeds: list[int] = field(default_factory=lambda: [42])
    baselines: list[str] = field(default_factory=list)
    args: dict[str, Any] = field(default_factory=dict)
    ledger: str = "results/runs.jsonl"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: no seed or one twice, or arguments of a stage that is not run.
        """
        check(self)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds={self.seeds}: expected one or more, each once")
        if unknown := [name for name in self.args if name not in (*TRAINING, *_AFTER)]:
            raise ValueError(f"args.{unknown[0]}: expected of {', '.join((*TRAINING, *_AFTER))}")


@dataclass(frozen=True)
class _Step:
    """One stage of one run, as its make target does it."""

    stage: str
    out: Path
    seed: int
    variant: str = MAIN
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.stage}" + (f" of {self.variant}" if self.variant != MAIN else "")


def run(arguments: Sequence[str]) -> None:
    """Run what is missing, and draw.

    Raises:
        StageError: a stage failed, or the ledger is not as it was written.
    """
    common, config = load_profile(arguments, "tables", TablesConfig)
    ledger, rows = Path(config.ledger), [variant.row for variant in load_variants().values()]
    if common.variant != MAIN:
        raise StageError("tables: every variant is run. Leave VARIANT out.")
    try:
        if config.action == "run":
            for seed in config.seeds:
                _run_seed(common, config, seed, ledger)
        drawn = write_tables(read_entries(ledger), common.profile, common.root / "tables", rows)
    except FileError as error:
        raise StageError(f"tables: {error}") from error
    if not drawn:
        raise StageError(f"tables: {ledger} has no run of profile {common.profile}. Run `make tables` first.")
    if config.action == "run" and common.seed in config.seeds:
        # Last of all, since it shows the tables.
        _do(common, config, _Step("report", common.root, common.seed))
    print(f"tables: {', '.join(map(str, drawn))}")


def _run_seed(common: Common, config: TablesConfig, seed: int, ledger: Path) -> None:
    out = common.root if seed == common.seed else common.root / "seeds" / str(seed)
    if (there := Manifest.find(out / "data")) and there.seed != seed:
        raise StageError(
            f"tables: {out} holds a run of seed {there.seed}, and seed {seed} would be made in its place. SEED= names "
            "the run that lies in OUT itself: leave it out, or use another OUT."
        )
    for step in _training(out, seed):
        _do(common, config, step)
    models = [BASE, *trained_models(out), THINKING, *config.baselines]
    _do(common, config, _Step("generate", out, seed, more=(f"models={json.dumps(models, ensure_ascii=False)}",)))
    _do(common, config, _Step("eval", out, seed))
    added = add_entries(ledger, entries_of_run(out, common.profile, seed))
    print(f"tables: seed {seed}: {added} new lines in {ledger}", flush=True)
    if seed != common.seed:
        _do(common, config, _Step("report", out, seed))


def _training(out: Path, seed: int) -> Iterator[_Step]:
    for name, variant in load_variants().items():
        for stage in TRAINING if name == MAIN else variant.stages:
            yield _Step(stage, out, seed, name)


def _do(common: Common, config: TablesConfig, step: _Step) -> None:
    """Run a stage in a process of its own: what it loads is gone with it.

    Raises:
        StageError: it failed; it has said why.
    """
    passed = {"profile": common.profile, "out": step.out, "model": common.model, "corpus": common.corpus}
    # A result that takes seconds is made again, whatever is accepted of those that take hours.
    accept = common.accept and step.stage not in ("eval", "report")
    passed |= {"seed": step.seed, "variant": step.variant, "force": common.force, "accept": accept}
    assert passed.keys() == {key.name for key in fields(Common)}
    arguments = [f"{key}={value}" for key, value in passed.items()]
    more = [*step.more, *_pairs(config.args.get(step.stage, {}))]
    print(f"tables: {step}", flush=True)
    command = [sys.executable, "-m", f"recipes.{step.stage.replace('-', '_')}", *arguments, *more]
    done = subprocess.run(command, preexec_fn=die_with_parent, check=False)
    if done.returncode:
        raise StageError(f"tables: {step} failed. Once that is mended, the same command goes on from there.")


def _pairs(keys: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Nested keys as ``key=value`` arguments."""
    for key, value in keys.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{above}{key}.")
        else:
            shown = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
            yield f"{above}{key}={shown}"


if __name__ == "__main__":
    main(run)
