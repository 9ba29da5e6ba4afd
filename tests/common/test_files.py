"""Files are replaced whole, and what is no file of the kind is told with its line."""

from pathlib import Path

import pytest

from common.files import (
    FileError,
    read_json_lines,
    remove_partial,
    replacing,
    set_aside,
    whole_lines,
    write_json_lines,
    write_text,
)


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "old")

    def half() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_what_killed_writers_leave_goes(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.123.tmp").write_text("half")
    remove_partial(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_json_lines_keep_other_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [{"text": "一\u2028二\u0085三"}, {"text": ""}]
    write_json_lines(file, rows)
    assert [row for _, row in read_json_lines(file)] == rows


@pytest.mark.parametrize(("line", "told"), [("{", "not JSON"), ("[1]", "list"), ('"a"', "str")])
def test_a_line_that_is_none_is_named(line: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f"{{}}\n\n{line}\n")
    with pytest.raises(FileError, match=rf"a\.jsonl:3: {told}"):
        list(read_json_lines(file))


def test_half_a_last_line_is_not_there_yet(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    assert whole_lines(file) == []
    file.write_text('{"step": 1}\n{"step": 2, "da')
    assert whole_lines(file) == [{"step": 1}]
    file.write_bytes('{"step": 1}\n{"text": "睡'.encode()[:-1])  # cut within a character
    assert whole_lines(file) == [{"step": 1}]
    file.write_text('{"step": 1}\n{"a": {}')  # ends as a whole line would
    assert whole_lines(file) == [{"step": 1}]


def test_a_file_is_set_aside_by_the_next_number(tmp_path: Path) -> None:
    file = tmp_path / "a.replies.jsonl"
    assert set_aside(file) is None
    for number in (1, 2):
        file.write_text(str(number))
        assert set_aside(file) == tmp_path / f"a.replies.{number}.jsonl"
    assert (tmp_path / "a.replies.1.jsonl").read_text() == "1"
    assert not file.exists()
