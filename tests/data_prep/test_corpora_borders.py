"""Hostile and damaged files: bounds on size, open quotes, pipes and links, encodings; memory stays flat."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.code import REPO
from data_prep.corpora import Corpus, CorpusError, load_corpus
from data_prep.corpora.csv_rows import rows_of

MB = 0.002  # the bound of these tests, 2,000 bytes
LONG = "很长的一段话。" * 400


def record(number: int, text: str = "我最近总是睡不着，第二天上班没有精神。") -> dict[str, object]:
    return {
        "id": f"q{number}",
        "title": f"第{number}个问题",
        "description": text,
        "topic": "生活",
        "responses": [f"第{number}个回答：先把白天的事情写下来，睡前一小时不看手机。"],
    }


def write(path: Path, records: list[dict[str, object]]) -> Path:
    lines = [json.dumps(one, ensure_ascii=False) for one in records]
    texts = {
        ".jsonl": "\n".join(lines) + "\n",
        ".json": "[" + ",\n".join(lines) + "]",
        ".wrapped": '{"data": [' + ",\n".join(lines) + "]}",
    }
    path.write_text(texts[path.suffix], encoding="utf-8")
    return path


def only(corpus: Corpus, reason: str) -> str:
    """What is told of the one record that was rejected."""
    assert [item.reason for item in corpus.rejected] == [reason]
    return corpus.rejected[0].detail


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".wrapped"])
@pytest.mark.parametrize("place", [0, 6, 12])
def test_a_record_over_the_bound_is_counted_and_the_others_are_read(tmp_path: Path, suffix: str, place: int) -> None:
    records = [record(number) for number in range(12)]
    records.insert(place, record(99, LONG + '"]}\\ {["'))
    corpus = load_corpus(write(tmp_path / f"a{suffix}", records), max_record_mb=MB, max_bad_records=0.1)
    assert (len(corpus.questions), corpus.records_in) == (12, 13)
    assert "than 2,000 bytes, expected one record. Mend it, or raise max_record_mb." in only(corpus, "too large")
    assert load_corpus(tmp_path / f"a{suffix}").rejected == []


def test_a_value_longer_than_a_piece_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few characters: marks and backslashes are cut at every place."""
    monkeypatch.setattr("data_prep.corpora.rows._CHUNK", 7)
    records = [record(number) for number in range(12)]
    records.insert(5, record(99, 'a\\"b\\\\' * 700))
    corpus = load_corpus(write(tmp_path / "a.json", records), max_record_mb=MB, max_bad_records=0.1)
    assert [question.id for question in corpus.questions] == [f"q{number}" for number in range(12)]
    only(corpus, "too large")


