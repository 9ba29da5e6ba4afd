"""What a stage reads is known by names and bytes, and weights are read once."""

from pathlib import Path

import pytest

from common.hashing import Hashes, model_files, tokenizer_files


def test_bytes_and_names_decide(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "x.json").write_text("1")
    hashes = Hashes(tmp_path)
    assert hashes.of(first) == hashes.of(second)
    (second / "sub" / "x.json").rename(second / "sub" / "y.json")
    assert hashes.of(first) != hashes.of(second)


def test_nothing_there_is_an_id(tmp_path: Path) -> None:
    assert Hashes(tmp_path).of(Path("Qwen/Qwen3-8B")) == "Qwen/Qwen3-8B"
    assert model_files(Path("Qwen/Qwen3-8B")) == Path("Qwen/Qwen3-8B")


def test_a_model_is_neither_its_logs_nor_its_pictures(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors", "tokenizer.json", "train.log", "loss.png", "training_args.bin"):
        (tmp_path / name).write_text(name)
    files = model_files(tmp_path)
    assert isinstance(files, list)
    assert [file.name for file in files] == ["config.json", "model.safetensors", "tokenizer.json"]
    assert tokenizer_files(tmp_path) == [tmp_path / "tokenizer.json"]


def test_large_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"1" * (1 << 20))
    digest = Hashes(tmp_path).of(weights)

    def unread(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("common.hashing.hashlib.file_digest", unread)
    assert Hashes(tmp_path).of(weights) == digest
    monkeypatch.undo()
    weights.write_bytes(b"2" * (1 << 20))
    assert Hashes(tmp_path).of(weights) != digest
