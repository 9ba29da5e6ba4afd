"""`make data` before anything is prepared: the corpus's name, what is read, what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from common.code import REPO
from common.errors import StageError
from common.records.question import Question
from common.tokenizer import load_tokenizer
from data_prep.corpora import Corpus
from data_prep.corpora.sample import SAMPLE_CORPUS, SMILECHAT_POSTS
from recipes.data import RECIPE, read_before

RECORD = '{"title": "睡不着", "responses": ["嗯。"]}\n'


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    for name in ("tokenizer.json", "model.safetensors", "train.log"):
        (folder / name).write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "sample"),
        (["corpus={}/mine.jsonl"], "mine"),
        (["corpus={}/PsyQA_full.json"], "PsyQA"),
        (["corpus={}/smilechat_6k.jsonl"], "SMILECHAT"),
        (["corpus={}/PsyQA_full.json", "data_source=old posts"], "old posts"),
        (["corpus={}/PsyQA_full.json", "columns.title=question"], "PsyQA_full"),
        (["corpus={}/mine.jsonl", "format=psyqa"], "PsyQA"),
    ],
)
def test_a_corpus_is_called_by_what_it_is_unless_it_is_named(arguments: list[str], name: str, tmp_path: Path) -> None:
    """So that the mark of a model that has read PsyQA does not hang on the name of a file."""
    records: dict[str, object] = {
        "mine.jsonl": {"title": "睡不着", "responses": ["嗯。"]},
        "smilechat_6k.jsonl": {"dialogue": [{"role": "client", "content": "睡不着"}]},
    }
    for file, record in records.items():
        (tmp_path / file).write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    psyqa = [{"question": "睡不着", "description": "", "keywords": "", "answers": [{"answer_text": "嗯。"}]}]
    (tmp_path / "PsyQA_full.json").write_text(json.dumps(psyqa, ensure_ascii=False), encoding="utf-8")
    _, config = RECIPE.load(["profile=tiny", *(argument.format(tmp_path) for argument in arguments)])
    assert config.data_source == name


def test_a_corpus_that_cannot_be_told_stops(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    with pytest.raises(StageError, match=r"^data: .*odd\.jsonl"):
        RECIPE.load(["profile=tiny", f"corpus={tmp_path / 'odd.jsonl'}"])


def test_the_common_seed_is_the_data_s() -> None:
    _, config = RECIPE.load(["profile=tiny", "seed=7"])
    assert config.seed == 7


def test_only_the_tokenizer_of_a_base_is_read(tmp_path: Path, base: Path) -> None:
    corpus, other = tmp_path / "posts.jsonl", tmp_path / "other.jsonl"
    corpus.write_text(RECORD, encoding="utf-8")
    plan = RECIPE.plan(*RECIPE.load(["profile=tiny", f"corpus={corpus}", f"model={base}", f"exclude=[{other}]"]))
    assert plan.inputs == {
        "corpus": corpus,
        "coe_corpus": SAMPLE_CORPUS,
        "tokenizer": [base / "tokenizer.json"],
        f"exclude {other}": other,
    }


def test_how_it_runs_decides_nothing(base: Path) -> None:
    plans = [
        RECIPE.plan(*RECIPE.load(["profile=tiny", f"model={base}", *more]))
        for more in ([], ["engine=ray", "workers=3"])
    ]
    assert plans[0].config == plans[1].config


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("corpus=nowhere.json", "nowhere.json: no such file or folder"),
        ("test_size=0", "test_size=0: expected 1 or more"),
        ("mask=[手机]", "mask=.*手机.*: expected some of 电话"),
        ("prompt=cot", "prompt=cot: expected one of coe, plain"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_done(argument: str, message: str) -> None:
    with pytest.raises(StageError, match=message):
        RECIPE.plan(*RECIPE.load(["profile=tiny", argument]))


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"model=.*: no tokenizer found .*MODEL="):
        load_tokenizer(str(tmp_path))


def test_the_sample_is_trained_with_more_posts_and_another_corpus_is_not(base: Path, tmp_path: Path) -> None:
    other = tmp_path / "posts.jsonl"
    other.write_text(RECORD, encoding="utf-8")
    for arguments, paths in (([], [str(SMILECHAT_POSTS)]), ([f"corpus={other}"], []), (["train_on=[]"], [])):
        plan = RECIPE.plan(*RECIPE.load(["profile=tiny", f"model={base}", *arguments]))
        assert plan.config["train_on"] == paths
        assert {key for key in plan.inputs if key.startswith("train_on")} == {f"train_on {path}" for path in paths}


@pytest.mark.parametrize(("read", "warned"), [("[smilechat, psyqa]", True), ("[other]", False)])
def test_a_base_that_has_read_the_corpus_is_told_of(read: str, warned: bool, base: Path, tmp_path: Path) -> None:
    (base / "README.md").write_text(f"---\ndatasets: {read}\n---\n", encoding="utf-8")
    assert bool(list(read_before(str(base), "psyqa"))) == warned
    assert list(read_before("a/hub-id", "psyqa")) == []


def test_joined_corpora_keep_their_counts_and_tell_their_questions_apart() -> None:
    mine = Corpus([Question(id="1", title="题", description="", responses=("答",))], [], 1, 1, "sample")
    theirs = replace(mine, format="smilechat")
    joined = mine.with_training({"posts": theirs})
    assert [(one.id, one.train_only) for one in joined.questions] == [("1", False), ("posts/1", True)]
    assert (joined.records_in, joined.records_kept, joined.further) == (2, 2, ("smilechat",))


def checked(folder: Path, *keys: str) -> None:
    common, config = RECIPE.load(["profile=tiny", f"out={folder / 'out'}", *keys])
    RECIPE.plan(common, config).check(folder)


@pytest.mark.parametrize("key", ["exclude", "tests", "train_on"])
def test_every_corpus_is_looked_at_before_the_first_is_read(key: str, tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    for name, words in (("odd.jsonl", "expected a sample"), ("none.jsonl", "no such file or folder")):
        with pytest.raises(StageError, match=rf"^data: {key}: .*{name}.*{words}"):
            checked(tmp_path, f"{key}=[{tmp_path / name}]")
    checked(tmp_path, f"{key}=[{SMILECHAT_POSTS}]")


def test_a_tokenizer_without_a_template_is_told_first(tmp_path: Path) -> None:
    load_tokenizer(str(REPO / "recipes/tiny_base/model")).save_pretrained(tmp_path / "base")
    (tmp_path / "base" / "chat_template.jinja").unlink()
    with pytest.raises(StageError, match="no chat template"):
        checked(tmp_path, f"model={tmp_path / 'base'}")


def test_a_corpus_too_small_for_its_sizes_is_told_before_it_is_treated(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text(RECORD * 3, encoding="utf-8")
    common, config = RECIPE.load(["profile=tiny", f"corpus={tmp_path / 'mine.jsonl'}"])
    plan = RECIPE.plan(common, config)
    with pytest.raises(StageError, match=r"3 questions, too few for test_size=32 and val_size=8, together 40"):
        plan.work(tmp_path / "data", False)
    assert not (tmp_path / "data").exists()
