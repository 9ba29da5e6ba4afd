"""Tables of results as Markdown, LaTeX and HTML, ours beside the rows that the paper printed.

    python -m eval.tables --results outputs/qwen3_8b/eval/*.paper.json --table 2 --out tables
    python -m eval.tables --results mine.zh.json theirs.zh.json --out tables

With ``--table`` 2, 3 or 4 the paper's rows stand first; that takes results of protocol ``paper``, since figures of two
protocols can't be compared. Every figure of ours has its 95 % interval; the paper gives none.
"""

import argparse
import html
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml
from rich.console import Console
from rich.table import Column
from rich.table import Table as RichTable

from common.files import FileError, write_text
from common.markdown import escape, table
from eval.figures import FIGURES, figure, figures_of
from eval.intervals import LEAST
from eval.results import Result, check_comparable
from eval.statistics import Interval

# Win@1, Win@2 and mean rank by model.
Standings = dict[str, dict[str, Interval]]


def read_standings(path: Path) -> tuple[str, Standings]:
    """The test set's name, "" where the file tells none, and the models; none where no question is ranked whole yet.

    Args:
        path: ``ranking.json`` of `make ranking` or ``judge.json`` of `make judge`.

    Raises:
        FileError: not such a file.
    """
    keys = figures_of("ranking")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return str(content.get("test_set", "")), {
            name: {key: _interval(own[key]) for key in keys} for name, own in content["models"].items()
        }
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise FileError(f"{path}: {error!r}, expected mean, low and high of {', '.join(keys)} by model") from error


def _interval(content: Mapping[str, Any]) -> Interval:
    mean, low, high = (content[end] for end in ("mean", "low", "high"))
    return Interval(float(mean)) if low is None else Interval(float(mean), float(low), float(high))


_SHOWN_ONLY: Final = (
    "(shown only): over the replies that show a reader something; in the row above it the others count 0. What two "
    "models write is compared by these rows, how often they write it by the column Shown."
)
_INTERVALS: Final = (
    f"95 % intervals over questions; without one there are fewer than {LEAST} questions, or equal ones; "
    "↑ more is better, ↓ less."
)
PAPER_TABLES: Final = ("2", "3", "4")
SEEN: Final = "it may have seen this test set"
ASKED: Final = "asked by the general instruction; Format is of what it writes when it is asked for the Chain of Empathy"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        test_set: its name.
        model: its name.
        cells: by key of `eval.figures.FIGURES`; an interval, a bare number, or nothing.
        source: "ours" or "paper".
        shown_only: the second reading, over the replies that show something.
        note: what a reader has to know of the row, "" for nothing.
    """

    test_set: str
    model: str
    cells: Mapping[str, Interval | float]
    source: str = "ours"
    note: str = ""
    shown_only: bool = False

    @property
    def label(self) -> str:
        """The model, and whose row it is or which reading."""
        if self.source == "paper":
            return f"{self.model} (paper)"
        return f"{self.model} (shown only)" if self.shown_only else self.model


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table, to be rendered.

    Attributes:
        title: above it.
        columns: keys of `eval.figures.FIGURES`.
        rows: from top to bottom.
        notes: below it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def head(self) -> list[str]:
        """Headings of the columns."""
        return ["Test set", "Model", *(figure(column).heading for column in self.columns)]

    def cells(self, row: Row, pattern: str = "{} ({} to {})") -> list[str]:
        """A row's figures as text; intervals by the pattern given, "–" where there is none."""
        values = ((row.cells.get(column), f".{figure(column).digits}f") for column in self.columns)
        return [
            "–" if value is None else value.text(form, pattern) if isinstance(value, Interval) else f"{value:{form}}"
            for value, form in values
        ]

    def markdown(self) -> str:
        """GitHub's flavour."""
        rows = ([escape(row.test_set), escape(row.label), *self.cells(row)] for row in self.rows)
        lines = [f"**{self.title}**", "", *table(self.head, rows, left=2), "", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"

    def latex(self) -> str:
        """A booktabs table; intervals stand small beneath each other's figure."""
        rows = (
            " & ".join([_tex(row.test_set), _tex(row.label), *self.cells(row, r"{} {{\scriptsize [{}, {}]}}")])
            for row in self.rows
        )
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_tex(self.title)}}}",
            rf"\begin{{tabular}}{{ll{'r' * len(self.columns)}}}",
            r"\toprule",
            " & ".join(map(_tex, self.head)) + r" \\",
            r"\midrule",
            *(row.replace("–", "--") + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par {_tex(note)}" for note in self.notes),
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """A table element; the paper's rows are of class ``paper``."""
        head = "".join(f"<th>{html.escape(text)}</th>" for text in self.head)
        body = "".join(
            f'<tr class="{row.source}"><td>{html.escape(row.test_set)}</td><td>{html.escape(row.label)}</td>'
            + "".join(f"<td>{cell}</td>" for cell in self.cells(row, "{}<small>{} to {}</small>"))
            + "</tr>\n"
            for row in self.rows
        )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f'<table class="results"><caption>{html.escape(self.title)}</caption>\n<thead><tr>{head}</tr></thead>\n'
            f'<tbody>\n{body}</tbody></table>\n<ul class="notes">{notes}</ul>\n'
        )


