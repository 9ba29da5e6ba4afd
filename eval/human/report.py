"""What a ranking study showed, as JSON, Markdown and a picture."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")  # no display
from matplotlib import pyplot as plt

from common.files import write_text
from eval.human.analysis import Study
from eval.human.study import Left
from eval.rankings import RankingError
from eval.statistics import Interval

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
    write_text(folder / RANKING_FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    lines = [
        f"# Ranking by people: {test_set}",
        "",
        f"{study.rankings} rankings of {study.questions} questions by {len(study.raters)} raters.",
        "",
        "| Model | Win@1 | Win@2 | Mean rank | Strength |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {_shown(f.win_1, 1)} | {_shown(f.win_2, 1)} | {_shown(f.mean_rank, 3)} | "
            f"{_shown(f.strength, 3)} |"
            for name, f in study.models.items()
        ),
        "",
        f"- Kendall's W {_number(study.w)} ({_number(study.w_by_chance)} by chance), Krippendorff's alpha "
        f"{_number(study.alpha)} (ordinal).",
        *([f"- Left out for failed attention checks: {', '.join(study.left_out)}."] if study.left_out else []),
        "",
        "| Rater | Questions | Kendall's tau with the others | Checks passed | Skipped | Left as shown |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {rater.questions} | {_number(rater.agreement)} | {rater.passed} of {rater.checks} | "
            f"{len(left[name].skipped) if name in left else '–'} | {len(left[name].unmoved) if name in left else '–'} |"
            for name, rater in study.raters.items()
        ),
        *(f"| {name} | 0 | – | – | {len(left[name].skipped)} | 0 |" for name in left if name not in study.raters),
        "",
        "![ranking](ranking.png)",
        "",
        NOTE,
    ]
    write_text(folder / "ranking.md", "\n".join(lines) + "\n")
    _plot(study, folder / "ranking.png")


def read_figures(path: Path) -> dict[tuple[str, str], dict[str, Interval]]:
    """Win@1, Win@2 and mean rank by test set and model, for `eval.tables.result_table`.

    Raises:
        RankingError: not a file of `write_study`.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {
            (content["test_set"], model): {key: Interval(**figures[key]) for key in ("win_1", "win_2", "mean_rank")}
            for model, figures in content["models"].items()
        }
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise RankingError(f"{path}: {error!r}, expected ranking.json of `make ranking`") from error


def _plot(study: Study, out: Path) -> None:
    names = list(study.models)[::-1]
    figure, axes = plt.subplots(figsize=(7, 1.2 + 0.45 * len(names)), layout="constrained")
    for place, name in enumerate(names):
        interval = study.models[name].mean_rank
        axes.plot([interval.low, interval.high], [place, place], color="#1f6fb2", linewidth=2)
        axes.plot(interval.mean, place, "o", color="#1f6fb2")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="mean rank (1 is best), 95 % interval over questions and raters", xlim=(1, len(names)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    partial = out.with_name(f".{out.name}.partial")
    figure.savefig(partial, dpi=150, format="png")
    partial.replace(out)
    plt.close(figure)


def _shown(interval: Interval, decimals: int) -> str:
    return f"{interval.mean:.{decimals}f} ({interval.low:.{decimals}f} to {interval.high:.{decimals}f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
