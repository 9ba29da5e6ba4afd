"""The HTML report's sentences, tables and replies, worked out before the template lays them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from common.records.references import risk_levels
from eval.caveats import short_for_its_reward
from eval.compare import CLEAR, Gain, by_risk, by_topic, slices
from eval.figures import figure, figures_of
from eval.html.headline import is_clear
from eval.report import CRISIS_NOTE, spread
from eval.results import Result
from eval.statistics import Interval
from eval.tables import Standings
from reward_fns.coe_format import LAYER_TITLES, LAYERS, CoEFormatError, parse

# A mean and its interval, as text.
Cell = tuple[str, str]
_NONE: Final[Cell] = ("–", "")


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One figure by topic and model.

    Attributes:
        heading: of the figure.
        models: names of the columns.
        lowest, highest: cell means of topics that are not small and models that are not 0 throughout; the colour runs
            between them.
        rows: topics that have enough questions.
        few: topics whose questions are too few to tell anything.
        left_out: smaller topics without a row.
        decimals: of the means.
    """

    heading: str
    models: list[str]
    lowest: float
    highest: float
    rows: list["TopicRow"]
    few: list["TopicRow"]
    left_out: int
    decimals: int


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One topic.

    Attributes:
        topic: its name.
        questions: how many.
        cells: for each model its interval and where the mean lies between lowest and highest, 0 to 1; None where its
            replies show nothing.
    """

    topic: str
    questions: int
    cells: list[tuple[Interval, float] | None]


def number(value: float, decimals: int = 2, sign: str = "") -> str:
    """A figure with a minus sign rather than a hyphen; with sign "+" a plus sign too."""
    return f"{value:{sign}.{decimals}f}".replace("-", "−")


def gain_groups(gains: Sequence[Gain]) -> list[dict[str, Any]]:
    """The gains by figure, each group with the scale of its pictures: the largest end of an interval.

    A picture is of the reading that the headline tells: of a figure of the text the second one.
    """
    groups = []
    for key in dict.fromkeys(gain.figure for gain in gains):
        mine = [gain for gain in gains if gain.figure == key]
        drawn = {place: gain.shown or gain.gain for place, gain in enumerate(mine)}
        scale = max(abs(end) for one in drawn.values() for end in _whisker(one).values()) or 1.0
        rows = [
            {
                "gain": gain,
                "shown": _cell(gain.gain, 3, "+"),
                "both": _cell(gain.shown, 3, "+") if gain.shown else _NONE,
                "p_both": "–" if gain.p_shown is None else gain.p_shown.named(),
                "both_sure": gain.p_shown is not None and gain.p_shown.value < CLEAR,
                "level": _cell(gain.at_equal_length, 3, "+") if gain.at_equal_length else _NONE,
                "p": gain.p.named(),
                "sure": gain.p.value < CLEAR,
                "told": is_clear(gain),
                **{end: round(50 + 50 * value / scale, 2) for end, value in _whisker(drawn[place]).items()},
            }
            for place, gain in enumerate(mine)
        ]
        groups.append(
            {
                "figure": key,
                "of_text": figure(key).of_text,
                "heading": figure(key).label,
                "meaning": figure(key).meaning,
                "rows": rows,
            }
        )
    return groups


def _whisker(interval: Interval) -> dict[str, float]:
    """What is drawn of it: a point where it has no ends."""
    low, high = interval.ends or (interval.mean, interval.mean)
    return {"mean": interval.mean, "low": low, "high": high}


def heat_maps(
    results: Sequence[Result], test: pd.DataFrame, figures: Sequence[str], small: int, topics: int
) -> list[HeatMap]:
    """One map for each figure that a model has, over the questions that have a topic.

    Args:
        results: of one test set, in order.
        test: with id and topic.
        figures: keys of `eval.figures.FIGURES`.
        small: topics with fewer questions stand apart.
        topics: rows at most, the largest topics first.
    """
    groups = by_topic(test)
    chosen = dict(list(groups.items())[:topics])
    maps = []
    for key, shown in _readings(figures):
        sliced = slices(results, chosen, key, shown)
        if not sliced:
            continue
        large = [name for name in sliced if len(chosen[name]) >= small]
        lowest, highest = _range(sliced, large or list(sliced))
        width = (highest - lowest) or 1.0
        models = [one.model for one in results if any(one.model in row for row in sliced.values())]
        rows = [
            TopicRow(
                name,
                len(chosen[name]),
                [
                    (row[model], min(max((row[model].mean - lowest) / width, 0.0), 1.0)) if model in row else None
                    for model in models
                ],
            )
            for name, row in sliced.items()
        ]
        maps.append(
            HeatMap(
                _heading(key, shown),
                models,
                lowest,
                highest,
                [row for row in rows if row.topic in large],
                [row for row in rows if row.topic not in large],
                len(groups) - len(chosen),
                figure(key).digits,
            )
        )
    return maps


def _readings(figures: Sequence[str]) -> list[tuple[str, bool]]:
    """Each figure, and where it is one of the text its second reading too, over replies that show something alone."""
    return [(key, shown) for key in figures for shown in ((False, True) if figure(key).of_text else (False,))]


def _heading(key: str, shown: bool) -> str:
    return figure(key).label + (", replies that show something" if shown else "")


def _range(sliced: Mapping[str, Mapping[str, Interval]], names: Sequence[str]) -> tuple[float, float]:
    """Lowest and highest mean of these groups; a model that is 0 throughout would leave the others no colours."""
    columns: dict[str, list[float]] = {}
    for name in names:
        for model, interval in sliced[name].items():
            columns.setdefault(model, []).append(interval.mean)
    means = [mean for column in columns.values() if any(column) for mean in column] or [0.0]
    return min(means), max(means)


def risk_tables(
    results: Sequence[Result], test: pd.DataFrame, figures: Sequence[str]
) -> tuple[dict[str, int], list[tuple[str, list[tuple[str, list[Cell]]]]]]:
    """Posts at risk, by level and together, beside the others.

    Returns:
        questions of each part, and for each figure that a model has its heading and a row for each such model: its
        name, and a cell for each part.
    """
    parts = {name: ids for name, ids in by_risk(test).items() if ids}
    tables = []
    for key, shown in _readings(figures):
        sliced, digits = slices(results, parts, key, shown), figure(key).digits
        of_part = {part: sliced.get(part, {}) for part in parts}.__getitem__
        rows = [
            (
                one.model,
                [_cell(row[one.model], digits) if one.model in row else _NONE for row in map(of_part, parts)],
            )
            for one in results
            if any(one.model in row for row in sliced.values())
        ]
        if rows:
            tables.append((_heading(key, shown), rows))
    return {name: len(ids) for name, ids in parts.items()}, tables


def ranking_rows(ranking: Standings) -> list[tuple[str, list[Cell]]]:
    """Each model with a cell for each figure, the best mean rank first."""
    ordered = sorted(ranking.items(), key=lambda item: item[1]["mean_rank"].mean)
    return [(model, [_cell(i, figure(key).digits) for key, i in row.items()]) for model, row in ordered]


def _cell(interval: Interval, decimals: int, sign: str = "") -> Cell:
    return (
        number(interval.mean, decimals, sign),
        " to ".join(number(end, decimals, sign) for end in interval.ends or ()),
    )


def crisis_note() -> list[str]:
    """The note on posts at risk without Markdown: its Chinese and its English sentence."""
    return [line.removeprefix("> ").replace("**", "") for line in CRISIS_NOTE.splitlines()]


def reply_data(scores: Mapping[str, pd.DataFrame], test: pd.DataFrame, questions: int, samples: int) -> dict[str, Any]:
    """What the page's script shows, as plain values.

    Args:
        scores: a row a reply, by model.
        test: the questions.
        questions: how many at most.
        samples: replies of each model to a question, at most, the first ones.

    Returns:
        layers (titles by name), figures (labels by key), models, note, and for each question its texts, level and kinds of risk,
        references and, model by model, its replies: ``layers`` and ``answer`` where there is nothing wrong with the
        output (no layers of a model that was never asked for any), else ``raw`` and ``fault``; its figures; and whether
        it is very ``short`` for a reply that the reward model lets pass.
    """
    chosen = spread(test, questions)
    levels = risk_levels(chosen)
    marked = [frame.assign(short=short_for_its_reward(frame, test)) for frame in scores.values()]
    by_model = [_by_question(frame, samples) for frame in marked]
    return {
        "layers": {name: LAYER_TITLES[name] for name in LAYERS},
        "figures": {key: [figure(key).label.lower(), figure(key).meaning] for key in figures_of("reply")},
        "models": list(scores),
        "note": crisis_note(),
        "questions": [
            {
                "id": str(question["id"]),
                "title": str(question["title"]),
                "post": str(question["description"]),
                "topic": str(question["topic"]),
                "atRisk": level != "none",
                "level": level,
                "risks": [str(name).replace("_", " ") for name in question["risks"]],
                "references": [str(text) for text in question["references"]],
                "replies": [replies.get(question["id"], []) for replies in by_model],
            }
            for question, level in zip(chosen.to_dict("records"), levels, strict=True)
        ],
    }


def embedded(data: Mapping[str, Any]) -> Markup:
    """As JSON that can stand inside a script element: no ``<``, ``>``, ``&`` or ``'`` is left as it is."""
    return htmlsafe_json_dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _by_question(frame: pd.DataFrame, samples: int) -> dict[str, list[dict[str, Any]]]:
    first = frame.sort_values(["question_id", "sample"], kind="stable").groupby("question_id").head(samples)
    return {str(key): [_reply(row) for row in rows.to_dict("records")] for key, rows in first.groupby("question_id")}


def _reply(row: Mapping[Any, Any]) -> dict[str, Any]:
    figures = {name: round(float(row[name]), 3) for name in figures_of("reply") if name in row}
    reply = {"sample": int(row["sample"]), "chars": int(row["chars"]), "short": bool(row["short"]), **figures}
    text = str(row["text"])
    if "violation" not in row:  # the model was never asked for the format
        if row["fault"]:
            return {**reply, "raw": text, "fault": str(row["fault"]).replace("_", " ")}
        return {**reply, "layers": [], "answer": str(row["shown"])}
    try:
        output = parse(text)
    except CoEFormatError as error:
        return {**reply, "raw": text, "fault": str(error)}
    return {**reply, "layers": list(output.layers), "answer": output.answer}
