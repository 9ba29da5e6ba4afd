"""`make data` before anything is prepared: the corpus's name, what is read, what is refused."""

from pathlib import Path

import pytest

from common.errors import StageError
from data_prep.corpora.sample import SAMPLE_CORPUS
from recipes.data import RECIPE, load_tokenizer


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
        ([], "sample_corpus"),
        (["corpus=/data/PsyQA_full.json"], "PsyQA_full"),
        (["corpus=/data/smilechat_6k.jsonl.gz"], "smilechat_6k"),
        (["corpus=/data/PsyQA_full.json", "data_source=psyqa"], "psyqa"),
    ],
)
def test_a_corpus_is_called_by_its_file_unless_it_is_named(arguments: list[str], name: str) -> None:
    _, config = RECIPE.load(["profile=tiny", *arguments])
    assert config.data_source == name


def test_the_common_seed_is_the_data_s() -> None:
    _, config = RECIPE.load(["profile=tiny", "seed=7"])
    assert config.seed == 7


def test_only_the_tokenizer_of_a_base_is_read(tmp_path: Path, base: Path) -> None:
    corpus, other = tmp_path / "posts.jsonl", tmp_path / "other.jsonl"
    corpus.write_text("{}", encoding="utf-8")
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
