"""Emotion labels: the lexicon as installed, the two rules, and an installation that is not whole."""

from collections import Counter
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from data_prep import emotion
from data_prep.corpora import load_corpus
from data_prep.emotion import EMOTIONS, EmotionClassifier, EmotionLexicon, LexiconError, relative_labels


@pytest.fixture(scope="module")
def lexicon() -> EmotionLexicon:
    return EmotionLexicon.load()


def label(lexicon: EmotionLexicon, text: str, *beside: str) -> str:
    """The text's label among the others beside it."""
    return relative_labels(lexicon.vectors([text, *beside]))[0]


def test_lexicon_as_installed(lexicon: EmotionLexicon) -> None:
    assert len(lexicon.words) > 27_000
    assert [EMOTIONS[place] for place in lexicon.words["愤怒"]] == ["怒"]
    assert {EMOTIONS[place] for place in lexicon.words["好事"]} == {"乐", "好", "恶"}
    assert "不是" not in lexicon.words


def test_vectors_count_words_of_each_class(lexicon: EmotionLexicon) -> None:
    counts = lexicon.vectors(["愤怒和快乐，快乐。", "桌子上有一本书。", ""])
    assert dict(zip(EMOTIONS, counts[0].tolist(), strict=True)) == {
        **dict.fromkeys(EMOTIONS, 0),
        "怒": 1,
        "乐": 2,
    }
    assert not counts[1:].any()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("他很愤怒，一气之下大发雷霆。", "怒"),
        ("我害怕，夜里恐惧得睡不着。", "惧"),
        ("失去了他，我痛苦又难过。", "哀"),
        ("今天真快乐，真高兴。", "乐"),
        ("桌子上有一本书。", ""),
        ("", ""),
    ],
)
def test_label_among_others(lexicon: EmotionLexicon, text: str, expected: str) -> None:
    others = ["希望你相信自己，支持你。", "愤怒又害怕。", "痛苦，快乐，难过。", "讨厌，失望。"]
    assert label(lexicon, text, *others) == expected


def test_label_is_what_stands_out(lexicon: EmotionLexicon) -> None:
    encouraging = "希望你相信自己，支持你，理解你，帮助你。"
    others = [encouraging] * 20 + ["我害怕，很恐惧。", "真难过，真痛苦。"]
    assert label(lexicon, f"{encouraging}你害怕，你恐惧。", *others) == "惧"
    assert label(lexicon, encouraging, *others) == "好"
    # One word decides only where no class has two.
    assert label(lexicon, f"{encouraging}你害怕。", *others) == "好"
    assert label(lexicon, "你害怕。", *others) == "惧"


def test_one_class_only_is_still_the_label(lexicon: EmotionLexicon) -> None:
    assert label(lexicon, "真快乐") == "乐"
    assert relative_labels(lexicon.vectors([])) == []


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


def test_no_class_takes_most_replies_of_the_sample_corpus(lexicon: EmotionLexicon) -> None:
    replies = [response for question in load_corpus(None).questions for response in question.responses]
    shares = Counter(relative_labels(lexicon.vectors(replies)))
    assert shares[""] < 0.05 * len(replies)
    assert max(shares.values()) < 0.4 * len(replies)
    assert len(set(EMOTIONS) & set(shares)) >= 6


def test_no_class_takes_most_replies_of_a_few_questions(lexicon: EmotionLexicon, psyqa_path: Path) -> None:
    replies = [response for question in load_corpus(psyqa_path).questions for response in question.responses]
    shares = Counter(relative_labels(lexicon.vectors(replies)))
    assert shares[""] == 0
    assert max(shares.values()) < 0.4 * len(replies)
    assert len(shares) >= 5


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text classifier of a few hundred weights, made on the spot."""
    folder = tmp_path_factory.mktemp("classifier")
    vocab = {token: place for place, token in enumerate(["[PAD]", "[UNK]", *"我很难过高兴"])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=32, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig.from_dict(
        {
            "vocab_size": len(vocab),
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
            "max_position_embeddings": 32,
            "id2label": {0: "难过", 1: "高兴"},
            "label2id": {"难过": 0, "高兴": 1},
        }
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_classifier_labels_texts_longer_than_it_reads(classifier: Path) -> None:
    labels = EmotionClassifier(str(classifier))(["我很难过", "我很高兴" * 50])
    assert len(labels) == 2
    assert set(labels) <= {"难过", "高兴"}


def test_classifier_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        EmotionClassifier(str(tmp_path / "absent"))
