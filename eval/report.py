"""The report of an evaluation in Markdown: the table, gains with intervals, slices, sample replies.

The prose stands in ``templates/``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.files import write_json, write_text
from common.human_help import human_help
from common.pages import Markdown, page, table
from eval.caveats import short_for_its_reward
from eval.compare import Gain, by_risk, by_topic, families, slices
from eval.figures import figure, figures_of
from eval.intervals import LEAST
from eval.results import Result
from eval.statistics import Interval, PValue
from eval.tables import result_table
from reward_fns.coe_format import ANSWER, LAYER_TITLES, LAYERS, CoEFormatError, parse

CHAINS_NOTE: Final = "SFT learnt from chains that were written for this project, not reviewed."
# Of test set "sample", the corpus that comes with the project.
SAMPLE: Final = "sample"
SAMPLE_NOTE: Final = (
    "The sample corpus's posts, replies and chains were written by a language model and reviewed by no licensed "
    "counsellor. Its figures show that the stages run, not that answers became better or that a model can counsel."
)
SLICE_NOTE: Final = (
    "At risk are posts of level acute, by the corpus's mark or by the tags of data_prep/risk, and posts of level concern. "
    "They are kept out of GRPO's prompts; the tags miss some and are no screening instrument."
)
CRISIS_NOTE: Final = (
    "> **危机信号**：这样的来信必须立即转给真人处理，不能交给模型回复。"
    f"{human_help().hotlines_zh()}，紧急情况 {human_help().emergency_zh(between=' / ')}。\n"
    "> A post with signs of acute risk: it must go to a person at once and is never left to a model."
)
# Characters of an output that can't be shown as a reply.
_RAW: Final = 600


def write_report(
    folder: Path,
    results: Sequence[Result],
    gains: Sequence[Gain],
    parts: Sequence["Sliced"],
    pictures: Sequence[str],
    caveats: Sequence[str] = (),
) -> None:
    """``report.md`` and ``gains.json``.

    Args:
        results: of protocol zh, in order.
        gains: of `eval.compare.compare`.
        parts: of `sliced`.
        pictures: names of files in the folder to show.
        caveats: of `eval.caveats.caveats`.
    """
    several = len({result.test_set for result in results}) > 1
    drawn = result_table(results)
    text = page(
        "eval",
        "report",
        sample_note=SAMPLE_NOTE if any(result.test_set == SAMPLE for result in results) else "",
        results=drawn.markdown(),
        glossary=[(figure(key).label, figure(key).meaning) for key in drawn.columns],
        caveats=caveats,
        gains=_gains(gains, several),
        p_values=families(gains),
        parts=[{"title": part.title(several), "table": part.table()} for part in parts],
        slice_note=SLICE_NOTE,
        pictures=pictures,
        answer_tag=ANSWER,
        chains_note=CHAINS_NOTE,
    )
    write_text(folder / "report.md", text)
    write_json(folder / "gains.json", [asdict(gain) for gain in gains])


def _gains(gains: Sequence[Gain], several: bool) -> Markdown:
    where = ["Test set"] if several else []
    rows = (
        [
            figure(gain.figure).label,
            f"{gain.ours} − {gain.theirs}",
            *([gain.test_set] if several else []),
            signed(gain.gain),
            _bare(gain.p),
            f"{signed(gain.shown)}, {gain.questions} questions" if gain.shown else "–",
            _bare(gain.p_shown),
            signed(gain.at_equal_length) if gain.at_equal_length else "–",
        ]
        for gain in gains
    )
    head = ["Figure", "Models", *where, "Gain", "p of it", "Shown by both", "p of these", "adjusted for length"]
    return table(head, rows, left=2 + len(where))


def signed(interval: Interval) -> str:
    """A difference with its interval: "+0.344 (+0.260 to +0.424)"."""
    return interval.text("+.3f")


def _bare(p: PValue | None) -> str:
    """A p under a heading that says so."""
    return "–" if p is None else p.named().removeprefix("p ").removeprefix("= ")


@dataclass(frozen=True, slots=True)
class Sliced:
    """One figure in parts of a test set.

    Attributes:
        test_set: its name.
        figure: its key.
        shown: over the replies that show something alone.
        groups: group → model → mean and interval, of `eval.compare.slices`.
    """

    test_set: str
    figure: str
    shown: bool
    groups: Mapping[str, Mapping[str, Interval]]

    def title(self, several: bool) -> str:
        """Above its table; with the test set's name where there are several."""
        where = f" {self.test_set}" if several else ""
        reading = ", replies that show something" if self.shown else ""
        return f"{figure(self.figure).label} by part of the test set{where}{reading}"

    def table(self) -> Markdown:
        """A row a group, a column a model."""
        form = f".{figure(self.figure).digits}f"
        models = list(dict.fromkeys(model for means in self.groups.values() for model in means))
        rows = (
            [name, *(means[model].text(form) if model in means else "–" for model in models)]
            for name, means in self.groups.items()
        )
        return table(["Part", *models], rows)


