"""The HTML report's sentences, tables and replies, worked out before the template lays them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import pandas as pd
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from common.records.references import at_risk
from eval.compare import Gain, by_risk, by_topic, slices, stages
from eval.figures import figure, figures_of
from eval.report import CRISIS_NOTE, signed, spread
from eval.results import Result
from eval.statistics import Interval, PValue
from eval.tables import Standings
from reward_fns.coe_format import LAYER_TITLES, LAYERS, CoEFormatError, parse

# Corrected p below which a difference is called one.
CLEAR: Final = 0.05


# A mean and its interval, as text.
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One figure by topic and model.

    Attributes:
        heading: of the figure.
        models: names of the columns.
        lowest, highest: cell means of topics that are not small and models that are not 0 throughout; the colour runs
            between them.
        rows: topic, number of questions, whether they are too few to tell anything, and for each model its interval
            and where the mean lies between lowest and highest, 0 to 1.
        left_out: smaller topics without a row.
    """

    heading: str
    models: list[str]
    lowest: float
    highest: float
    rows: list[tuple[str, int, bool, list[tuple[Interval, float]]]]
    left_out: int
    decimals: int


def number(value: float, decimals: int = 2, sign: str = "") -> str:
    """A figure with a minus sign rather than a hyphen; with sign "+" a plus sign too."""
    return f"{value:{sign}.{decimals}f}".replace("-", "−")


def difference(interval: Interval) -> str:
    """A gain with its interval, as in the Markdown report."""
    return signed(interval).replace("-", "−")


def headline(gains: Sequence[Gain], results: Sequence[Result], figures: Sequence[str]) -> list[tuple[bool, str]]:
    """One sentence for each stage against the one before it, and for the last stage against each other model.

    Models with a format were asked for the Chain of Empathy and are the run's stages, in order; without any, all are.

    Args:
        gains: of `eval.compare.compare` of these results.
        results: in order.
        figures: those of them that were compared are told.

    Returns:
        whether the difference is clear, and the sentence.
    """
    own = stages(results)
    others = list(dict.fromkeys(result.model for result in results if result.model not in own))
    pairs = [*((later, earlier) for earlier, later in pairwise(own)), *((own[-1], other) for other in others)]
    known = {(gain.test_set, gain.figure, gain.ours, gain.theirs): gain for gain in [*gains, *map(_turned, gains)]}
    sets = list(dict.fromkeys(result.test_set for result in results))
    return [
        (is_clear(gain), f"{name}: {_sentence(gain)}" if len(sets) > 1 else _sentence(gain))
        for name in sets
        for figure in figures
        for pair in pairs
        if (gain := known.get((name, figure, *pair)))
    ]


def _turned(gain: Gain) -> Gain:
    """The same comparison seen from the other model."""

    def turn(interval: Interval | None) -> Interval | None:
        return None if interval is None else interval.moved(-1.0)

    turned = turn(gain.gain)
    assert turned is not None
    return replace(
        gain,
        ours=gain.theirs,
        theirs=gain.ours,
        gain=turned,
        visible=(gain.visible[1], gain.visible[0]),
        shown=turn(gain.shown),
        at_equal_length=turn(gain.at_equal_length),
    )


def _sentence(gain: Gain) -> str:
    """What a gain says; of a figure of the text with the share of replies that it is a figure of."""
    name = figure(gain.figure).label
    if gain.shown is None or gain.p_shown is None:
        if figure(gain.figure).of_text:
            return f"{name}: nothing to compare, {_shares(gain)}."
        return f"{name}: {_verdict(gain, gain.gain, gain.p)}."
    if min(gain.visible) == 1.0:
        return f"{name}: {_verdict(gain, gain.shown, gain.p_shown)}."
    return (
        f"{name}: {_shares(gain)}; over the {gain.questions} questions to which both do, and those replies alone, "
        f"{_verdict(gain, gain.shown, gain.p_shown)}."
    )


def _shares(gain: Gain) -> str:
    ours, theirs = gain.visible
    return f"{gain.ours} shows a reader something in {ours:.0%} of its replies, {gain.theirs} in {theirs:.0%}"


def _verdict(gain: Gain, found: Interval, p: PValue) -> str:
    told = f"{difference(found)}, {p.text()}"
    if p.value >= CLEAR:
        return f"no clear difference between {gain.ours} and {gain.theirs}: {told}"
    level = f"; between replies of one length {difference(gain.at_equal_length)}" if gain.at_equal_length else ""
    return f"{gain.ours} is {'higher' if found.mean > 0 else 'lower'} than {gain.theirs}: {told}{level}"


def is_clear(gain: Gain) -> bool:
    """Whether the sentence about it tells a difference."""
    if figure(gain.figure).of_text:
        return gain.p_shown is not None and gain.p_shown.value < CLEAR
    return gain.p.value < CLEAR


