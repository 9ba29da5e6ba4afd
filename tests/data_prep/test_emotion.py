"""Emotion labels: the lexicon as installed, the two rules, and an installation that is not whole."""

from collections import Counter
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from data_prep import emotion
from data_prep.cleaning import Cleaner, clean
from data_prep.corpora import load_corpus
from data_prep.emotion import Emotion, EmotionLexicon, LexiconError


@pytest.fixture(scope="module")
def lexicon() -> EmotionLexicon:
    return EmotionLexicon.load()


def test_lexicon_as_installed(lexicon: EmotionLexicon) -> None:
    assert len(lexicon.words) > 27_000
    assert lexicon.words["愤怒"] == (Emotion.ANGER,)
    assert set(lexicon.words["好事"]) == {Emotion.JOY, Emotion.LIKING, Emotion.DISGUST}
    assert "不是" not in lexicon.words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("他很愤怒，一气之下大发雷霆。", Emotion.ANGER),
        ("我害怕，夜里恐惧得睡不着。", Emotion.FEAR),
        ("失去了他，我痛苦又难过。", Emotion.SADNESS),
        ("今天真快乐，真高兴。", Emotion.JOY),
        ("桌子上有一本书。", None),
        ("", None),
    ],
)
def test_label_is_the_class_with_most_words(lexicon: EmotionLexicon, text: str, expected: Emotion | None) -> None:
    assert lexicon.label(text) == expected


def test_tie_goes_to_the_smaller_class(lexicon: EmotionLexicon) -> None:
    assert lexicon.counts("愤怒和快乐") == Counter({Emotion.ANGER: 1, Emotion.JOY: 1})
    assert lexicon.label("快乐和愤怒") == lexicon.label("愤怒和快乐") == Emotion.ANGER


def test_relative_label_is_what_stands_out(lexicon: EmotionLexicon) -> None:
    encouraging = "希望你相信自己，支持你，理解你，帮助你。"
    relative = lexicon.relative_to([encouraging, encouraging, "我害怕，很恐惧。", "真难过，真痛苦。"])
    fearful = f"{encouraging}你害怕，你恐惧。"
    assert lexicon.label(fearful) == Emotion.LIKING
    assert relative.label(fearful) == Emotion.FEAR
    assert relative.label(encouraging) == Emotion.LIKING
    # One word decides only where no class has two.
    assert relative.label(f"{encouraging}你害怕。") == Emotion.LIKING
    assert relative.label("你害怕。") == Emotion.FEAR


def test_relative_to_one_class_only_has_no_label(lexicon: EmotionLexicon) -> None:
    assert lexicon.relative_to(["真快乐"]).label("真快乐") is None
    assert lexicon.relative_to([]).label("真快乐") is None


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(emotion, "distribution", absent)
    with pytest.raises(LexiconError, match=r"cntext.*is missing.*make install"):
        EmotionLexicon.load()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing from cntext"),
        ("Name: x", "no Dictionary in it"),
        ("Dictionary: {pos: [好]}", r"classes \['pos'\], expected"),
    ],
)
def test_package_not_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, message: str) -> None:
    class Fake:
        version = "0"

        def locate_file(self, name: str) -> Path:
            return tmp_path / Path(name).name

    if content is not None:
        (tmp_path / "zh_common_DUTIR.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setattr(emotion, "distribution", lambda name: Fake())
    with pytest.raises(LexiconError, match=message):
        EmotionLexicon.load()


def test_no_class_takes_most_real_replies(lexicon: EmotionLexicon, psyqa_path: Path) -> None:
    replies = [
        response for question in clean(load_corpus(psyqa_path), Cleaner()).questions for response in question.responses
    ]
    relative = lexicon.relative_to(replies)
    shares = Counter(relative.label(reply) for reply in replies)
    assert shares[None] < 0.02 * len(replies)
    assert max(shares.values()) < 0.4 * len(replies)
    assert len(shares) >= 7