def result_table(
    results: Sequence[Result],
    ranking: Mapping[tuple[str, str], Mapping[str, Interval]] | None = None,
    paper: str = "",
) -> ResultTable:
    """A table of results.

    Args:
        results: in the order of the rows.
        ranking: win_1, win_2 and mean_rank of `eval.human`, by test set and model.
        paper: "2", "3" or "4", whose rows stand first; "" for none.

    Raises:
        FileError: results that can't share a table, or the paper's rows beside another protocol than its own.
        ValueError: a table that the paper does not have, or a figure without an entry in `eval.figures.FIGURES`.
    """
    check_comparable(results)
    signature, people = results[0].signature, ranking or {}
    if paper and "protocol:paper|refs:mean|" not in signature:
        raise FileError(
            f"{results[0].model} is scored by {signature}: the paper's rows can only stand beside results of "
            "protocol paper, mean over references. Score with --protocol paper."
        )
    printed, title = _printed(paper) if paper else ([], "Evaluation")
    rows = list(printed)
    for result in results:
        ranked = people.get((result.test_set, result.model), {})
        faults = (f"{count} replies {fault.replace('_', ' ')}" for fault, count in result.faults.items())
        note = ", ".join([*filter(None, [result.note]), *faults])
        rows.append(Row(result.test_set, result.model, {**result.figures, **result.pooled, **ranked}, note=note))
        if result.faults and result.shown:
            rows.append(Row(result.test_set, result.model, result.shown, shown_only=True))
    if unused := sorted(set(people) - {(row.test_set, row.model) for row in rows if row.source == "ours"}):
        raise FileError(
            f"the ranking has {unused[0][1]} on {unused[0][0]}, and no result is of that name. Name them alike."
        )
    return _laid_out(title, rows, [f"Ours: {signature}", f"{sizes(results)}; {_INTERVALS}"])


def pooled_table(title: str, rows: Sequence[Row], results: Sequence[Result], intervals: str, paper: str) -> ResultTable:
    """A table of rows that sum up several runs.

    Args:
        title: above it; the paper's own where its rows stand first.
        rows: ours.
        results: that they are made of.
        intervals: what their intervals are.
        paper: as in `result_table`.

    Raises:
        ValueError: a table that the paper does not have.
    """
    printed, named = _printed(paper) if paper else ([], title)
    signatures = ", ".join(dict.fromkeys(result.signature for result in results))
    notes = [f"Ours: {signatures}", f"{sizes(results)}; {intervals}"] if results else []
    return _laid_out(named, [*printed, *rows], notes)


