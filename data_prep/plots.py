"""Pictures of a corpus: how long its texts are, what they are about, how many responses a question has.

Drawn without a display and without pyplot's global figures; the same numbers give the same bytes on one machine. Topics
are Chinese words and matplotlib brings no Chinese font: where one of ``CHINESE_FONTS`` is installed it is used,
and a topic that no font at hand can draw is named by its rank alone, which the dataset card's table of topics explains.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.ticker import MaxNLocator

from common.files import replacing
from data_prep.statistics import PAPER, CorpusStatistics, Lengths

# Families with the signs of simplified Chinese, the first installed one is used.
CHINESE_FONTS: Final[tuple[str, ...]] = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Noto Sans CJK JP",  # the name under which a collection of all the Noto CJK fonts is often found
)

# Topics with a bar of their own; the others share one.
TOPICS_SHOWN: Final = 20

# Questions with more responses than this share one bar.
RESPONSES_SHOWN: Final = 15

# Longer topics are cut in the picture.
TOPIC_CHARS: Final = 16

_THOUSANDS: Final = "{x:,.0f}"
_LEAST_SHOWN: Final = 5  # so that the paper's means stand among the bars
_BASE_FONT: Final = "DejaVu Sans"  # comes with matplotlib
_BLUE, _GREY = "#a3c4e0", "#c9cdd1"


def draw_plots(statistics: CorpusStatistics, folder: Path) -> tuple[Path, ...]:
    """Draw ``lengths.png``, ``topics.png`` and ``responses.png`` of one corpus into a folder.

    A corpus without topics gets no ``topics.png``; one that stands there from before is removed.

    Returns:
        The pictures drawn, in this order.
    """
    figures = {"lengths.png": lengths_figure(statistics)}
    if statistics.topics:
        figures["topics.png"] = topics_figure(statistics)
    else:
        (folder / "topics.png").unlink(missing_ok=True)
    figures["responses.png"] = responses_figure(statistics)
    for name, figure in figures.items():
        with replacing(folder / name) as temporary:
            # Software would name matplotlib's version: the bytes should change with the picture only.
            figure.savefig(temporary, dpi=150, format="png", metadata={"Software": None})
    return tuple(folder / name for name in figures)


def lengths_figure(statistics: CorpusStatistics) -> Figure:
    """Histograms of the titles', descriptions' and responses' characters, with our mean and the paper's as lines."""
    figure = Figure(figsize=(7, 8), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(3)
    kinds = (
        (statistics.titles, "questions", "title", [column.question_chars for column in PAPER.values()]),
        (statistics.descriptions, "questions", "description", [column.description_chars for column in PAPER.values()]),
        (statistics.responses, "answers", "answer", [column.answer_chars for column in PAPER.values()]),
    )
    for axes, (lengths, counted, name, paper_means) in zip(panels, kinds, strict=True):
        _histogram(axes, lengths)
        _means(axes, lengths.mean, paper_means, 1, lengths.bin_width * len(lengths.bins))
        axes.set(xlabel=f"characters of the {name}", ylabel=counted)
        axes.xaxis.set_major_formatter(_THOUSANDS)
        _finish(axes)
    return figure


def topics_figure(statistics: CorpusStatistics) -> Figure:
    """A bar for each of the commonest topics, one for all others, one for the questions without any.

    Raises:
        ValueError: the corpus has no topics.
    """
    if not statistics.topics:
        raise ValueError("a plot of topics for a corpus without topics, expected at least one. Leave the plot out.")
    installed = {font.name for font in fontManager.ttflist}
    families = [_BASE_FONT, *[name for name in CHINESE_FONTS if name in installed][:1]]
    shown = list(statistics.topics.items())[:TOPICS_SHOWN]
    names = [_drawable(topic, families) for topic, _ in shown]
    bars = [(f"{rank}. {name}", count) for rank, (name, (_, count)) in enumerate(zip(names, shown, strict=True), 1)]
    if others := list(statistics.topics.values())[TOPICS_SHOWN:]:
        bars.append((f"{len(others)} other topics", sum(others)))
    if statistics.no_topic:
        bars.append(("no topic", statistics.no_topic))
    figure = Figure(figsize=(7, 1.1 + 0.26 * len(bars)), layout="constrained")
    axes = figure.subplots()
    colours = [_BLUE] * len(shown) + [_GREY] * (len(bars) - len(shown))
    drawn = axes.barh(range(len(bars)), [count for _, count in bars], color=colours)
    axes.bar_label(drawn, [f"{count:,}" for _, count in bars], padding=3, fontsize=8)
    axes.set_yticks(range(len(bars)), [label for label, _ in bars], fontfamily=families)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.02)
    axes.set_xlabel("questions" if all(names) else "questions (topics by rank: the dataset card names them)")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.xaxis.set_major_formatter(_THOUSANDS)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def responses_figure(statistics: CorpusStatistics) -> Figure:
    """How many questions have how many responses, with our mean and the paper's as lines."""
    counts = statistics.responses_per_question
    first, last = min(*counts, 1), min(max(*counts, _LEAST_SHOWN), RESPONSES_SHOWN)
    bars = {str(responses): counts.get(responses, 0) for responses in range(first, last + 1)}
    if more := sum(questions for responses, questions in counts.items() if responses > RESPONSES_SHOWN):
        bars[f"{RESPONSES_SHOWN + 1}+"] = more
    positions = range(first, first + len(bars))
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.bar(positions, list(bars.values()), color=_BLUE)
    paper_means = [column.responses_per_question for column in PAPER.values()]
    _means(axes, statistics.table1.responses_per_question, paper_means, 2, positions[-1])
    axes.set(xlabel="responses per question", ylabel="questions")
    axes.set_xticks(positions, list(bars))
    _finish(axes)
    return figure


