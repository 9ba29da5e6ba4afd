"""The report as one HTML file: tables, curves, distributions, calibration, topics, replies side by side, manifests.

The file needs nothing else: no network, no other file. Its script is plain JavaScript that only shows and hides what
the file holds; a content security policy forbids it everything else. Texts of models and people are never markup.
"""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from common.settings import check, limited, one_of
from eval.caveats import SHORT, caveats_by_set
from eval.compare import families, stages
from eval.figures import FIGURES, figure, figures_of
from eval.html.headline import difference, further, headline, is_clear, levels, other_prompts
from eval.html.inputs import Run
from eval.html.parts import (
    crisis_note,
    embedded,
    gain_groups,
    heat_maps,
    number,
    ranking_rows,
    reply_data,
    risk_tables,
)
from eval.html.plots import MODEL_COLOURS, curve_panels, distribution_panels, kind_panels, reliability_panel
from eval.intervals import LEAST
from eval.replies import FAULTS
from eval.report import CHAINS_NOTE, SAMPLE, SAMPLE_NOTE, SLICE_NOTE
from eval.tables import PAPER_TABLES, result_table

_ASSETS: Final = "assets"
# Kinds of negatives, see data_prep/negatives.py.
_NEGATIVES: Final = {
    "in_batch": "a response to any other post",
    "topic": "to a post about the same matter",
    "emotion": "of another emotion",
    "topic_emotion": "about the same matter, of another emotion",
    "generic": "sentences that fit any post",
    "dressed": "sentences that fit any post, led in by words of the post",
}
# Of a manifest, told before all of it.
_FACTS: Final = ("git_commit", "started", "seconds", "seed")