def test_a_file_that_unpacks_to_too_much_stops(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        for number in range(12):
            file.write(json.dumps(record(number)) + "\n")
        file.write(" " * 2_500_000)
    with pytest.raises(CorpusError, match=r"unpacks to more than 2\.0 MB.*max_record_mb"):
        load_corpus(tmp_path / "a.jsonl.gz", max_record_mb=MB)


def as_csv(rows: list[str]) -> str:
    return "id,title,description,topic,responses\n" + "".join(rows)


def row(number: int, description: str = "睡不着") -> str:
    return f"q{number},第{number}问,{description},生活,回答{number}\n"


def test_an_unclosed_quote_costs_its_own_row(tmp_path: Path) -> None:
    """The rows up to the next quote would stand in one cell, and in the end even the number of cells is right."""
    rows = [row(number) for number in range(300)]
    rows[10] = row(10, '"一句没有关上的话')
    rows[200] = row(200, '说到这里"')
    (tmp_path / "a.csv").write_text(as_csv(rows), encoding="utf-8")
    corpus = load_corpus(tmp_path / "a.csv")
    assert (corpus.records_in, len(corpus.questions)) == (300, 299)
    told = only(corpus, "quote not closed")
    assert told.startswith("a.csv:12: found a quote that is not closed; the lines to 202")
    assert "一句" not in told


def test_each_of_several_open_quotes_is_counted(tmp_path: Path) -> None:
    rows = [row(number, f'"没关上{number}' if number % 9 == 0 else '"关上了"') for number in range(90)]
    (tmp_path / "a.csv").write_text(as_csv(rows), encoding="utf-8")
    with pytest.raises(CorpusError, match="10 of 90 records are bad"):
        load_corpus(tmp_path / "a.csv")
    corpus = load_corpus(tmp_path / "a.csv", max_bad_records=0.2)
    assert (len(corpus.questions), len(corpus.rejected)) == (80, 10)


def test_a_cell_may_have_lines(tmp_path: Path) -> None:
    cell = '"第一段，说了很多。\n\n第二段, 有个逗号\n第三段""引用""了一句"'
    (tmp_path / "a.csv").write_text(as_csv([row(number, cell) for number in range(20)]), encoding="utf-8")
    corpus = load_corpus(tmp_path / "a.csv")
    assert (len(corpus.questions), corpus.rejected) == (20, [])
    assert corpus.questions[3].description.endswith('第三段"引用"了一句')


def test_lines_are_numbered_as_they_stand() -> None:
    lines = iter(["a,b\n", '1,"x\ny"\n', '2,"z\n', "3,w\n", "4,v\n", None, "\n", "5,u"])
    found = [(number, row if isinstance(row, list) else row.reason) for number, row in rows_of(lines, ",", "f")]
    assert found == [
        (1, ["a", "b"]),
        (2, ["1", "x\ny"]),
        (3, "truncated line"),
        (4, ["3", "w"]),
        (5, ["4", "v"]),
        (6, "too large"),
        (8, ["5", "u"]),
    ]


def test_a_parquet_row_over_the_bound_is_counted(tmp_path: Path) -> None:
    records = [record(number) for number in range(12)] + [record(99, LONG)]
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    corpus = load_corpus(tmp_path / "a.parquet", max_record_mb=MB, max_bad_records=0.1)
    assert (len(corpus.questions), corpus.records_in) == (12, 13)
    assert only(corpus, "too large").startswith("a.parquet: row 13")


def dialogue(number: int, text: str = "我很担心考试，睡不好。") -> bytes:
    turns = [
        {"role": "client", "content": f"{number}：{text}"},
        {"role": "counselor", "content": f"回答{number}，慢慢来。"},
    ]
    return json.dumps(turns, ensure_ascii=False).encode()


def test_links_pipes_and_large_members_of_an_archive_are_not_opened(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for number in range(30):
            content = dialogue(number, LONG if number == 7 else "我很担心考试，睡不好。")
            info = tarfile.TarInfo(f"data/{number}.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind, target in (
            ("90", tarfile.SYMTYPE, "/etc/passwd"),
            ("91", tarfile.FIFOTYPE, ""),
            ("92", tarfile.LNKTYPE, "data/none.json"),
            ("93", tarfile.CHRTYPE, ""),
        ):
            info = tarfile.TarInfo(f"data/{name}.json")
            info.type, info.linkname = kind, target
            archive.addfile(info)
    corpus = load_corpus(tmp_path / "a.tar.gz", max_record_mb=MB, max_bad_records=0.2)
    assert corpus.records_kept == 29
    assert sorted(item.reason for item in corpus.rejected) == ["no file"] * 4 + ["too large"]


def test_a_link_in_a_zip_is_not_followed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(30):
            archive.writestr(f"data/{number}.json", dialogue(number))
        link = zipfile.ZipInfo("data/90.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    corpus = load_corpus(tmp_path / "a.zip")
    assert only(corpus, "no file").startswith("a.zip: data/90.json: found a link")


def test_links_and_pipes_in_a_folder_are_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "corpus" / "data"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"{number}.json").write_bytes(dialogue(number))
    (folder / "90.json").symlink_to("/dev/zero")
    (folder / "91.json").symlink_to(folder)
    os.mkfifo(folder / "92.json")
    corpus = load_corpus(tmp_path / "corpus", max_bad_records=0.2)
    assert corpus.records_kept == 30
    assert [item.reason for item in corpus.rejected] == ["no file"] * 3


def test_a_pipe_is_no_corpus(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(CorpusError, match=r"a pipe, a device or a socket, expected a file"):
        load_corpus(tmp_path / "a.json")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told(tmp_path: Path, encoding: str) -> None:
    text = as_csv([row(number) for number in range(12)])
    (tmp_path / "a.csv").write_text(text, encoding=encoding)
    with pytest.raises(CorpusError, match=rf"Add encoding={encoding}"):
        load_corpus(tmp_path / "a.csv")
    assert len(load_corpus(tmp_path / "a.csv", encoding=encoding).questions) == 12


def test_lines_in_two_encodings_are_told(tmp_path: Path) -> None:
    lines = [row(number).encode("gb18030" if number % 2 else "utf-8") for number in range(40)]
    (tmp_path / "a.csv").write_bytes(as_csv([]).encode() + b"".join(lines))
    with pytest.raises(CorpusError, match=r"lines in several encodings \(line 2 is UTF-8, line 3 may be GB18030"):
        load_corpus(tmp_path / "a.csv")


def packed(path: Path, kind: str) -> Path:
    """A file of a few hundred kilobytes that unpacks to 200 MB in one record."""
    piece = b" " * (1 << 20)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(12):
                archive.writestr(f"data/{number}.json", dialogue(number))
            with archive.open("data/99.json", "w") as member:
                for _ in range(200):
                    member.write(piece)
    else:
        with gzip.open(path, "wb") as file:
            file.write(b"[\n" if kind == "list" else b"")
            for number in range(12):
                file.write(json.dumps(record(number)).encode() + (b",\n" if kind == "list" else b"\n"))
            file.write(b'{"id": "x", "title": "')
            for _ in range(200):
                file.write(piece)
            file.write(b'"}' + (b"]" if kind == "list" else b"\n"))
    return path


def read_apart(path: Path) -> tuple[str, int]:
    """What a process of its own tells of a corpus, and the megabytes that it took for it."""
    code = (
        "import resource, sys; from pathlib import Path; from data_prep.corpora import CorpusError, load_corpus\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    corpus = load_corpus(Path(sys.argv[1]), max_bad_records=0.1)\n"
        "    print(len(corpus.rejected), corpus.records_kept, corpus.rejected[0].reason)\n"
        "except CorpusError as error:\n"
        "    print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    command = [sys.executable, "-c", code, str(path)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    told, megabytes = run.stdout.splitlines()
    return told, int(megabytes)


@pytest.mark.parametrize("kind", ["lines", "list", "zip"])
def test_memory_stays_flat(tmp_path: Path, kind: str) -> None:
    told, megabytes = read_apart(packed(tmp_path / "bomb", kind))
    assert told == "1 12 too large"
    assert megabytes < 100


MANY = 20_000


@pytest.mark.parametrize(
    ("format", "change"),
    [
        ("table", {"responses": [1] * MANY}),
        ("sample", {f"k{number}": 1 for number in range(MANY)}),
        ("sample", {"coe": {f"k{number}": 1 for number in range(MANY)}}),
        ("psyqa", {"answers": [{}] * MANY}),
        ("dialogue", {"dialogue": ["\udc80"] * MANY}),
        ("smilechat", {"dialogue": [{}] * MANY}),
    ],
)
def test_of_many_bad_entries_the_first_alone_becomes_an_error(
    tmp_path: Path, format: str, change: dict[str, object]
) -> None:
    keys: dict[str, dict[str, object]] = {
        "table": {"id": "q", "title": "怎么办？", "responses": ["慢慢来。"]},
        "sample": {"id": "q", "title": "怎么办？", "description": "", "responses": [{"text": "慢慢来。"}]},
        "psyqa": {"questionID": "q", "question": "怎么办？", "answers": [{"answer_text": "慢慢来。"}]},
        "dialogue": {"id": "q", "dialogue": json.loads(dialogue(1))},
        "smilechat": {"id": "q", "dialogue": json.loads(dialogue(1))},
    }
    good = keys[format]
    id = next(iter(good))
    path = write(tmp_path / "a.jsonl", [{**good, id: f"q{number}"} for number in range(12)])
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**good, id: "bad", **change}))
    load_corpus(path, format)  # what is loaded once stays in memory
    tracemalloc.start()
    corpus = load_corpus(path, format)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(corpus.rejected), corpus.records_kept) == (1, 12)
    assert most < 8_000_000


