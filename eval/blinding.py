"""Models' names taken out of replies: a rater who knows the model is not blind.

The study's own models and the names of ``model_names.yaml``. A Latin name is replaced as a whole word only, so that
"database" stays; a Chinese one that is a word of its own (豆包, 百川) only where the text speaks of a model. That a
reply calls itself an AI assistant is no name, and stays: it is part of how it speaks to the person.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

NAME: Final = "某助手"
MAKER: Final = "某公司"

# Not \b: to Python's re a Chinese character is a letter like another, so that 我是ChatGPT has no word boundary.
_START: Final = r"(?<![A-Za-z0-9])"
_END: Final = r"(?![A-Za-z0-9])"
# Of a name: 2.5, -7B, -Instruct, 4o, " 3.5".
_VERSION: Final = r"(?:[-_ ]?[a-z]?\d+(?:\.\d+)*[a-z]{0,2}|-[a-z]+(?:\d+(?:\.\d+)*[a-z]?)?)"
_KIND: Final = r"(?:[- ](?:Pro|Ultra|Flash|Opus|Sonnet|Haiku|Chat))"
_INTRODUCED: Final = (
    r"(?:我(?:就)?是|我叫(?:做)?|我的(?:中文|英文)?名字(?:是|叫)|(?:可以)?叫我|名叫|名为|身为|作为|这里是"
    r"|(?<![A-Za-z])(?:I am|I'm|My name is|As))"
    r"(?:一个|一名|一位|您的|你的)?[\s“\"「『《]*"
)
# What follows where a name ends, and not where a word goes on (我是书生气很重的人).
_ENDED: Final = r"(?=[\s，,。.！!；;、：:？?”\"」』》（()）~～]|$|AI|的?(?:智能|助手|助理|模型|大模型|语言模型))"
_MODEL: Final = r"(?:\s?(?:AI|大语言模型|大模型|语言模型|模型|智能助手|智能体|聊天机器人))"
_MADE: Final = r"(?:公司|集团|团队)?(?:自主|独立|联合|精心)?(?:研发|开发|训练|推出|打造|创建|设计|提供)"
_MACHINE: Final = r"(?:AI|人工智能|语言模型|大模型|聊天机器人|智能助手|虚拟助手)"


def without_names(text: str, models: Sequence[str]) -> str:
    """The text with other words in place of models' names and, where it says who made it, of the maker's.

    Args:
        text: a reply.
        models: names of the study's models, each replaced wherever it stands as a whole word.
    """
    own = ((_whole(name), NAME) for name in sorted(models, key=len, reverse=True))
    for pattern, instead in (*_shipped(), *own):
        text = pattern.sub(instead, text)
    return text.strip()


def _whole(name: str) -> re.Pattern[str]:
    start, end = (bound if edge.isascii() else "" for bound, edge in ((_START, name[0]), (_END, name[-1])))
    return re.compile(start + re.escape(name) + end, re.IGNORECASE)


@cache
def _shipped() -> tuple[tuple[re.Pattern[str], str], ...]:
    names: dict[str, list[str]] = yaml.safe_load(files("eval").joinpath("model_names.yaml").read_text("utf-8"))
    latin, doubtful = (_any(names[key]) for key in ("latin", "latin_in_context"))
    chinese, words, makers = (_any(names[key]) for key in ("chinese", "chinese_in_context", "makers"))
    maker = rf"(?<![A-Za-z])(?:{makers})(?:\s?[和与、]\s?(?:{makers}))*(?![A-Za-z])"
    patterns = (
        (rf"(?P<before>[由被]\s?){maker}(?=\s?{_MADE})", MAKER),
        (rf"(?P<before>来自\s?){maker}(?=\s?(?:公司|集团|团队)?的\s?{_MACHINE})", MAKER),
        (rf"(?P<before>){maker}(?=\s?{_MADE}的?[^，。！？\s]{{0,8}}{_MACHINE})", MAKER),
        (rf"(?P<before>(?:developed|created|trained|made) by ){maker}", MAKER),
        (rf"(?P<before>){_START}(?:{latin}){_VERSION}*{_END}", NAME),
        (rf"(?P<before>{_INTRODUCED}){_START}(?:{doubtful})(?:{_VERSION}|{_KIND})*{_END}", NAME),
        (rf"(?P<before>){_START}(?:{doubtful})(?:[- ]?\d+(?:\.\d+)*[a-z]?|{_KIND})+{_END}", NAME),
        (rf"(?P<before>){_START}(?:{doubtful})(?={_MODEL})", NAME),
        (rf"(?P<before>)(?:{chinese})", NAME),
        (rf"(?P<before>{_INTRODUCED})(?:{words}){_ENDED}", NAME),
        (rf"(?P<before>)(?:{words})(?={_MODEL})", NAME),
    )
    return tuple((re.compile(pattern, re.IGNORECASE), rf"\g<before>{instead}") for pattern, instead in patterns)


def _any(names: Iterable[str]) -> str:
    # The longest first, since the first that fits is taken.
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
