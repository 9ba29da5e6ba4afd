"""SMILECHAT as a folder, as one archive and as JSON Lines: the same questions, and what is said of bad archives."""

import gzip
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_prep.corpora import CorpusError, detect_format, load_corpus

OPENINGS = {
    1: "父亲突然去世，总是责怪自己，怎么走出来？",
    2: "父亲突然去世了，我总是责怪自己，该怎么走出来？",
    3: "搬到新城市半年，一个朋友也没有。",
    4: "考试前夜手心冒汗，脑子一片空白。",
    5: "室友每天打游戏到两点。",
    6: "领导当众骂我，想辞职又不敢。",
    7: "转学的孩子不肯开口讲话。",
    8: "分手三年，梦里还是他。",
    9: "体检报告出来以前我吃不下饭。",
    10: "聚会上只会低头看手机。",
    11: "最后那个问题？",
}


def turns(opening: str) -> list[dict[str, str]]:
    return [{"role": "client", "content": opening}, {"role": "counselor", "content": "我在听。"}]


FILES = {
    f"data/{number}.json": json.dumps(turns(opening), ensure_ascii=False).encode()
    for number, opening in OPENINGS.items()
}
# What else such archives hold: a readme, settings beside the folder, and macOS's twin of every file.
JUNK = {"README.md": b"# SMILE", "package.json": b"{}", "__MACOSX/data/._1.json": b"\0\5"}


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("data")
        for name, data in files.items():
            archive.writestr(name, data)


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w:") -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("data")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def write_tar_gz(path: Path, files: dict[str, bytes]) -> None:
    write_tar(path, files, "w:gz")


def write_folder(path: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)


Writer = Callable[[Path, dict[str, bytes]], None]
PACKED: list[Writer] = [write_zip, write_tar, write_tar_gz]
every_archive = pytest.mark.parametrize("write", PACKED)
every_shape = pytest.mark.parametrize("write", [*PACKED, write_folder])


@every_shape
@pytest.mark.parametrize("prefix", ["", "./", "smile-main/"])
def test_shapes_agree(tmp_path: Path, write: Writer, prefix: str) -> None:
    lines = tmp_path / "s.jsonl"
    records = [{"id": number, "dialogue": turns(opening)} for number, opening in OPENINGS.items()]
    lines.write_text("\n".join(json.dumps(item) for item in records), encoding="utf-8")
    path = tmp_path / "packed"  # the name tells nothing
    write(path, {f"{prefix}{name}": data for name, data in (FILES | JUNK).items()})
    if path.is_dir():
        path = path / prefix
    assert detect_format(path) == "smilechat"
    corpus = load_corpus(path)
    assert corpus == load_corpus(lines)
    assert (corpus.records_in, corpus.records_kept, len(corpus.questions)) == (11, 11, 10)


@every_shape
def test_files_without_a_folder(tmp_path: Path, write: Writer) -> None:
    write(tmp_path / "packed", {name.removeprefix("data/"): data for name, data in FILES.items()})
    assert load_corpus(tmp_path / "packed").records_kept == 11


@every_shape
@pytest.mark.parametrize(
    ("data", "reason", "found"),
    [
        (b'[{"role": "cli', "not JSON", "Fetch the file again"),
        (b"", "not JSON", "expected a list of turns"),
        pytest.param(b"[" * 100_000, "not JSON", "expected a list of turns", id="nested"),
        (b'[{"role": "\xff"}]', "broken characters", "byte 11 is not utf-8"),
        (b"{}", "dialogue: wrong type", "an object of 0 keys, expected a list"),
        (b"[]", "dialogue: blank", "found a list of 0"),
    ],
)
def test_one_bad_file(tmp_path: Path, write: Writer, data: bytes, reason: str, found: str) -> None:
    path = tmp_path / "packed"
    write(path, {**FILES, "data/7.json": data})
    corpus = load_corpus(path)
    assert (corpus.records_in, corpus.records_kept) == (11, 10)
    [rejected] = corpus.rejected
    assert (rejected.id, rejected.reason) == ("data/7.json" if path.is_dir() else "packed: data/7.json", reason)
    assert found in rejected.detail


