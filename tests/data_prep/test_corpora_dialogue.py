"""Dialogues of other people's making: the shapes they come in, and which turns make the post and the response.

The texts are written for these tests.
"""

import json
import re
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.corpora import Corpus, CorpusError, Reading, Rule, detect_format, load_corpus
from data_prep.dialogues import load_dialogues
from recipes.data import RECIPE
from tests.data_prep.made_dialogues import (
    ASK,
    BLANK,
    COUNT,
    HUMAN,
    REPLY,
    SYSTEM,
    THANKS,
    USER,
    ZH,
    as_json,
    assert_dialogues,
    each,
    opening,
    pairs,
    prefixed,
    said,
    turns,
)

RECORDS: list[Callable[[int], Any]] = [
    lambda n: {"id": n, "dialogue": turns(n, ("Seeker", "Supporter"), "speaker")},
    lambda n: {"dialog": turns(n, ("usr", "sys"), "speaker", "text")},
    lambda n: {"conversation": turns(n, ("client", "counselor"))},
    lambda n: {"conversations": turns(n, HUMAN, "from", "value"), "system": "你是一位咨询师。"},
    lambda n: {"messages": [SYSTEM, *turns(n, USER), BLANK]},
    lambda n: {"messages": json.dumps(turns(n, USER))},
    lambda n: {"messages": str(turns(n, USER))},
    lambda n: {"messages": [{"role": "user", "content": [{"type": "text", "text": t}]} for t in said(n)[:1]]
               + turns(n, USER)[1:]},
    lambda n: {"chats": turns(n, ("owner", "audience"), "sender", "value")},
    lambda n: {"对话": turns(n, ("来访者", "咨询师"), "角色", "内容")},
    lambda n: {"conversation": [{"system": "你是", "input": one, "output": other} for one, other in pairs(n)]},
    lambda n: {"conversation": [{"human": one, "assistant": other} for one, other in pairs(n)]},
    lambda n: {"dialogue": [{"问": one, "答": other} for one, other in pairs(n)]},
    lambda n: {"dialogue": pairs(n)},
    lambda n: {"Messages": turns(n, ("User", "Assistant"), "Role", "Content")},
    lambda n: {"instruction": "白天开会总走神。", "output": f"{ASK}\n{REPLY}", "history": [[opening(n), None]]},
    lambda n: {"dialogue": said(n)},
    lambda n: {"dialogue": prefixed(n, ZH)},
    lambda n: {"dialogue": "\n".join(prefixed(n, ("来访者", "心理咨询师"), ": "))},
    lambda n: {"dialogue": " ".join(prefixed(n, ZH))},
    lambda n: {"dialogue": "\n".join(prefixed(n, ("Q", "A"), ":"))},
    lambda n: {"dialogue": "\n".join(prefixed(n, ("help-seeker", "psychologist"), ":"))},
    lambda n: {"instruction": THANKS, "input": "", "output": "好的，再见。", "history": pairs(n)},
    lambda n: {"instruction": "白天开会总走神。", "output": REPLY, "history": [[opening(n), ASK]]},
    lambda n: {"query": "白天开会总走神。", "response": REPLY, "history": str([(opening(n), ASK)])},
    lambda n: turns(n, USER),
    lambda n: "\n".join(prefixed(n, ZH)),
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS)
def test_a_dialogue_under_any_usual_key(tmp_path: Path, record: Callable[[int], Any]) -> None:
    assert_dialogues(load_corpus(as_json(tmp_path / "a.json", each(record))))


def as_turn_table(path: Path) -> Path:
    rows = [{"dialogue_id": n, "turn": k, **turn} for n in range(COUNT) for k, turn in enumerate(turns(n, USER))]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def as_cells(path: Path) -> Path:
    pd.DataFrame({"id": range(COUNT), "messages": each(lambda n: turns(n, USER))}).to_csv(path, sep=";")
    return path


def as_numpy_cells(path: Path) -> Path:
    cells = each(lambda n: str(pd.Series(turns(n, USER)).to_numpy()))
    pd.DataFrame({"messages": cells}).to_csv(path, index=False)
    return path


def as_parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(each(lambda n: {"messages": turns(n, USER)})), path)
    return path


def as_text_files(path: Path) -> Path:
    for number in range(COUNT):
        file = path / f"week{number % 2}" / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\r\n\r\n".join(prefixed(number, ("来访者", "心理咨询师"))), encoding="utf-8", newline="")
    return path


def as_one_text(path: Path) -> Path:
    text = "\n------\n".join("\n".join(prefixed(number, ZH)) for number in range(COUNT))
    path.write_text(text, encoding="utf-8")
    return path


