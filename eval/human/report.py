"""What a study of human evaluation showed, as JSON, Markdown and a picture."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

from common.files import write_json, write_text
from eval.human.analysis import Study
from eval.human.study import Left
from eval.markdown import table
from eval.plots import plot_mean_ranks

RANKING_FILE: Final = "ranking.json"
NOTE: Final = (
    "95 % intervals: questions and raters are both drawn again. Strength: Plackett–Luce, the chance to be put first "
    "among all. Raters who agree in everything have W and alpha 1; by chance alpha is 0, W as told. Preference is not "
    "benefit: nothing here claims clinical validity."
)


def write_study(folder: Path, study: Study, test_set: str, left: dict[str, Left]) -> None:
    """``ranking.json``, ``ranking.md`` and ``ranking.png``.

    Args:
        folder: of the stage.
        study: of `eval.human.analysis.analyse`.
        test_set: its name in tables.
        left: pages that annotators did not put in order, by annotator.
    """
    content = {"test_set": test_set, **asdict(study), "left": {name: asdict(pages) for name, pages in left.items()}}
    write_json(folder / RANKING_FILE, content)
    lines = [
        f"# Human evaluation: {test_set}",
        "",
        f"{study.rankings} rankings of {study.questions} questions by {len(study.raters)} raters.",
        "",
        *table(
            ["Model", "Win@1", "Win@2", "Mean rank", "Strength"],
            (
                [name, f.win_1.text(".1f"), f.win_2.text(".1f"), f.mean_rank.text(".3f"), f.strength.text(".3f")]
                for name, f in study.models.items()
            ),
        ),
        "",
        f"- Kendall's W {_number(study.w)} ({_number(study.w_by_chance)} by chance), Krippendorff's alpha "
        f"{_number(study.alpha)} (ordinal).",
        *([f"- Left out for failed attention checks: {', '.join(study.left_out)}."] if study.left_out else []),
        "",
        *table(
            ["Rater", "Questions", "Kendall's tau with the others", "Checks passed", "Skipped", "Left as shown"],
            [
                *(
                    [
                        name,
                        str(rater.questions),
                        _number(rater.tau),
                        f"{rater.passed} of {rater.checks}",
                        *_left(left, name),
                    ]
                    for name, rater in study.raters.items()
                ),
                *([name, "0", "–", "–", *_left(left, name)] for name in left if name not in study.raters),
            ],
        ),
        "",
        "![ranking](ranking.png)",
        "",
        NOTE,
    ]
    write_text(folder / "ranking.md", "\n".join(lines) + "\n")
    plot_mean_ranks({name: own.mean_rank for name, own in study.models.items()}, folder / "ranking.png")


def _left(left: dict[str, Left], name: str) -> list[str]:
    return [str(len(left[name].skipped)), str(len(left[name].unmoved))] if name in left else ["–", "–"]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
