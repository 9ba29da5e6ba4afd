"""Which turns of a dialogue make the post and the response.

Two switches say so (`Rule`):

- ``dialogue_post=all``: all the seeker's turns, as SMILECHAT is read. ``first``: those before the supporter's first
  reply of substance, and no later one.
- ``dialogue_response=all``: all replies, joined by line ends. ``first``: the first reply of substance alone.

A reply of substance is one longer than ``min_response_chars``, turns in a row taken together; in a dialogue without
any it is the longest. Turns that only greet, thank, agree or part are left out on both sides, so that 好的，谢谢你
becomes no post. What the supporter says before the seeker has said anything answers nothing and is left out too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from data_prep.cleaning import MIN_RESPONSE_CHARS
from data_prep.corpora.speakers import Turn

# The longest title cut from a first turn, in characters.
TITLE_CHARS: Final = 40

_SENTENCE: Final = re.compile(r"[^。！？!?\n]*[。！？!?]?")
_NOT_TEXT: Final = re.compile(r"[\W_]+")
_CLAUSE: Final = re.compile(r"[^\W\d_]+")
# A clause in which somebody greets, thanks, agrees, promises to try or parts. Cleaning's `is_only_greeting` judges
# replies word by word and is too wide here: 我不想坚持了 is made of its words, and no pleasantry of a seeker.
# Only fixed words follow a promise or thanks: what else somebody will do may be what a post is about.
_KINDNESS: Final = "帮助|建议|支持|鼓励|陪伴|理解|倾听|关心|祝福|耐心|回复|回答|解答|分享|提醒|指导|安慰|信任"
_PLEASANTRY: Final = re.compile(
    "|".join(
        (
            "(?:你们?|您|大家|老师|医生|咨询师|早上|上午|中午|下午|晚上)好(?:呀|啊)?|早安?|嗨|哈[喽罗啰]|hi|hello",
            "在(?:的|吗|么)|有人(?:在)?吗|打扰(?:您|你)?了",
            "(?:我|真的|非常|十分|再次|也|很|太|那)*(?:谢谢|感谢|感激|多谢|谢)(?:你们?|您|老师|医生|咨询师|大家|了|啦)*"
            f"(?:给我)?(?:的|这些|和|与|以及|{_KINDNESS})*",
            "(?:好|嗯+|哦+|噢+|行|可以|是|对|ok|okay|我?(?:明白|知道|懂|了解|记住|会))(?:了|的|啊|吧|呢|哈)*",
            "(?:你|您)?说得?(?:很|真|都|太)?对|(?:很)?有道理|好主意|(?:这个|这些)?(?:建议|方法|主意)(?:很|真)?(?:不错|好)|听起来(?:很)?不错",
            "那?我?(?:会|再|先|去|就|回去)*(?:试试|试一试|试一下|照做|加油|考虑一?下|想想)(?:的|看|吧|了)*",
            "那?我?(?:一定|也|都|就)*(?:会|要)(?:再|先|去|更|更加|好好|努力|尽力|尽量|认真|继续|试着|尝试)*"
            "(?:试试|尝试|加油|考虑|想想|努力|尽力|实践|坚持|记住|注意|思考|去做|做)(?:的|看|吧|了|一下|下去|这些(?:方法|建议))*",
            "我?(?:现在|真的|觉得|感觉|心里)*(?:好|轻松|安心|踏实|清楚|清晰)(?:多|一些|一点)了",
            "(?:也)?祝(?:你|您|大家)?(?:也|一切|生活|工作)*(?:顺利|安好|平安|愉快|幸福)",
            "不(?:客气|用谢)|没关系|(?:再见|拜拜|晚安|回聊|(?:我们)?下次(?:见|再聊)|bye)(?:了|啦|吧)*",
        )
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which turns of a dialogue make the post and the response; see this module.

    Attributes:
        post: "all" or "first".
        response: "all" or "first".
        substance: a reply of substance is longer than this, in characters.
    """

    post: str = "all"
    response: str = "all"
    substance: int = MIN_RESPONSE_CHARS


def parts(spoken: Sequence[Turn], rule: Rule, *, has_post: bool = False) -> tuple[list[str], list[str]]:
    """The seeker's turns that make the post, and the replies that make the response.

    Args:
        has_post: the post stands before the dialogue; else what the supporter says first answers nothing.
    """
    runs = [(role, [turn.text for turn in group]) for role, group in groupby(spoken, key=lambda turn: turn.role)]
    if runs and runs[0][0] == "supporter" and not has_post:
        del runs[0]
    replies = [index for index, (role, _) in enumerate(runs) if role == "supporter"]
    sizes = {index: sum(map(len, runs[index][1])) for index in replies}
    longest = max(replies, key=sizes.__getitem__, default=len(runs))
    answer = next((index for index in replies if sizes[index] > rule.substance), longest)
    until = len(runs) if rule.post == "all" else answer
    asked = [text for role, texts in runs[:until] if role == "seeker" for text in texts]
    answers = replies if rule.response == "all" else replies[replies.index(answer) :][:1] if replies else []
    return asked, [text for index in answers for text in runs[index][1]]


def is_pleasantry(text: str) -> bool:
    """Whether a turn only greets, thanks, agrees or parts: 你好，在吗？ 好的，谢谢你，我会试试。"""
    clauses = _CLAUSE.findall(text)
    return bool(clauses) and all(map(_PLEASANTRY.fullmatch, clauses))


def cut_title(turn: str) -> tuple[str, str]:
    """The first sentence of a text, at most ``TITLE_CHARS`` characters of it, and the rest."""
    sentence = _SENTENCE.match(turn)
    length = min(sentence.end() if sentence else len(turn), TITLE_CHARS)
    # A turn that opens with a bare mark would give an empty or wordless title.
    if not _NOT_TEXT.sub("", turn[:length]):
        length = TITLE_CHARS
    return turn[:length].strip(), turn[length:].strip()
