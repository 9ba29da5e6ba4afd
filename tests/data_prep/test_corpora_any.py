"""Anything at all as a corpus: it loads or stops with a message, and no message holds a word of a text."""

import json
from pathlib import Path
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep.corpora import CorpusError, CorpusFormat, load_corpus

SECRET = "这句话只说给咨询师听"
TEXTS = (
    *(
        SECRET,
        SECRET * 9,
        f"求助者：{SECRET}\n支持者：{SECRET}",
        f"{SECRET}：好\n{SECRET}：好",
        "",
        "\ud800",
        " ",
        "好的，谢谢",
    ),
    *(f"['{SECRET}' '{SECRET}']", f'["{SECRET}"', "[]", "user", "assistant", "client", "counselor"),
)
KEYS = (
    *("title", "responses", "description", "topic", "id", "crisis", "data", "columns", "index", "0", "1", SECRET),
    *("dialogue", "messages", "role", "content", "from", "value", "history", "instruction", "input", "output", "user"),
    *(
        "question",
        "answers",
        "answer_text",
        "questionID",
        "keywords",
        "coe",
        "问题",
        "回答",
        "对话",
        "text",
        "assistant",
    ),
)

texts = st.sampled_from(TEXTS)
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers(0, 9) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)
turns = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]) | values, "content": texts}))
records = st.one_of(
    values,
    st.fixed_dictionaries({"messages": turns}),
    st.fixed_dictionaries({"title": texts, "responses": values}, optional={"crisis": values, "topic": values}),
    st.fixed_dictionaries({"instruction": texts, "output": texts, "history": values}),
)
FORMATS = st.sampled_from(get_args(CorpusFormat))


def check(path: Path, format: str) -> None:
    try:
        messages = [item.detail for item in load_corpus(path, format, max_bad_records=0.9).rejected]
    except CorpusError as error:
        messages = [str(error)]
    assert not [message for message in messages if SECRET[:4] in message]


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.lists(records, max_size=12) | records, st.sampled_from(["one", "indented", "lines"]), FORMATS, st.floats(0, 9)
)
def test_any_json(tmp_path: Path, value: Any, how: str, format: str, cut: float) -> None:
    if how == "lines" and isinstance(value, list):
        text = "\n".join(map(json.dumps, value))
    else:
        text = json.dumps(value, indent=1 if how == "indented" else None)
    path = tmp_path / "corpus"
    # One in nine is cut off.
    path.write_text(text[: int(cut * len(text))], encoding="utf-8")
    check(path, format)


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.lists(st.lists(texts | st.sampled_from(KEYS), min_size=1, max_size=4), max_size=8), st.sampled_from(",;\t|\n")
)
def test_any_text(tmp_path: Path, rows: list[list[str]], mark: str) -> None:
    path = tmp_path / "corpus.txt"
    path.write_bytes("\n".join(mark.join(row) for row in rows).encode("utf-8", "surrogatepass"))
    check(path, "auto")