def _histogram(axes: Axes, lengths: Lengths) -> None:
    width, last = lengths.bin_width, len(lengths.bins) - 1
    edges = [index * width for index in range(len(lengths.bins))]
    axes.bar(edges[:-1], lengths.bins[:-1], width, align="edge", color=_BLUE, edgecolor="white", linewidth=0.3)
    if lengths.bins[last]:
        label = f"{edges[last]:,} or more: {lengths.bins[last]:,}"
        axes.bar(edges[last], lengths.bins[last], width, align="edge", color=_GREY, label=label)
    axes.set_xlim(0, (max(index for index, count in enumerate(lengths.bins) if count) + 2) * width)


def _means(axes: Axes, ours: float, paper: Sequence[float], decimals: int, edge: float) -> None:
    """Vertical lines, the axis widened to hold them; one beyond `edge`, where bars end, is only named in the legend."""
    names = ["mean here", *(f"{name}, paper" for name in PAPER)]
    means = [ours, *paper]
    for name, mean, colour, dashes in zip(names, means, ("black", "#c65d07", "#11703f"), ("-", "--", ":"), strict=True):
        label = f"{name}: {mean:,.{decimals}f}"
        if mean <= edge:
            axes.axvline(mean, color=colour, linestyle=dashes, linewidth=2, label=label)
        else:
            axes.plot([], [], color=colour, linestyle=dashes, linewidth=2, label=f"{label} →")
    drawn = max(mean for mean in means if mean <= edge)  # the paper's always are
    axes.set_xlim(right=max(axes.get_xlim()[1], 1.08 * drawn))


def _finish(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis="y", alpha=0.3)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(_THOUSANDS)
    # Above the bars: inside, some corpus always has its lines or bars where the legend is.
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, columnspacing=1.5)


def _drawable(topic: str, families: Sequence[str]) -> str:
    """The topic as it can be drawn, cut where it is too long; "" where a sign of it is in no font."""
    fonts = [get_font(findfont(FontProperties(family=name))) for name in families]
    text = " ".join(topic.split())
    if not all(any(font.get_char_index(ord(char)) for font in fonts) for char in text):
        return ""
    cut = text if len(text) <= TOPIC_CHARS else f"{text[: TOPIC_CHARS - 1]}…"
    return cut.replace("$", r"\$")  # two dollar signs would open mathematics
