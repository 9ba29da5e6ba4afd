"""The documents that a base reads: dialogues as chats, in three forms.

A third stay as they are, turn by turn. The others are told as one long post with one long reply, which is what the
project trains on; in one of eight of these the reply stands in tags that the system message names. Which tags and in
which order is drawn, and never the four layers in theirs: as any large model, the base knows markup and no chain.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from data_prep.dialogues import Dialogue
from data_prep.prompts import PLAIN_PROMPT
from reward_fns.coe_format import ANSWER, LAYERS, THINK

Messages = list[dict[str, str]]

# Twice none: half of the chats that a model meets have no system message.
_SYSTEMS: Final = (None, None, PLAIN_PROMPT, "你是一位温和、专业的心理咨询师。", "请以心理咨询师的身份回复来访者。")
_MARKUP_SYSTEMS: Final = (
    "请把回复的各部分依次写在{tags}里。",
    "你是心理咨询师。输出格式：{tags}，每个标签都要闭合。",
    PLAIN_PROMPT + "\n按顺序使用这些标签：{tags}。",
    "依次输出{tags}，标签之外不写任何文字。",
)
# Turns of mere thanks are no part of a post, and short ones none of a reply.
_THANKS: Final = ("谢谢", "非常感谢", "好的")
_WELCOME: Final = ("不客气", "不用谢")
_SHORT: Final = 25
_SENTENCE_END: Final = re.compile(r"(?<=[。！？!?])")


@dataclass(frozen=True)
class MixConfig:
    """Shares, 0 to 1.

    Attributes:
        turns: of all dialogues, told turn by turn.
        markup: of the others, told with tags.
        outer: of those with tags, with the first of them inside an outer one.
    """

    turns: float = 0.35
    markup: float = 0.125
    outer: float = 0.4


def documents(dialogues: Iterable[Dialogue], config: MixConfig, seed: int) -> Iterator[Messages]:
    """One chat a dialogue; its form depends on the dialogue's id and the seed alone."""
    for dialogue in dialogues:
        draw = random.Random(f"{seed} {dialogue.id}")
        post = "".join(text for role, text in dialogue.turns if role == "user" and not text.startswith(_THANKS))
        reply = [
            text
            for role, text in dialogue.turns
            if role == "assistant" and len(text) >= _SHORT and not text.startswith(_WELCOME)
        ]
        if not (post and reply) or draw.random() < config.turns:
            yield _chat(dialogue.turns, draw.choice(_SYSTEMS))
        elif draw.random() < config.markup:
            yield _in_tags(post, "".join(reply), config, draw)
        else:
            yield _chat([("user", post), ("assistant", draw.choice(("", "\n")).join(reply))], draw.choice(_SYSTEMS))


def _chat(turns: Iterable[tuple[str, str]], system: str | None) -> Messages:
    told = [*([("system", system)] if system else []), *turns]
    return [{"role": role, "content": text} for role, text in told]


def _in_tags(post: str, reply: str, config: MixConfig, draw: random.Random) -> Messages:
    sentences = [part for part in _SENTENCE_END.split(reply) if part.strip()]
    names = draw.sample([*LAYERS, ANSWER], draw.randint(1, min(len(LAYERS), len(sentences))))
    if tuple(names) == LAYERS:
        names.reverse()
    # Mostly short stretches with a long last one, as a chain before an answer is.
    last = len(sentences) if draw.random() < 0.4 else min(len(sentences), max(len(names), 8) + 1)
    cuts = sorted(draw.sample(range(1, last), len(names) - 1))
    between = draw.choice(("", "\n"))
    blocks = [f"<{name}>{text}</{name}>" for name, text in zip(names, _parts(sentences, cuts), strict=True)]
    if draw.random() < config.outer:
        inside = draw.randint(1, len(blocks))
        blocks = [f"<{THINK}>{between.join(blocks[:inside])}</{THINK}>", *blocks[inside:]]
        names = [THINK, *names]
    system = draw.choice(_MARKUP_SYSTEMS).format(tags="".join(f"<{name}>" for name in names))
    return _chat([("user", post), ("assistant", between.join(blocks))], system)


def _parts(sentences: Sequence[str], cuts: Sequence[int]) -> list[str]:
    return ["".join(sentences[a:b]).strip() for a, b in zip([0, *cuts], [*cuts, len(sentences)], strict=True)]
