"""Dialogues made for the tests of corpora; the texts are written for them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_prep.corpora import Corpus

COUNT = 4
ASK = "要不要多说一点？"
REPLY = "换了工作又换了城市，睡不着很自然。今晚先把手机放远一点，醒了也别看时间，明天我们再一起看看。"
THANKS = "好的，谢谢你，我会试试。"


def opening(number: int) -> str:
    return f"换工作第{number}周，我每晚三点就醒。"


def said(number: int) -> list[str]:
    return [opening(number), ASK, "白天开会总走神。", REPLY, THANKS]


def turns(number: int, speakers: tuple[str, str], role: str = "role", text: str = "content") -> list[dict[str, str]]:
    return [{role: speakers[index % 2], text: words} for index, words in enumerate(said(number))]


def pairs(number: int) -> list[list[str]]:
    return [[opening(number), ASK], ["白天开会总走神。", REPLY]]


def prefixed(number: int, speakers: tuple[str, str], mark: str = "：") -> list[str]:
    return [f"{speakers[index % 2]}{mark}{words}" for index, words in enumerate(said(number))]


def as_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def each(make: Callable[[int], Any]) -> list[Any]:
    return [make(number) for number in range(COUNT)]


def assert_dialogues(corpus: Corpus) -> None:
    assert corpus.format == "dialogue"
    assert (corpus.records_in, corpus.records_kept, corpus.rejected) == (COUNT, COUNT, [])
    for number, question in enumerate(corpus.questions):
        assert (question.title, question.description) == (opening(number), "白天开会总走神。")
        assert question.responses == (f"{ASK}\n{REPLY}",)


HUMAN = ("human", "gpt")
USER = ("user", "assistant")
ZH = ("求助者", "支持者")
SYSTEM = {"role": "system", "content": "你是一位咨询师。"}
BLANK = {"role": "user", "content": " "}