def sizes(results: Sequence[Result]) -> str:
    """How many questions and replies there are, by test set."""
    return "; ".join(dict.fromkeys(map(_size, results)))


def _laid_out(title: str, rows: Sequence[Row], notes: Sequence[str]) -> ResultTable:
    """The rows by test set, their columns in the order of `FIGURES`, and what they note."""
    order = [row.test_set for row in rows]
    ordered = tuple(sorted(rows, key=lambda row: order.index(row.test_set)))
    columns = tuple(sorted({key for row in rows for key in row.cells}, key=lambda key: FIGURES.index(figure(key))))
    told = [f"{row.model}, {row.test_set}: {row.note}." for row in ordered if row.note]
    told += [_SHOWN_ONLY] * any(row.shown_only for row in rows)
    return ResultTable(title, columns, ordered, (*notes, *told))


def print_results(results: Sequence[Result], console: Console) -> None:
    """The same on the terminal, a column a model: there are more figures than a line has room for."""
    drawn = result_table(results)
    for title, rows in (
        (drawn.title, [row for row in drawn.rows if not row.shown_only]),
        ("Replies that show something", [row for row in drawn.rows if row.shown_only]),
    ):
        columns = [key for key in drawn.columns if any(key in row.cells for row in rows)]
        shown = RichTable("", *(Column(row.model, justify="right") for row in rows), title=title)
        part = replace(drawn, columns=tuple(columns), rows=tuple(rows))
        for key, cells in zip(columns, zip(*map(part.cells, rows), strict=True), strict=True):
            shown.add_row(figure(key).heading, *cells)
        if rows:
            console.print(shown)
    for note in drawn.notes:
        console.print(note, style="dim", highlight=False, soft_wrap=True)  # a signature is copied as one line


def _printed(number: str) -> tuple[list[Row], str]:
    content: dict[str, Any] = yaml.safe_load(files("eval").joinpath("paper_rows.yaml").read_text(encoding="utf-8"))
    if number not in content["tables"]:
        raise ValueError(f"table {number!r}: the paper's result tables are {sorted(content['tables'])}")
    table = content["tables"][number]
    return [
        Row(
            test_set,
            model,
            dict(zip(content["columns"], values, strict=False)),
            "paper",
            SEEN if model in content["seen_test_set"].get(test_set, []) else "",
        )
        for test_set, models in table["test_sets"].items()
        for model, values in models.items()
    ], table["title"]


def _size(result: Result) -> str:
    replies = f" × {result.samples} replies" if result.samples else ""
    return f"{result.test_set}: {len(result.by_question)} questions{replies}"


def _tex(text: str) -> str:
    escaped = re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", r"\textbackslash "))
    return escaped.replace("–", "--").replace("↑", r"$\uparrow$").replace("↓", r"$\downarrow$")


def main(arguments: Sequence[str]) -> None:
    """Draw the table that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m eval.tables", description="Tables of results.")
    parser.add_argument(
        "--results", nargs="+", type=Path, required=True, metavar="FILE", help="of python -m eval.metrics"
    )
    parser.add_argument("--table", choices=PAPER_TABLES, default="", help="with the rows of this table of the paper")
    parser.add_argument("--ranking", type=Path, metavar="FILE", help="ranking.json of `make ranking`")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="for table.md, table.tex and table.html"
    )
    options = parser.parse_args(arguments)
    test_set, standings = read_standings(options.ranking) if options.ranking else ("", {})
    people = {(test_set, model): figures for model, figures in standings.items()}
    drawn = result_table([Result.read(path) for path in options.results], people, options.table)
    stem = options.out / f"table{options.table}"
    for suffix, text in {"md": drawn.markdown(), "tex": drawn.latex(), "html": drawn.html()}.items():
        write_text(stem.with_name(f"{stem.name}.{suffix}"), text)
    print(f"{stem}.md, .tex, .html")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"error: {error}")
