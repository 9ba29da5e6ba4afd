"""Links, pipes and the like in a folder of tables, dialogues or samples: none is opened, each is counted."""

import os
from pathlib import Path

import pytest

from data_prep.corpora import CorpusError, load_corpus

SPOKEN = "求助者：我睡不着。\n支持者：慢慢来。\n"
SAMPLE = '{"id": %d, "title": "问", "description": "", "responses": [{"text": "答"}]}\n'
HELD = {
    "table": ("csv", "title,responses\n" + "".join(f"第{number}问,慢慢来。\n" for number in range(12))),
    "dialogue": ("txt", f"{SPOKEN}---\n" * 12),
    "sample": ("jsonl", "".join(SAMPLE % number for number in range(12))),
}


@pytest.mark.parametrize("format", HELD)
def test_links_and_pipes_beside_files_of_records_are_counted(tmp_path: Path, format: str) -> None:
    suffix, text = HELD[format]
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / f"a.{suffix}").write_text(text, encoding="utf-8")
    (tmp_path / "other").write_text(text, encoding="utf-8")
    (folder / f"b.{suffix}").symlink_to(tmp_path / "other")
    (folder / f"c.{suffix}").symlink_to(tmp_path)
    os.mkfifo(folder / f"d.{suffix}")
    (folder / "README.md").symlink_to("/dev/zero")
    corpus = load_corpus(folder)
    assert (corpus.format, corpus.records_in, corpus.records_kept) == (format, 15, 12)
    assert [(item.id, item.reason) for item in corpus.rejected] == [(f"{name}.{suffix}", "no file") for name in "bcd"]
    assert len(load_corpus(folder / f"b.{suffix}").questions) == len(corpus.questions)


def test_a_folder_of_links_alone_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("/dev/zero")
    with pytest.raises(CorpusError, match="no file of a corpus in this folder but 1 links, pipes or devices"):
        load_corpus(tmp_path)
