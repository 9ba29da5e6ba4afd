"""Pictures of a corpus: what they show, that nothing is cut off or a box, and that two runs give the same bytes."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.axes import Axes
from matplotlib.font_manager import fontManager
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from common.records.question import Question
from data_prep import plots
from data_prep.corpora import load_corpus
from data_prep.plots import draw_plots, lengths_figure, responses_figure, topics_figure
from data_prep.statistics import CorpusStatistics, corpus_statistics


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """A missing glyph and a layout that does not work out are warnings in matplotlib, and failures here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def no_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "CHINESE_FONTS", ())


@pytest.fixture
def chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A font that has nothing but 情 and 绪, both a square."""
    pen = TTGlyphPen(None)
    for point in ((100, 0), (100, 800), (900, 800), (900, 0)):
        pen.lineTo(point) if point != (100, 0) else pen.moveTo(point)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "sign"])
    builder.setupCharacterMap({ord("情"): "sign", ord("绪"): "sign"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "sign": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "sign": (1000, 100)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": "Two Signs", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=880, usWinAscent=880, usWinDescent=120)
    builder.setupPost()
    builder.save(tmp_path / "two.ttf")
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    fontManager.addfont(tmp_path / "two.ttf")
    monkeypatch.setattr(plots, "CHINESE_FONTS", ("Not Here", "Two Signs"))


def _corpus(topics: list[str], responses: int = 2, length: int = 300) -> CorpusStatistics:
    return corpus_statistics(
        Question(
            id=str(i), title="题" * 20, description="述" * length, topic=topic, responses=("答" * length,) * responses
        )
        for i, topic in enumerate(topics)
    )


def _labels(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def _bars(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def _legend(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


VARIETY = {
    "sample": corpus_statistics(load_corpus(None).questions),
    "one question": _corpus(["情绪"], 1, 1),
    "all beyond the bars": _corpus(["情绪", "家庭"], 400, 50_000),
    "many topics": _corpus([f"第{i % 60}个题目，名字很长很长，写也写不完$x$" for i in range(20_000)], 1),
    "no topics": _corpus(["", ""]),
    "some without topic": _corpus(["", "Work", "Work"]),
}


@pytest.mark.parametrize("name", VARIETY)
def test_pictures_are_whole(name: str, tmp_path: Path) -> None:
    (tmp_path / "topics.png").write_bytes(b"from an earlier corpus")
    drawn = draw_plots(VARIETY[name], tmp_path)
    names = ["lengths.png", "responses.png"] if name == "no topics" else ["lengths.png", "topics.png", "responses.png"]
    assert [path.name for path in drawn] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for path in drawn:
        pixels = imread(path)[..., :3]
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert edge.min() == 1.0, "something reaches over the edge"
        assert pixels.min() < 0.2, "an empty picture"


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (draw_plots(VARIETY["sample"], tmp_path / run) for run in "ab")
    assert len(first) == 3
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.read_bytes().startswith(b"\x89PNG")


def test_bytes_follow_the_numbers(tmp_path: Path) -> None:
    [one, *_] = draw_plots(_corpus(["情绪"]), tmp_path / "a")
    [other, *_] = draw_plots(_corpus(["情绪"], length=900), tmp_path / "b")
    assert one.read_bytes() != other.read_bytes()


def test_lengths_with_the_papers_means() -> None:
    panels = lengths_figure(VARIETY["sample"]).axes
    heights = [sum(bar.get_height() for bar in _bars(axes)) for axes in panels]
    questions = load_corpus(None).questions
    texts = [
        [q.title for q in questions],
        [q.description for q in questions],
        [r for q in questions for r in q.responses],
    ]
    assert heights == list(map(len, texts))
    here = [f"mean here: {sum(map(len, part)) / len(part):.1f}" for part in texts]
    means = [_legend(axes) for axes in panels]
    assert means == [
        [here[0], "PsyQA, paper: 21.6", "Empathy-QA, paper: 22.7"],
        [here[1], "PsyQA, paper: 168.9", "Empathy-QA, paper: 275.9"],
        [here[2], "PsyQA, paper: 524.6", "Empathy-QA, paper: 775.6"],
    ]
    assert panels[2].get_xlim()[1] > 775.6


def test_what_lies_beyond_the_bars_is_named_and_does_not_stretch_the_axis() -> None:
    axes = lengths_figure(VARIETY["all beyond the bars"]).axes[2]
    texts = _legend(axes)
    assert texts[0] == "mean here: 50,000.0 →"
    assert texts[-1] == "2,950 or more: 800"
    assert axes.get_xlim() == (0, 3050)


def test_responses_beyond_the_last_bar_share_one() -> None:
    mixed = corpus_statistics(
        Question(id=str(n), title="题", description="", topic="", responses=("答",) * n) for n in (0, 1, 1, 15, 16, 40)
    )
    [axes] = responses_figure(mixed).axes
    shown = zip(axes.get_xticklabels(), _bars(axes), strict=True)
    heights = {label.get_text(): bar.get_height() for label, bar in shown}
    assert {label: height for label, height in heights.items() if height} == {"0": 1, "1": 2, "15": 1, "16+": 2}
    assert list(heights) == [*map(str, range(16)), "16+"]


def test_few_responses_still_show_the_papers_means() -> None:
    [axes] = responses_figure(_corpus(["情绪"], 1)).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "4", "5"]


@pytest.mark.usefixtures("no_chinese")
def test_without_a_chinese_font_topics_go_by_rank() -> None:
    [axes] = topics_figure(_corpus(["情绪", "情绪", "Work", "", ""])).axes
    assert _labels(axes) == ["1. ", "2. Work", "no topic"]
    assert [bar.get_width() for bar in _bars(axes)] == [2, 1, 2]
    assert "the dataset card names them" in axes.get_xlabel()


@pytest.mark.usefixtures("chinese")
def test_with_a_chinese_font_topics_are_named(tmp_path: Path) -> None:
    corpus = _corpus(["情绪"] * 3 + ["家庭"] * 2 + ["情\n绪"])
    [axes] = topics_figure(corpus).axes
    assert _labels(axes) == ["1. 情绪", "2. ", "3. 情 绪"]  # 家庭 is not in this font
    assert len(draw_plots(corpus, tmp_path)) == 3


def test_the_commonest_twenty_and_the_rest() -> None:
    topics = [f"t{i:02}" for i in range(25) for _ in range(30 - i)]
    [axes] = topics_figure(_corpus(topics)).axes
    assert _labels(axes)[:2] == ["1. t00", "2. t01"]
    assert _labels(axes)[19:] == ["20. t19", "5 other topics"]
    assert [bar.get_width() for bar in _bars(axes)][19:] == [11, 10 + 9 + 8 + 7 + 6]


def test_long_names_are_cut_and_dollars_stay_dollars() -> None:
    [axes] = topics_figure(_corpus(["$a_b$ and a rather long name"])).axes
    assert _labels(axes) == [r"1. \$a_b\$ and a rat…"]


def test_no_topics_no_topics_plot() -> None:
    with pytest.raises(ValueError, match="without topics"):
        topics_figure(VARIETY["no topics"])
