"""The tagger: labels, values put into texts, and that a training of some seconds learns what it is shown."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.lac import lac
from data_prep.anonymise.plausible import is_full
from data_prep.anonymise.tagger import train as training
from data_prep.anonymise.tagger.examples import IGNORED, labelled, made_up, of_writers
from data_prep.anonymise.tagger.known import KINDS as KNOWN
from data_prep.anonymise.tagger.known import known_kinds
from data_prep.anonymise.tagger.labels import TYPES, labels_of, places_of
from data_prep.anonymise.tagger.network import Tagger, best_labels
from data_prep.anonymise.tagger.plant import plant
from data_prep.anonymise.tagger.values import Values
from data_prep.anonymise.tagger.words import KINDS, word_kinds
from data_prep.corpora import load_corpus

POST = "我男朋友在一家公司上班，我们大学就认识。他总说我住的小区太远，我家里人也不喜欢他。怎么办？"


def folder(path: Path, posts: list[str]) -> Path:
    """Dialogues of one turn each, as SMILECHAT has them."""
    path.mkdir()
    for number, post in enumerate(posts):
        turns = [{"role": "client", "content": post}, {"role": "counselor", "content": "我在听。"}]
        (path / f"{number}.json").write_text(json.dumps(turns, ensure_ascii=False), encoding="utf-8")
    return path


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5), st.sampled_from(TYPES)), max_size=6))
def test_labels_give_their_places_back(gaps: list[tuple[int, int, str]]) -> None:
    places, position = [], 0
    for gap, size, type in gaps:
        places.append((position + gap, position + gap + size, type))
        position += gap + size
    assert list(places_of(labels_of(position + 1, places))) == places


def test_no_label_goes_on_what_has_not_begun() -> None:
    scores = np.zeros((1, 4, 9), dtype=np.float32)
    scores[0, :, 0] = 1
    # Alone the second character would go on a school; with the first it is a name's.
    scores[0, 0, 1], scores[0, 1, 4], scores[0, 1, 2] = 3, 2.5, 2
    assert best_labels(scores)[0].tolist() == [1, 2, 0, 0]


def test_values_are_put_where_the_text_speaks_of_such() -> None:
    rng = random.Random(5)
    values, types = Values(rng), set()
    for _ in range(200):
        text, places = plant(POST, rng, values)
        assert places == sorted(places)
        assert all(text[start:end].strip() for start, end, _ in places)
        types |= {type for *_, type in places}
        rest = text
        for start, end, _ in reversed(places):
            rest = rest[:start] + rest[end:]
        assert len(rest) < len(POST) + 40
    assert types == set(TYPES)


def test_the_same_seed_puts_the_same_values() -> None:
    first, second = ([*made_up([POST] * 5, random.Random(3))] for _ in range(2))
    assert first == second


def test_another_place_of_a_writers_value_has_no_label() -> None:
    plants = [{"post": "a", "find": "我男朋友在", "replace": "我男朋友梁子昂在", "type": "姓名", "value": "梁子昂"}]
    first, *_ = of_writers({"a": "我男朋友在家。梁子昂不说话。"}, plants)
    assert first.labels[4:7] == (1, 2, 2)
    (_, second) = of_writers({"a": "我男朋友在家。梁子昂不说话。"}, plants)
    assert second.labels[:3] == (IGNORED,) * 3


def test_a_writer_s_value_is_exchanged_for_one_of_its_kind() -> None:
    plants = [
        {
            "post": "a",
            "find": "我男朋友在",
            "replace": "我男朋友梁子昂在",
            "type": "姓名",
            "value": "梁子昂",
            "full": True,
        },
        {"post": "a", "find": "去找老师", "replace": "去找柏老师", "type": "姓名", "value": "柏", "full": False},
    ]
    post, names, surnames = "我男朋友在家躺着，我去找老师谈。", set[str](), set[str]()
    for seed in range(40):
        for sentence, _, labels in of_writers({"a": post}, plants, random.Random(seed)):
            first, second = (sentence[start:end] for start, end, _ in places_of(labels))
            assert sentence == f"我男朋友{first}在家躺着，我去找{second}老师谈。"
            names.add(first)
            surnames.add(second)
    assert "梁子昂" in names
    assert len(names) > 10
    assert all(is_full(name) or name == "梁子昂" for name in names)
    assert len(surnames) > 5
    assert all(len(name) <= 2 for name in surnames)


def test_each_character_has_its_word_s_kind() -> None:
    sentence = "从澳柯玛内退。"
    kinds = word_kinds(sentence)
    assert kinds.shape == (len(sentence),)
    assert (kinds < KINDS).all()
    # A word of one character, the first, inner and last one of three, the first and last of two.
    assert [kind % 256 // 64 for kind in kinds.tolist()] == [3, 0, 1, 2, 0, 2, 3]
    assert len({kind % 64 for kind in kinds.tolist()[1:4]}) == 1
    # 从 is common, 内退 is not.
    assert [kind // 256 for kind in kinds.tolist()][:1] == [1]
    assert kinds.tolist()[4] // 256 == 0


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # 大碶 is a sub-district of Ningbo, 歌尔 a firm, 万盛 both: first characters are 1 and 4, last ones 3 and 12.
        ("我在大碶租房", [0, 0, 1, 3, 0, 0]),
        ("他进歌尔了", [0, 0, 4, 12, 0]),
        ("在万盛上班", [0, 5, 15, 0, 0]),
        ("今天很难过", [0, 0, 0, 0, 0]),
    ],
)
def test_each_character_has_what_lists_know(sentence: str, expected: list[int]) -> None:
    kinds = known_kinds(sentence)
    assert kinds.tolist() == expected
    assert (kinds < KNOWN).all()


def test_sentences_of_common_words_are_no_examples() -> None:
    assert [each.sentence for each in labelled("听起来你很辛苦。我男朋友张子昂走了。", [])] == ["我男朋友张子昂走了。"]


def test_training_learns_and_writes_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some dozens of posts and seconds of training: what was shown is found in the same sentence."""
    rng = random.Random(1)
    posts = ["".join(rng.sample(POST, 30)) + "。我男朋友在第三家公司上班，我很累。" for _ in range(60)]
    corpus = folder(tmp_path / "corpus", posts)
    plants = tmp_path / "plants.jsonl"
    plants.write_text(
        "".join(
            json.dumps(
                {
                    "post": f"smilechat:{question.id}",
                    "find": "我男朋友在",
                    "replace": "我男朋友梁子昂在",
                    "type": "姓名",
                    "value": "梁子昂",
                },
                ensure_ascii=False,
            )
            + "\n"
            for question in load_corpus(corpus).questions
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(training, "_LEAST", 2)
    out = tmp_path / "weights.safetensors"
    arguments = ["--plants", str(plants), "--width", "32", "--epochs", "12", "--out", str(out)]
    training.main([str(corpus), *arguments])
    text = "我男朋友梁子昂在第三家公司上班，我很累。"
    (found,) = Tagger(out)([text], [True], lac().tags([text]))
    assert [(text[each.start : each.end], each.type) for each in found] == [("梁子昂", "姓名")]


def test_plants_of_another_corpus_are_told(tmp_path: Path) -> None:
    corpus = folder(tmp_path / "corpus", [POST] * 3)
    with pytest.raises(SystemExit, match=r"posts are not in .*corpus\. Name the plants of this corpus"):
        training.main([str(corpus), "--out", str(tmp_path / "x")])