def gain_groups(gains: Sequence[Gain]) -> list[dict[str, Any]]:
    """The gains by figure, each group with the scale of its pictures: the largest end of an interval."""
    groups = []
    for key in dict.fromkeys(gain.figure for gain in gains):
        mine = [gain for gain in gains if gain.figure == key]
        scale = max(abs(end) for gain in mine for end in _whisker(gain.gain).values()) or 1.0
        rows = [
            {
                "gain": gain,
                "shown": _cell(gain.gain, 3, "+"),
                "both": _cell(gain.shown, 3, "+") if gain.shown else ("–", ""),
                "p_both": "–" if gain.p_shown is None else gain.p_shown.named(),
                "both_sure": is_clear(gain),
                "level": _cell(gain.at_equal_length, 3, "+") if gain.at_equal_length else ("–", ""),
                "p": gain.p.named(),
                "sure": gain.p.value < CLEAR,
                **{end: round(50 + 50 * value / scale, 2) for end, value in _whisker(gain.gain).items()},
            }
            for gain in mine
        ]
        groups.append({"figure": key, "heading": figure(key).label, "meaning": figure(key).meaning, "rows": rows})
    return groups


def _whisker(interval: Interval) -> dict[str, float]:
    """What is drawn of it: a point where it has no ends."""
    low, high = interval.ends or (interval.mean, interval.mean)
    return {"mean": interval.mean, "low": low, "high": high}


def heat_maps(
    results: Sequence[Result], test: pd.DataFrame, figures: Sequence[str], small: int, topics: int, seed: int
) -> list[HeatMap]:
    """One map for each figure that a model has, over the questions that have a topic.

    Args:
        results: of one test set, in order.
        test: with id and topic.
        figures: keys of `eval.figures.FIGURES`.
        small: topics with fewer questions are marked.
        topics: rows at most, the largest topics first.
        seed: of the bootstrap.
    """
    groups = by_topic(test)
    chosen = dict(list(groups.items())[:topics])
    maps = []
    for key, mine in _having(results, figures).items():
        sliced = slices(mine, chosen, key, seed)
        lowest, highest = _range(sliced, [name for name in sliced if len(chosen[name]) >= small] or list(sliced))
        width = (highest - lowest) or 1.0
        rows = [
            (
                name,
                len(chosen[name]),
                len(chosen[name]) < small,
                [(i, min(max((i.mean - lowest) / width, 0.0), 1.0)) for i in row.values()],
            )
            for name, row in sliced.items()
        ]
        shown, models = figure(key), [result.model for result in mine]
        maps.append(HeatMap(shown.label, models, lowest, highest, rows, len(groups) - len(chosen), shown.digits))
    return maps


def _range(sliced: Mapping[str, Mapping[str, Interval]], names: Sequence[str]) -> tuple[float, float]:
    """Lowest and highest mean of these groups; a model that is 0 throughout would leave the others no colours."""
    columns = zip(*([interval.mean for interval in sliced[name].values()] for name in names), strict=True)
    means = [mean for column in columns if any(column) for mean in column] or [0.0]
    return min(means), max(means)


def risk_tables(
    results: Sequence[Result], test: pd.DataFrame, figures: Sequence[str], seed: int
) -> tuple[dict[str, int], list[tuple[str, list[tuple[str, list[Cell]]]]]]:
    """Posts at risk beside the others.

    Returns:
        questions of each part, and for each figure that a model has its heading and a row for each such model: its
        name, and a cell for each part.
    """
    parts = {name: ids for name, ids in by_risk(test).items() if ids}
    tables = []
    for key, mine in _having(results, figures).items():
        sliced, shown = slices(mine, parts, key, seed), figure(key)
        rows = [(one.model, [_cell(sliced[part][one.model], shown.digits) for part in parts]) for one in mine]
        tables.append((shown.label, rows))
    return {name: len(ids) for name, ids in parts.items()}, tables


def _having(results: Sequence[Result], figures: Sequence[str]) -> dict[str, list[Result]]:
    """The results that have a figure, for each figure that any has."""
    by_figure = {key: [result for result in results if key in result.figures] for key in figures}
    return {key: mine for key, mine in by_figure.items() if mine}


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
        layers (titles by name), figures (labels by key), models, note, and for each question its texts, risks,
        references and, model by model, its replies: ``layers`` and ``answer`` where there is nothing wrong with the
        output (no layers of a model that was never asked for any), else ``raw`` and ``fault``; and its figures.
    """
    chosen = spread(test, questions)
    risky = at_risk(chosen)
    by_model = [_by_question(frame, samples) for frame in scores.values()]
    return {
        "layers": {name: LAYER_TITLES[name] for name in LAYERS},
        "figures": {key: figure(key).label.lower() for key in figures_of("reply")},
        "models": list(scores),
        "note": crisis_note(),
        "questions": [
            {
                "id": str(question["id"]),
                "title": str(question["title"]),
                "post": str(question["description"]),
                "topic": str(question["topic"]),
                "atRisk": bool(risk),
                "risks": [str(name).replace("_", " ") for name in question["risks"]],
                "references": [str(text) for text in question["references"]],
                "replies": [replies.get(question["id"], []) for replies in by_model],
            }
            for question, risk in zip(chosen.to_dict("records"), risky, strict=True)
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
    reply = {"sample": int(row["sample"]), "chars": int(row["chars"]), **figures}
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
