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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column
from rich.table import Table as RichTable

from common.files import FileError, write_text
from common.pages import Markdown, page
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
    "(shown only): of the replies that show a reader something, the mean over questions of each question's mean; a "
    "question counts alike however many such replies it has. In the row above the others count 0. What two models "
    "write is compared by these rows, how often they write it by the column Shown."
)
_SILENCE: Final = (
    "NAvg pays for saying next to nothing: a quarter of it is Distinct-1, which is 1 for a reply of one character. "
    "Read it beside the baselines and TF-IDF."
)
_BASELINES: Final = (
    "Baselines are one text a question, references each of them: their Distinct-1 (corpus) can't be compared with "
    "that of models."
)
_INTERVALS: Final = (
    f"95 % intervals over questions; a mean alone is of fewer than {LEAST} questions, the same in all of them, or of "
    "all replies together; where all replies agree a question counts as one answer, so that interval is a wide one; "
    "↑ more is better, ↓ less."
)
# A border and two spaces, of a column on the terminal.
_RULES: Final = 3
_BESIDE: Final = "; below it ours, on other posts"
PAPER_TABLES: Final = ("2", "3", "4")
SEEN: Final = "it may have seen this test set"
ASKED: Final = (
    "figures of the text are of replies to the general instruction, Format is of other outputs, asked for the Chain of "
    "Empathy; what sets another model apart from it in the text is training and prompt together"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        test_set: its name.
        model: its name.
        cells: by key of `eval.figures.FIGURES`; an interval, a bare number, or nothing.
        source: "ours", "paper" or "baseline".
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
        if self.source != "ours":
            return f"{self.model} ({self.source})"
        return f"{self.model} (shown only)" if self.shown_only else self.model


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table, to be rendered.

    Attributes:
        title: above it.
        columns: keys of `eval.figures.FIGURES`.
        rows: from top to bottom.
        notes: below it.
        signature: of what our rows were scored by; "" without a row of ours.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    signature: str = ""

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

    def frame(self, pattern: str = "{} ({} to {})") -> pd.DataFrame:
        """All of it as text, a column a heading; intervals by the pattern given."""
        rows = [[row.test_set, row.label, *self.cells(row, pattern)] for row in self.rows]
        return pd.DataFrame(rows, columns=self.head)

    def markdown(self) -> Markdown:
        """GitHub's flavour."""
        rows = self.frame().itertuples(index=False, name=None)
        own = {"title": self.title, "signature": self.signature, "notes": self.notes}
        return Markdown(page("eval", "table", head=self.head, rows=rows, **own))

    def latex(self) -> str:
        """A booktabs table; intervals stand small beside each other's figure."""
        styler = self.frame(r"{} {{\scriptsize [{}, {}]}}").style.hide(axis="index")
        styler = styler.format(escape="latex", subset=self.head[:2]).format_index(escape="latex", axis="columns")
        body = styler.to_latex(hrules=True, column_format="ll" + "r" * len(self.columns))
        notes = [rf"Ours: \texttt{{{_tex(self.signature)}}}"] * bool(self.signature) + [*map(_tex, self.notes)]
        told = "".join(f"\\par {note}\n" for note in notes)
        head = f"\\begin{{table}}\n\\centering\n\\caption{{{_tex(self.title)}}}\n"
        return _arrows(f"{head}{body}{told}\\end{{table}}\n")

    def html(self) -> str:
        """A table element and its notes; names are of the class of their row's source."""
        shown = self.frame("{}<small>{} to {}</small>")
        for place, name in enumerate(self.head[:2]):
            shown[name] = [
                f'<span class="{row.source}">{html.escape((row.test_set, row.label)[place])}</span>'
                for row in self.rows
            ]
        body = shown.to_html(index=False, escape=False, border=0, classes="results", na_rep="–")
        notes = [f"Ours: <code>{html.escape(self.signature)}</code>"] * bool(self.signature)
        notes += map(html.escape, self.notes)
        told = "".join(f"<li>{note}</li>" for note in notes)
        return f'<h3>{html.escape(self.title)}</h3>\n{body}\n<ul class="notes">{told}</ul>\n'


def result_table(
    results: Sequence[Result],
    ranking: Mapping[tuple[str, str], Mapping[str, Interval]] | None = None,
    paper: str = "",
) -> ResultTable:
    """A table of results.

    Args:
        results: in the order of the rows; baselines stand below the others.
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
    title += _BESIDE * bool(paper)
    rows = list(printed)
    for result in sorted(results, key=lambda result: result.baseline):
        ranked = people.get((result.test_set, result.model), {})
        faults = (nothing_shown(fault, count) for fault, count in result.faults.items())
        note = ", ".join([*filter(None, [result.note]), *faults])
        source = "baseline" if result.baseline else "ours"
        rows.append(
            Row(
                result.test_set,
                result.model,
                {**of_all(result.figures, bool(result.faults)), **result.pooled, **ranked},
                source,
                note,
            )
        )
        if result.faults and result.shown:
            there, every = len(result.shown_by_question), len(result.by_question)
            few = f"shown only: {there} of {every} questions" if there < every else ""
            rows.append(Row(result.test_set, result.model, result.shown, shown_only=True, note=few))
    if unused := sorted(set(people) - {(row.test_set, row.model) for row in rows if row.source == "ours"}):
        raise FileError(
            f"the ranking has {unused[0][1]} on {unused[0][0]}, and no result is of that name. Name them alike."
        )
    return _laid_out(title, rows, [f"{sizes(results)}; {_INTERVALS}"], signature)


def nothing_shown(fault: str, count: int) -> str:
    """A note on replies that show nothing."""
    return f"{count} {'reply shows' if count == 1 else 'replies show'} nothing ({fault.replace('_', ' ')})"


def of_all(figures: Mapping[str, Any], silent: bool) -> dict[str, Any]:
    """A row's figures in the first reading: where some replies show nothing, those that say something of them."""
    return {key: value for key, value in figures.items() if not (silent and figure(key).shown_alone)}


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
    named += _BESIDE * bool(paper)
    signatures = ", ".join(dict.fromkeys(result.signature for result in results))
    notes = [f"{sizes(results)}; {intervals}"] if results else []
    return _laid_out(named, [*printed, *rows], notes, signatures)


def sizes(results: Sequence[Result]) -> str:
    """How many questions and replies there are, by test set, of the models; of baselines where there are no models."""
    models = [result for result in results if not result.baseline]
    return "; ".join(dict.fromkeys(map(_size, models or results)))


def _laid_out(title: str, rows: Sequence[Row], notes: Sequence[str], signature: str) -> ResultTable:
    """The rows by test set, their columns in the order of `FIGURES`, and what they note."""
    order = [row.test_set for row in rows]
    ordered = tuple(sorted(rows, key=lambda row: order.index(row.test_set)))
    columns = tuple(sorted({key for row in rows for key in row.cells}, key=lambda key: FIGURES.index(figure(key))))
    told = [f"{row.model}, {row.test_set}: {row.note}." for row in ordered if row.note]
    told += [_SILENCE] * ("navg" in columns)
    told += [_BASELINES] * any(row.source == "baseline" for row in rows)
    told += [_SHOWN_ONLY] * any(row.shown_only for row in rows)
    return ResultTable(title, columns, ordered, (*notes, *told), signature)


def print_results(results: Sequence[Result], console: Console) -> None:
    """The same on the terminal, a column a model, in as many tables as the width takes."""
    drawn = result_table(results)
    for title, rows in (
        (drawn.title, [row for row in drawn.rows if not row.shown_only]),
        ("Replies that show something", [row for row in drawn.rows if row.shown_only]),
    ):
        keys = [key for key in drawn.columns if any(key in row.cells for row in rows)]
        part = replace(drawn, columns=tuple(keys), rows=tuple(rows))
        headings = [figure(key).heading for key in keys]
        columns = [(row.label if row.source == "baseline" else row.model, part.cells(row)) for row in rows]
        for own in _fitting(columns, console.width - max(map(cell_len, headings), default=0) - _RULES - 1):
            shown = RichTable("", *(Column(name, justify="right") for name, _ in own), title=title)
            for heading, cells in zip(headings, zip(*(cells for _, cells in own), strict=True), strict=True):
                shown.add_row(heading, *cells)
            console.print(shown)
    for note in (f"Ours: {drawn.signature}", *drawn.notes):
        console.print(note, style="dim", highlight=False, soft_wrap=True)  # a signature is copied as one line


def _fitting(columns: Sequence[tuple[str, list[str]]], width: int) -> Iterator[list[tuple[str, list[str]]]]:
    """The columns in groups that fit into a width, each of one column at least."""
    group: list[tuple[str, list[str]]] = []
    left = width
    for name, cells in columns:
        own = max(map(cell_len, [name, *cells])) + _RULES
        if group and own > left:
            yield group
            group, left = [], width
        group.append((name, cells))
        left -= own
    if group:
        yield group


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
    return re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", r"\textbackslash "))


def _arrows(text: str) -> str:
    return text.replace("–", "--").replace("↑", r"$\uparrow$").replace("↓", r"$\downarrow$")


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