@every_archive
def test_the_same_id_twice(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "packed"
    write(path, {**FILES, "other/data/3.json": FILES["data/4.json"]})
    [rejected] = load_corpus(path).rejected
    assert (rejected.id, rejected.reason) == ("packed: other/data/3.json", "id: duplicate id")
    assert "packed: data/3.json" in rejected.detail


@every_shape
def test_encoding(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "packed"
    write(path, {name: data.decode().encode("gb18030") for name, data in FILES.items()})
    with pytest.raises(CorpusError, match=r"11 of 11 records are bad.*such as encoding=gb18030"):
        load_corpus(path)
    assert load_corpus(path, encoding="gb18030").questions[0].title == OPENINGS[1]
    write(tmp_path / "marked", {name: data.decode().encode("utf-8-sig") for name, data in FILES.items()})
    assert load_corpus(tmp_path / "marked").questions[0].title == OPENINGS[1]
    with pytest.raises(CorpusError, match="encoding=klingon: no such encoding"):
        load_corpus(path, encoding="klingon")


@every_archive
@pytest.mark.parametrize("files", [{}, {"xl/workbook.xml": b"<workbook/>"}, {"data/1.txt": b"[]"}])
def test_foreign_archive(tmp_path: Path, write: Writer, files: dict[str, bytes]) -> None:
    write(tmp_path / "packed", files)
    with pytest.raises(CorpusError, match=r"packed: no dialogue.*<id>\.json"):
        load_corpus(tmp_path / "packed")


@every_archive
@pytest.mark.parametrize("format", ["psyqa", "sample", "empathy_qa", "table"])
def test_archive_under_another_format(tmp_path: Path, write: Writer, format: str) -> None:
    write(tmp_path / "packed", FILES)
    with pytest.raises(CorpusError, match=r"packed: .*(zip|tar).* by its content, expected"):
        load_corpus(tmp_path / "packed", format)


@every_archive
def test_truncated_archive_at_any_place(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "packed"
    # Over the first mebibyte, by which the kind of a file is told, and which no packer makes small.
    noise = random.Random(1).randbytes(600_000).hex()
    write(path, {**FILES, "data/12.json": json.dumps(turns(noise)).encode()})
    data = path.read_bytes()
    # A tar ends in empty blocks, of which the first must be there.
    whole = len(data) if write is not write_tar else len(data.rstrip(b"\0")) + 512
    cuts = [whole // 3, whole // 2, whole // 2 // 512 * 512, whole - 21, whole - 1]
    for cut in cuts:
        path.write_bytes(data[:cut])
        with pytest.raises(CorpusError, match=r"packed: not a whole (zip archive|tar archive|gzip file) \(.*Fetch it"):
            load_corpus(path)


def test_damaged_zip_member(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    write_zip(path, FILES)
    data = bytearray(path.read_bytes())
    start = data.index(b"data/5.json") + 20
    data[start : start + 20] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(CorpusError, match="packed: not a whole zip archive"):
        load_corpus(path)


def test_locked_zip(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    write_zip(path, {"data/1.json": FILES["data/1.json"]})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(signature, start)) >= 0:
            data[start + offset] |= 1
            start += 4
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=r"packed: data/1\.json .*password"):
        load_corpus(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_by_any_method(tmp_path: Path, method: int) -> None:
    long = {"data/12.json": json.dumps(turns(random.Random(1).randbytes(5_000).hex())).encode(), "data/13.json": b""}
    with zipfile.ZipFile(tmp_path / "packed", "w", method) as archive:
        for name, data in {**FILES, **long}.items():
            archive.writestr(name, data)
    corpus = load_corpus(tmp_path / "packed")
    assert (corpus.records_kept, [item.reason for item in corpus.rejected]) == (12, ["not JSON"])


def test_names_that_point_elsewhere_write_nothing(tmp_path: Path) -> None:
    for write in PACKED:
        path = tmp_path / "inner" / write.__name__
        path.parent.mkdir(exist_ok=True)
        write(path, {**FILES, "../../data/77.json": json.dumps(turns("别的事情")).encode()})
        assert load_corpus(path).records_kept == 12
    assert [entry.name for entry in tmp_path.iterdir()] == ["inner"]


def test_a_packed_list_of_dialogues(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    records: list[Any] = [{"id": number, "dialogue": turns(opening)} for number, opening in OPENINGS.items()]
    path.write_bytes(gzip.compress(json.dumps(records).encode()))
    assert load_corpus(path).records_kept == 11


def test_tar_cut_between_two_members(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    write_tar(path, FILES)
    with tarfile.open(path) as archive:
        third = archive.getmembers()[3]
    path.write_bytes(path.read_bytes()[: third.offset])
    with pytest.raises(CorpusError, match="packed: not a whole tar archive"):
        load_corpus(path)


@every_shape
def test_dialogues_lie_in_folders_of_folders(tmp_path: Path, write: Writer) -> None:
    """Two topics count alike, and what lies above ``data`` is no dialogue."""
    nested = {
        name.replace("data/", f"data/{topic}/"): data for topic in ("婚恋", "学业") for name, data in FILES.items()
    }
    path = tmp_path / "packed"
    write(path, {**nested, "meta.json": b'{"made": 2024}'})
    corpus = load_corpus(path)
    assert (corpus.records_kept, corpus.rejected) == (2 * len(FILES), [])
    assert {question.id.split("/")[0] for question in corpus.questions} <= {"婚恋", "学业"}


@every_archive
def test_an_archive_of_tables_says_what_is_in_it(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "packed"
    write(path, {"question.csv": b"id,text", "answer.csv": b"id,text", "README.md": b"#"})
    with pytest.raises(CorpusError, match=r"no dialogue in it but 2 \.csv, 1 \.md.*Unpack it, and name the file"):
        load_corpus(path)
