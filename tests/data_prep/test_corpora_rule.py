"""Which turns of a dialogue make the post and the response."""

from pathlib import Path

import pytest

from data_prep.corpora import CorpusError, Reading, Rule, load_corpus
from data_prep.corpora.rule import is_pleasantry
from tests.data_prep.made_dialogues import COUNT, REPLY, USER, as_json, each, opening, turns

LONG = "这件事压在你心上很久了，换了谁都会睡不着。" * 6
SPOKEN = [
    ("assistant", "你好，请讲。"),
    ("user", "你好，在吗？"),
    ("assistant", "在的。"),
    ("user", "我和室友吵了架。"),
    ("user", "已经三天没回宿舍。"),
    ("assistant", "你们为了什么吵？"),
    ("user", "为了开灯。"),
    ("assistant", LONG),
    ("assistant", "可以先写一张纸条。"),
    ("user", "写什么好呢？"),
    ("assistant", "写你想要几点关灯。"),
    ("user", "好的，谢谢老师！"),
    ("assistant", "不客气，再见。"),
]


EVERY_REPLY = f"你们为了什么吵？\n{LONG}\n可以先写一张纸条。\n写你想要几点关灯。"


@pytest.mark.parametrize(
    ("rule", "description", "response"),
    [
        (Rule("all", "all"), "已经三天没回宿舍。\n为了开灯。\n写什么好呢？", EVERY_REPLY),
        (Rule("first", "first"), "已经三天没回宿舍。\n为了开灯。", f"{LONG}\n可以先写一张纸条。"),
        (Rule("first", "all"), "已经三天没回宿舍。\n为了开灯。", EVERY_REPLY),
        (Rule("first", "first", 5), "已经三天没回宿舍。", "你们为了什么吵？"),
        # No reply is of substance: the longest counts.
        (Rule("first", "first", 900), "已经三天没回宿舍。\n为了开灯。", f"{LONG}\n可以先写一张纸条。"),
    ],
)  # fmt: skip
def test_the_rule(tmp_path: Path, rule: Rule, description: str, response: str) -> None:
    path = as_json(tmp_path / "a.json", [{"messages": [{"role": role, "content": text} for role, text in SPOKEN]}])
    [question] = load_corpus(path, reading=Reading(rule)).questions
    assert (question.title, question.description) == ("我和室友吵了架。", description)
    assert question.responses == (response,)


def test_the_rule_holds_for_smilechat(tmp_path: Path) -> None:
    roles = {"user": "client", "assistant": "counselor"}
    spoken = [{"role": roles[role], "content": text} for role, text in SPOKEN[3:]]
    path = as_json(tmp_path / "a.json", [{"id": 1, "dialogue": spoken}])
    [question] = load_corpus(path, reading=Reading(Rule("first", "first"))).questions
    assert question.post == "我和室友吵了架。\n已经三天没回宿舍。\n为了开灯。"
    assert question.responses == (f"{LONG}\n可以先写一张纸条。",)


def test_a_speaker_s_name_within_a_turn_is_no_turn(tmp_path: Path) -> None:
    words = "我去看了病。医生：没事，多休息。可我还是怕。"
    lines = [f"求助者：{words}", f"支持者：{REPLY}"]
    for number, told in enumerate([lines, "\n".join(lines)]):
        [question] = load_corpus(as_json(tmp_path / f"{number}.json", [{"dialogue": told}])).questions
        assert question.title + question.description == words
        assert question.responses == (REPLY,)


def test_a_blank_title_is_none(tmp_path: Path) -> None:
    greeting = [{"role": "user", "content": "你好"}]
    records = [{"title": " ", "messages": turns(0, USER)}, {"title": " ", "description": " ", "messages": greeting}]
    corpus = load_corpus(as_json(tmp_path / "a.json", records))
    assert [question.title for question in corpus.questions] == [opening(0)]


def test_a_post_before_its_dialogue(tmp_path: Path) -> None:
    chats = [{"sender": "audience", "value": REPLY}, {"sender": "owner", "value": "为了开灯。"}]
    record = {"title": "和室友吵架", "description": "三天没回宿舍。", "label": {"s3": "3.1"}, "chats": chats}
    path = as_json(tmp_path / "a.json", [record])
    columns = {"crisis": "label.s3"}
    [question] = load_corpus(path, columns=columns, crisis_values=["3.1"]).questions
    assert (question.title, question.description, question.responses, question.crisis) == (
        "和室友吵架",
        "三天没回宿舍。\n为了开灯。",
        (REPLY,),
        True,
    )


@pytest.mark.parametrize(
    "text",
    [
        "你好",
        "您好，在吗？",
        "好的，谢谢你，我会试试。",
        "嗯嗯",
        "明白了，非常感谢您的帮助！",
        "我知道了，再见",
        "谢谢老师🌹",
        "那我先试试看",
        "谢谢你的鼓励和陪伴，我会好好加油的！",
        "感谢你的理解，我会尽力去做的。再次感谢！",
    ],
)
def test_pleasantries(text: str) -> None:
    assert is_pleasantry(text)


@pytest.mark.parametrize(
    "text",
    [
        "我睡不着",
        "谢谢，可是我还是怕",
        "好的，但是他不听",
        "……",
        "我不想活了",
        "他说谢谢我",
        "试过了没有用",
        "再见到他我该怎么办",
        "我不想坚持了",
        "我不好",
        "不行了",
        "好累",
    ],
)
def test_no_pleasantries(text: str) -> None:
    assert not is_pleasantry(text)


def test_a_long_run_of_one_sound_takes_no_time() -> None:
    assert not is_pleasantry("嗯哦好" * 20_000 + "难")


def test_greetings_alone_are_left_out_and_are_not_bad(tmp_path: Path) -> None:
    greeting = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你好，请讲。"}]
    path = as_json(tmp_path / "a.json", [{"messages": greeting}, *each(lambda n: {"messages": turns(n, USER)})])
    corpus = load_corpus(path, max_bad_records=0)
    assert (corpus.records_in, corpus.records_kept) == (COUNT + 1, COUNT)
    assert [item.reason for item in corpus.rejected] == ["dialogue: no post"]
    with pytest.raises(CorpusError, match=r"no question in 1 records.*greetings and thanks alone"):
        load_corpus(as_json(tmp_path / "b.json", [{"messages": greeting}]))


def test_headings_in_a_reply_are_no_speakers(tmp_path: Path) -> None:
    reply = f"原因：{REPLY}\n建议：{REPLY}"
    records = each(lambda n: {"instruction": opening(n), "input": "", "output": reply})
    assert load_corpus(as_json(tmp_path / "a.json", records)).questions[0].responses == (reply,)


def test_a_dialogue_without_a_reply_has_no_response(tmp_path: Path) -> None:
    path = as_json(tmp_path / "a.json", [{"messages": turns(1, USER)[:1]}])
    [question] = load_corpus(path).questions
    assert (question.title, question.responses) == (opening(1), ())


def test_a_prompt_is_no_post(tmp_path: Path) -> None:
    prompt = "你是一位心理咨询师，请回答来访者。"
    records = each(lambda n: {"instruction": prompt, "input": opening(n), "output": REPLY})
    assert [question.post for question in load_corpus(as_json(tmp_path / "a.json", records)).questions] == each(opening)
    single = [{"instruction": opening(n), "input": "白天走神。", "output": REPLY} for n in range(COUNT)]
    posts = [question.post for question in load_corpus(as_json(tmp_path / "b.json", single)).questions]
    assert posts == [f"{opening(n)}\n白天走神。" for n in range(COUNT)]