@dataclass(frozen=True)
class ReportConfig:
    """What the report shows of a run.

    Attributes:
        replies: questions whose replies are embedded, at most, spread over the topics.
        samples: replies of each model to such a question, at most.
        headline: figures of the opening sentences, those of them that all models have.
        slices: figures shown by topic.
        risk: figures of posts at risk beside the others.
        topics: rows of the map of topics, at most.
        small: topics with fewer questions are folded away.
        paper_table: which table of the paper stands beside the results of protocol paper: "2", "3" or "4".
    """

    replies: int = limited(200, 1)
    samples: int = limited(3, 1)
    headline: list[str] = field(default_factory=lambda: figures_of("headline"))
    slices: list[str] = field(default_factory=lambda: figures_of("slices"))
    risk: list[str] = field(default_factory=lambda: figures_of("headline"))
    topics: int = limited(40, 1)
    small: int = limited(LEAST, 1)
    paper_table: str = field(default="2", metadata=one_of(PAPER_TABLES))

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range or an unknown figure; the message names the key.
        """
        check(self)
        known = [one.key for one in FIGURES]
        for key in ("headline", "slices", "risk"):
            if unknown := [name for name in getattr(self, key) if name not in known]:
                raise ValueError(f"{key} holds {unknown[0]}: no such figure, expected of {', '.join(known)}")


def render(run: Run, title: str, config: ReportConfig, seed: int) -> str:
    """The whole file.

    Args:
        run: of `eval.html.inputs.read_run`.
        title: of the page, such as the profile's name.
        config: what to show.
        seed: of the permutation test behind the caveats.

    Raises:
        FileError: results that can't share a table.
    """
    script, style = (
        files("eval.html").joinpath(_ASSETS, name).read_text("utf-8") for name in ("report.js", "report.css")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    replies = reply_data(run.scores, run.test, config.replies, config.samples)
    table = result_table([*run.results, *run.baselines])
    sets = [
        (str(name), [result for result in run.results if result.test_set == name], test)
        for name, test in run.test.groupby("test_set", sort=False)
    ]
    environment = Environment(
        loader=PackageLoader("eval.html", _ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = number
    return environment.get_template("report.html.jinja").render(
        title=title,
        # Styles may stand anywhere, since every drawing has its own; of scripts only this one may run.
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'",
        style=Markup(style),
        script=Markup(script),
        models=[(name, place % MODEL_COLOURS, place >= MODEL_COLOURS) for place, name in enumerate(run.scores)],
        questions=len(run.test),
        test_sets=[name for name, _, _ in sets],
        samples=run.results[0].samples,
        caveats=caveats_by_set(run.scores, run.test, stages(run.results), seed),
        sample_note=SAMPLE_NOTE if any(name == SAMPLE for name, _, _ in sets) else "",
        levels=[
            {
                "test_set": level.gain.test_set if len(sets) > 1 else "",
                "theirs": level.gain.theirs,
                "ours": level.gain.ours,
                "label": figure(level.gain.figure).label,
                "meaning": figure(level.gain.figure).meaning,
                "shown": level.gain.questions if figure(level.gain.figure).of_text else None,
                "visible": level.gain.visible,
                "before": number(level.before, figure(level.gain.figure).digits),
                "after": number(level.after, figure(level.gain.figure).digits),
                "gain": difference(level.change),
                "sure": is_clear(level.gain),
            }
            for level in levels(run.gains, run.results, config.headline)
        ],
        headline=headline(run.gains, run.results, config.headline),
        other_prompts=other_prompts(run.results),
        further=further(run.gains, run.results, config.headline),
        p_values=families(run.gains),
        least=LEAST,
        uncompared=[figure(name).label for name in config.headline if name not in {gain.figure for gain in run.gains}],
        results=Markup(table.html()),
        faults=[
            (fault.replace("_", " "), meaning)
            for fault, meaning in FAULTS.items()
            if any(fault in result.faults for result in run.results)
        ],
        terms=[(figure(name).label, figure(name).meaning) for name in ("cosine", "reward")],
        reply_terms=[(figure(name).label, figure(name).meaning) for name in figures_of("reply")],
        short=SHORT,
        glossary=[(figure(name).label, figure(name).meaning) for name in table.columns],
        paper=Markup(result_table(run.paper, paper=config.paper_table).html()),
        all_runs=[(one.title, Markup(one.html())) for one in run.tables],
        gain_groups=gain_groups(run.gains),
        opened=config.headline,
        curves=None if run.curves is None else curve_panels(run.curves),
        distributions=distribution_panels(run.scores, run.threshold.value),
        ranked_by_people=bool(run.rankings.get("ranking")),
        silent=[(name, int((frame["fault"] != "").sum()), len(frame)) for name, frame in run.scores.items()],
        reliability=None if run.heldout is None else reliability_panel(run.heldout, run.threshold),
        kinds=[] if run.heldout is None else kind_panels(run.heldout, run.threshold),
        threshold=run.threshold,
        kinds_told=_NEGATIVES,
        probes=run.probes,
        without_topic=int((run.test["topic"] == "").sum()),
        maps=[
            replace(one, heading=f"{name}: {one.heading}" if len(sets) > 1 else one.heading)
            for name, results, test in sets
            for one in heat_maps(results, test, config.slices, config.small, config.topics)
        ],
        small=config.small,
        slice_note=SLICE_NOTE,
        crisis_note=crisis_note(),
        chains_note=CHAINS_NOTE,
        risks=[(name, *risk_tables(results, test, config.risk)) for name, results, test in sets],
        rankings=[(by, ranking_rows(ranking)) for by, ranking in run.rankings.items()],
        ranked=[figure(name).heading for name in figures_of("ranking")],
        replies=embedded(replies),
        shown_questions=len(replies["questions"]),
        topics=sorted({question["topic"] for question in replies["questions"]}),
        shown_samples=min(config.samples, run.results[0].samples),
        manifests=[
            (
                stage,
                {
                    "facts": [(name.replace("_", " "), getattr(manifest, name)) for name in _FACTS],
                    "json": json.dumps(asdict(manifest), ensure_ascii=False, indent=2),
                },
            )
            for stage, manifest in run.manifests.items()
        ],
    )