def test_a_zip_that_names_a_smaller_size_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = packed(tmp_path / "bomb", "zip")
    data = bytearray(path.read_bytes())
    size = data.rindex(b"PK\x01\x02") + 24
    data[size : size + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    told, megabytes = read_apart(path)
    assert "not a whole zip archive (Bad CRC-32 for file 'data/99.json')" in told
    assert megabytes < 100


def test_one_text_that_a_million_rows_refer_to_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Some kilobytes of parquet: each row is under the bound, all together are not."""
    table = pa.table({name: ["长" * 200] * 20_000 for name in ("title", "responses")})
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=True)
    assert (tmp_path / "a.parquet").stat().st_size < 20_000
    with pytest.raises(CorpusError, match=r"unpacks to records of more than .*, expected at most 40 times"):
        load_corpus(tmp_path / "a.parquet", max_record_mb=MB)


def test_a_parquet_list_of_references_is_one_record_too_large(tmp_path: Path) -> None:
    rows = [{"title": f"第{number}个问题", "responses": [f"回答{number}，慢慢来。"]} for number in range(30)]
    rows[7]["responses"] = ["长" * 500] * 400
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", use_dictionary=True)
    corpus = load_corpus(tmp_path / "a.parquet", max_record_mb=MB)
    assert only(corpus, "too large").startswith("a.parquet: row 8")
    assert corpus.records_kept == 29


def test_a_parquet_part_that_declares_too_much_is_not_read(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"title": [" " * 3_000_000], "responses": ["b"]}), tmp_path / "a.parquet", compression="zstd"
    )
    with pytest.raises(CorpusError, match=r"a part of [\d,]+ bytes unpacks to 3\.0 MB"):
        load_corpus(tmp_path / "a.parquet", max_record_mb=MB)


def test_many_small_records_of_a_small_file_do_not_fill_the_memory(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(record(1)) + "\n")
        file.write('{"id": 1}\n' * 20_000)
    with pytest.raises(CorpusError, match="expected at most 40 times its size on disk"):
        load_corpus(tmp_path / "a.jsonl.gz", max_record_mb=MB)


def packed_tar(path: Path, names: list[str]) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT) as archive:
        for number, name in enumerate(names):
            content = dialogue(number)
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_tar_with_headers_of_any_size_stops(tmp_path: Path) -> None:
    names = [f"data/{number}.json" for number in range(12)]
    path = packed_tar(tmp_path / "a.tar.gz", [*names, f"data/{'x' * 100_000}.json"])
    with pytest.raises(CorpusError, match=r"a header of \d"):
        load_corpus(path)
    path = packed_tar(tmp_path / "b.tar.gz", [*names, f"data/{'x' * 2_000}.json"])
    with pytest.raises(CorpusError, match="a name of 2010 characters"):
        load_corpus(path)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_of_too_many_files_stops(tmp_path: Path, kind: str) -> None:
    names = [f"data/{number}.json" for number in range(60)]
    if kind == "tar":
        packed_tar(tmp_path / "a", names)
    else:
        with zipfile.ZipFile(tmp_path / "a", "w") as archive:
            for number, name in enumerate(names):
                archive.writestr(name, dialogue(number))
    with pytest.raises(CorpusError, match="more than 50 files in it"):
        load_corpus(tmp_path / "a", max_record_mb=MB)
    assert load_corpus(tmp_path / "a").records_kept == 60
