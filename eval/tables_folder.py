"""The tables of all runs as files: Markdown, LaTeX, a plot, and what the HTML report shows."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from common.files import FileError, write_json, write_text
from common.pages import page
from common.records.replies import file_stem
from eval.figures import figures_of
from eval.ledger import Entry
from eval.paper_tables import COMPARED, MODELS, comparable, differences, draw
from eval.plots import plot_steps
from eval.seeds import render
from eval.statistics import Interval
from eval.tables import ResultTable, Row

TABLES_FILE: Final = "tables.json"
# The paper's rows stand beside the first; the second is right for Chinese.
_PROTOCOLS: Final = ("paper", "zh")


def write_tables(entries: Sequence[Entry], profile: str, folder: Path, variants: Sequence[str]) -> list[Path]:
    """Draw what the entries of a profile allow.

    Args:
        entries: of the ledger; other profiles' are left out.
        folder: for ``tables.md``, ``table<number>.<protocol>.<corpus>.tex``, plots and ``tables.json``.
        variants: rows of the variants; a model that is none is a baseline of Table 2, a variant that the paper does not
            have stands in Table 3.

    Returns:
        what a reader opens; nothing where the profile has no entry.
    """
    drawn: list[tuple[str, ResultTable]] = []
    corpora: list[dict[str, Any]] = []
    mine = [entry for entry in entries if entry.profile == profile]
    for corpus in dict.fromkeys(entry.corpus for entry in mine):
        own, left_out = comparable([entry for entry in mine if entry.corpus == corpus])
        stem = file_stem(corpus)
        found: list[tuple[str, ResultTable]] = []
        compared: list[dict[str, str]] = []
        for number, models in _models(own, variants).items():
            for protocol in _PROTOCOLS:
                if table := draw(own, number, protocol, models):
                    titled = replace(table, title=f"{table.title} ({corpus})")
                    found.append((f"table{number}.{protocol}.{stem}", titled))
            compared += _differences(own, number)
        picture = f"steps.{stem}.png" if (curves := _curves(own)) else ""
        if curves:
            plot_steps(curves, folder / picture)
        drawn += found
        tables = [table.markdown() for _, table in found]
        told = {"name": corpus, "runs": list(_runs(own)), "left_out": left_out, "tables": tables}
        corpora.append({**told, "differences": compared, "picture": picture})
    if not drawn:
        return []
    for stem, table in drawn:
        write_text(folder / f"{stem}.tex", table.latex())
    write_text(folder / "tables.md", page("eval", "tables", profile=profile, corpora=corpora))
    write_json(folder / TABLES_FILE, [asdict(table) for _, table in drawn])
    return [folder / "tables.md", *(folder / f"{stem}.tex" for stem, _ in drawn)]


def _models(entries: Sequence[Entry], variants: Sequence[str]) -> dict[str, list[str]]:
    """Rows of each table: the paper's, and what else was run."""
    known = {name for models in MODELS.values() for name in models}
    others = [name for name in dict.fromkeys(entry.model for entry in entries) if name not in known]
    baselines = [name for name in others if name not in variants]
    more = {"2": baselines, "3": [name for name in others if name in variants]}
    return {number: [*models, *more.get(number, [])] for number, models in MODELS.items()}


def read_tables(file: Path) -> list[ResultTable]:
    """The tables that were drawn last, none without a file.

    Raises:
        FileError: not such a file.
    """
    if not file.is_file():
        return []
    try:
        return [
            ResultTable(
                one["title"],
                tuple(one["columns"]),
                tuple(Row(**{**row, "cells": _cells(row["cells"])}) for row in one["rows"]),
                tuple(one["notes"]),
                one["signature"],
            )
            for one in json.loads(file.read_text(encoding="utf-8"))
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{file}: {error!r}, expected the tables of `make tables`. Run it again.") from error


def _cells(cells: dict[str, dict[str, Any] | float]) -> dict[str, Interval | float]:
    return {key: Interval(**value) if isinstance(value, dict) else value for key, value in cells.items()}


def _runs(entries: Sequence[Entry]) -> Iterator[str]:
    """What the tables are made of: seeds, times, commits."""
    for model in dict.fromkeys(entry.model for entry in entries):
        mine = [entry for entry in entries if entry.model == model]
        told = ", ".join(
            f"{entry.seed} ({', '.join([*['no signal'] * bool(entry.no_signal), *_minutes(entry), entry.commit])})"
            for entry in mine
        )
        yield f"{model}: seed {told}"


def _minutes(entry: Entry) -> list[str]:
    return [] if entry.seconds is None else [f"{entry.seconds / 60:.1f} min"]


def _differences(entries: Sequence[Entry], number: str) -> Iterator[dict[str, str]]:
    """Paired differences, seed by seed and together, for the tables that compare variants."""
    sets = dict.fromkeys(one.test_set for entry in entries for one in entry.results)
    for test_set in sets:
        for later, earlier in COMPARED.get(number, ()):
            seeds, gains = differences(entries, later, earlier, test_set, figures_of("gains"))
            if gains:
                title = f"{later} − {earlier} on {test_set}, protocol zh, by seed and pooled by question"
                yield {"title": title, "table": render(gains, [f"seed {one}" for one in seeds], (earlier, later))}


def _curves(entries: Sequence[Entry]) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = {}
    for entry in entries:
        if entry.rewards and not entry.no_signal:
            found.setdefault(entry.model, []).append(entry.rewards)
    return found