def sliced(results: Sequence[Result], test: pd.DataFrame) -> list[Sliced]:
    """Figures by risk and by topic, of each test set; those of the text in both readings.

    Args:
        results: of protocol zh.
        test: the questions, with id, test_set, topic, crisis and risk_level.
    """
    found = []
    for name, own in test.groupby("test_set", sort=False):
        groups = {f"{part} ({len(ids)})": ids for part, ids in (by_risk(own) | by_topic(own, LEAST)).items()}
        mine = [result for result in results if result.test_set == name]
        for key in figures_of("slices"):
            for shown in (False, True) if figure(key).of_text else (False,):
                found.append(Sliced(str(name), key, shown, slices(mine, groups, key, shown)))
    return [part for part in found if part.groups]


def spread(test: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` questions, one of each topic, then a second of each, and so on."""
    return test.assign(turn=test.groupby("topic").cumcount()).sort_values(["turn", "id"], kind="stable").head(count)


def write_replies(folder: Path, scores: Mapping[str, pd.DataFrame], test: pd.DataFrame, count: int = 10) -> None:
    """``replies.md``: a human reply and the first sample of every model for `count` questions, spread over the topics.

    Valid outputs are shown with their layers, invalid ones raw with their violation; of a model that was never asked
    for layers, what a reader is shown.
    """
    marked = {name: frame.assign(short=short_for_its_reward(frame, test)) for name, frame in scores.items()}
    questions = [
        {
            "title": question["title"],
            "topic": question["topic"],
            "at_risk": bool(question["crisis"] or question["risk_level"] != "none"),
            "post": str(question["description"]),
            "references": len(question["references"]),
            "human": str(question["references"][0]),
            "replies": [
                _reply(name, frame[frame["question_id"] == question["id"]].sort_values("sample").iloc[0])
                for name, frame in marked.items()
            ],
        }
        for question in spread(test, count).to_dict("records")
    ]
    write_text(folder / "replies.md", page("eval", "replies", questions=questions, crisis_note=Markdown(CRISIS_NOTE)))


def _reply(model: str, row: "pd.Series[Any]") -> dict[str, Any]:
    """A reply as the template takes it: layers and shown, or problem and raw."""
    text = str(row["text"])
    told = [
        f"{figure(key).label.lower()} {row[key]:.{figure(key).digits}f}" for key in figures_of("reply") if key in row
    ]
    own = {"model": model, "told": ", ".join([*told, *_marks(row)]), "problem": "", "layers": [], "shown": row["shown"]}
    raw = text if len(text) <= _RAW else text[:_RAW] + " …"
    if "violation" not in row:  # the model was never asked for the format
        fault = str(row["fault"]).replace("_", " ")
        return {**own, "problem": f"Shows a reader nothing: {fault}", "raw": raw} if fault else own
    try:
        output = parse(text)
    except CoEFormatError as error:
        return {**own, "problem": f"Not a valid output: {error}", "raw": raw}
    layers = [(name, LAYER_TITLES[name], layer) for name, layer in zip(LAYERS, output.layers, strict=True)]
    return {**own, "layers": layers, "shown": output.answer}


def _marks(row: "pd.Series[Any]") -> Iterable[str]:
    yield f"{row['chars']:.0f} characters"
    if row["short"]:
        yield "rewarded although very short"
