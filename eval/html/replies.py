"""The replies that the HTML report embeds: questions spread over the topics, every model's outputs taken apart."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from eval.compare import at_risk
from eval.figures import figure, figures_of
from eval.report import CRISIS_NOTE, spread
from reward_fns.coe_format import LAYER_TITLES, LAYERS, CoEFormatError, parse


def crisis_note() -> tuple[str, str]:
    """The note on posts at risk without Markdown: its Chinese and its English sentence."""
    chinese, english = (line.removeprefix("> ").replace("**", "") for line in CRISIS_NOTE.splitlines())
    return chinese, english


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
    ordered = frame.sort_values(["question_id", "sample"], kind="stable")
    first = ordered.groupby("question_id", sort=False).head(samples)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in first.to_dict("records"):
        found.setdefault(str(row["question_id"]), []).append(_reply(row))
    return found


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