def as_turn_files(path: Path) -> Path:
    for number in range(COUNT):
        as_json(path / "a" / "b" / f"{number}.json", turns(number, USER))
    return path


def as_prefixed_files(path: Path) -> Path:
    for number in range(COUNT):
        as_json(path / f"{number}.json", prefixed(number, ZH))
    return path


def as_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(COUNT):
            archive.writestr(f"data/{number}.json", json.dumps(turns(number, USER)))
    return path


FILES: list[Callable[[Path], Path]] = [
    as_turn_table,
    as_cells,
    as_numpy_cells,
    as_parquet,
    as_one_text,
    as_turn_files,
    as_prefixed_files,
    as_zip,
    lambda path: as_json(path, {"data": each(lambda n: {"messages": turns(n, USER)})}),
    lambda path: as_json(path, {f"d{n}": turns(n, USER) for n in range(COUNT)}),
    lambda path: as_json(path, {f"d{n}": {"messages": turns(n, USER)} for n in range(COUNT)}),
    lambda path: as_json(path, {f: {"messages": turns(n, USER)} for n, f in enumerate(("q", "id", "user", "text"))}),
]


@pytest.mark.parametrize("write", FILES)
def test_dialogues_in_any_file(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    assert_dialogues(load_corpus(write(tmp_path / "corpus")))


def test_a_heading_above_a_dialogue_is_not_part_of_it(tmp_path: Path) -> None:
    """As people write transcripts: a title and a date, then 个案1 above each; a marked file from another system."""
    cases = [f"个案{number}\n" + "\n".join(prefixed(number, ZH)) for number in range(COUNT)]
    text = "咨询记录（已脱敏）\n整理日期：2022年5月\n\n" + "\n\n==========\n\n".join(cases)
    path = tmp_path / "records.txt"
    path.write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")
    questions = load_corpus(path).questions
    assert len(questions) == COUNT
    assert not any("个案" in question.post or "记录" in question.post for question in questions)


def test_text_files_in_folders(tmp_path: Path) -> None:
    corpus = load_corpus(as_text_files(tmp_path / "corpus"))
    assert sorted(question.title for question in corpus.questions) == each(opening)
    assert corpus.records_kept == COUNT


def test_one_dialogue_is_one_file(tmp_path: Path) -> None:
    path = as_json(tmp_path / "7.json", ["求助者：最近总睡不好", "支持者：愿意多说一点吗？"])
    [question] = load_corpus(path).questions
    assert (question.id, question.title, question.responses) == ("7", "最近总睡不好", ("愿意多说一点吗？",))


def test_smilechat_is_told_from_other_dialogues(tmp_path: Path) -> None:
    client = ("client", "counselor")
    smile = as_json(tmp_path / "s.json", each(lambda n: {"id": n, "dialogue": turns(n, client)}))
    other = as_json(tmp_path / "o.json", each(lambda n: {"id": n, "dialogue": turns(n, USER)}))
    assert (detect_format(smile), detect_format(other)) == ("smilechat", "dialogue")
    # Its turns of thanks stay, and dialogues that open alike are one question.
    [question] = load_corpus(smile).questions
    assert question.description.endswith(THANKS)
    assert len(question.responses) == COUNT
    for number in range(COUNT):
        as_json(tmp_path / "repo" / "smile" / "data" / f"{number}.json", turns(number, client))
    assert load_corpus(tmp_path / "repo").questions == [question]


def test_smilechat_in_several_files(tmp_path: Path) -> None:
    for number in range(COUNT):
        line = json.dumps({"id": number, "dialogue": turns(number, ("client", "counselor"))})
        (tmp_path / str(number % 2)).mkdir(exist_ok=True)
        (tmp_path / str(number % 2) / f"{number}.jsonl").write_text(line + "\n", encoding="utf-8")
    corpus = load_corpus(tmp_path)
    assert (corpus.format, corpus.records_kept, len(corpus.questions)) == ("smilechat", COUNT, 1)


def test_a_table_beside_files_of_smilechat(tmp_path: Path) -> None:
    """The table would not be read, without a word."""
    as_json(tmp_path / "1.json", turns(1, ("client", "counselor")))
    pd.DataFrame([{"title": opening(0), "responses": REPLY}]).to_csv(tmp_path / "posts.csv")
    with pytest.raises(CorpusError, match=r"several kinds \(1 \.\w+, 1 \.\w+\)"):
        load_corpus(tmp_path)


def test_files_of_dialogues_that_count_anew(tmp_path: Path) -> None:
    for number in range(2):
        records = [{"id": n, "messages": turns(2 * number + n, USER)} for n in range(2)]
        as_json(tmp_path / f"{number}.json", records)
    assert_dialogues(load_corpus(tmp_path))


# Speakers and keys that nobody knows.


def followed(path: Path) -> Corpus:
    with pytest.raises(CorpusError) as caught:
        load_corpus(path)
    assert opening(0)[:5] not in str(caught.value)
    line = re.search(r'ARGS="([^"]*)"', str(caught.value))
    assert line is not None
    _, config = RECIPE.load(["profile=tiny", f"corpus={path}", *shlex.split(line[1])])
    return load_corpus(path, config.format, columns=config.columns, reading=Reading(Rule(), config.roles))


@pytest.mark.parametrize(
    "record",
    [
        lambda n: {"dialog": turns(n, ("小林", "阿文"), "speaker")},
        lambda n: {"dialog": turns(n, ("小林", "assistant"), "speaker")},
        lambda n: {"dialog": turns(n, ("user", "阿文"), "speaker")},
        lambda n: {"dialog": [{**turn, "role": n} for n, turn in zip([0, 1, 0, 1, 0], turns(n, USER), strict=True)]},
        lambda n: {"dialog": prefixed(n, ("小林", "阿文"))},
        lambda n: {"dialog": "\n".join(prefixed(n, ("小林", "阿文")))},
        lambda n: {"dialog": turns(n, ("A", "B"), "speaker", "text")},
        lambda n: {"dialog": prefixed(n, ("A", "B"))},
        lambda n: {"dialog": "\n".join(prefixed(n, ("A", "B")))},
        lambda n: {"dialog": [list(pair) for pair in zip("ABABA", said(n), strict=True)]},
        lambda n: {"meta": {"log": turns(n, USER)}},
        lambda n: {"log": "\n".join(prefixed(n, ZH))},
    ],
)
def test_the_message_leads_to_the_dialogues(tmp_path: Path, record: Callable[[int], Any]) -> None:
    assert_dialogues(followed(as_json(tmp_path / "a.json", each(record))))


def test_a_text_file_with_strangers(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(prefixed(0, ("小林", "阿文"))), encoding="utf-8")
    [question] = followed(path).questions
    assert question.title == opening(0)


@pytest.mark.parametrize(
    ("bad", "reason", "found"),
    [
        ({"messages": 7}, "dialogue: missing", "found none of the keys"),
        ({"messages": [*turns(0, USER), 7]}, "(turn): wrong type", "messages[5]: field '(turn)': found 7"),
        ({"messages": [{"role": "user"}]}, "dialogue: missing", ""),
        ({"messages": [*turns(0, USER), {"role": "user"}]}, "(turn): no words", "found an object of 1 keys"),
        ({"messages": [*turns(0, USER), {"content": "嗯"}]}, "(turn): no speaker", "expected one of the keys"),
        ({"messages": [*turns(0, USER), {"role": "他", "content": ""}]}, "role: unknown speaker", "text of 1"),
        ({"messages": [{"role": "user", "content": 7}]}, "content: wrong type", "messages[0]: field 'content'"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "dialogue: broken characters", "'dialogue[0]'"),
        ({"messages": [*prefixed(0, ZH), "没有名字"]}, "(turn): no speaker", "messages[5]"),
        ({"messages": turns(0, USER), "title": 7}, "title: wrong type", "found 7"),
    ],
)  # fmt: skip
def test_bad_dialogues(tmp_path: Path, bad: Any, reason: str, found: str) -> None:
    good = [{"messages": turns(number, USER)} for number in range(10)]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in [*good, bad]), encoding="utf-8")
    [rejected] = load_corpus(path).rejected
    assert (rejected.id, rejected.reason) == ("a.jsonl:11", reason)
    assert found in rejected.detail


def test_dialogues_for_a_base_keep_their_turns(tmp_path: Path) -> None:
    format, found = load_dialogues(as_json(tmp_path / "a.json", each(lambda n: {"messages": turns(n, USER)})))
    assert format == "dialogue"
    assert [dialogue.turns for dialogue in found] == each(
        lambda n: tuple(zip(["user", "assistant"] * 2 + ["user"], said(n), strict=True))
    )


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("posts.json", json.dumps([{"title": opening(0), "responses": [REPLY]}]))
    with pytest.raises(CorpusError, match=r"an archive of 1 list .*'title'.* Unpack it, and name the file") as caught:
        load_corpus(tmp_path / "a.zip")
    assert opening(0)[:5] not in str(caught.value)
