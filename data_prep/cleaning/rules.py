"""The rules of cleaning by name, in the order in which they are applied; each can be switched off.

A rule mends a text, or leaves out a question or a response. What it means in full (what goes, why, what is left alone)
stands with its function; here are its name, its reach and the words that a report shows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from common.records.question import Question
from data_prep.cleaning import text_rules
from data_prep.cleaning.solicitation import LARGE_SHARE, advertisement_share, cut_solicitations
from data_prep.cleaning.topic import is_not_psychological
from reward_fns.coe_format import has_visible_text

# The words of a reply that is only a greeting: salutation, thanks, comfort and encouragement, however often repeated.
_LIST = Path(__file__).with_name("greetings.txt")


def is_only_greeting(text: str) -> bool:
    """Whether the text has words, and none but those of a greeting; marks, digits and emoji do not count.

    Such a reply (楼主好！抱抱你，加油加油，一切都会好起来的！) fits every post, and teaches to write what fits every
    post. It is told by its words: each has to be in greetings.txt. A single word of content keeps the reply, for a list
    that judged more than that would lose terse good ones.
    """
    words, blank = _patterns()
    return words.fullmatch(text) is not None and blank.fullmatch(text) is None


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    words = {word for line in lines if not line.startswith("#") for word in line.split()}
    longest_first = "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))
    # Possessive: a reply is taken word by word and never a second time, so the search ends at the first other word.
    return re.compile(rf"(?:{longest_first}|[\W\d_]+)*+", re.IGNORECASE), re.compile(r"[\W\d_]*")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of one of the three kinds below.

    Attributes:
        name: by which it is switched off and counted.
        summary: what it does or leaves out, for the report.
    """

    name: str
    summary: str


@dataclass(frozen=True, slots=True)
class TextRule(Rule):
    """A rule that mends a text.

    Attributes:
        mend: the text as the rule wants it, never longer; the same text when there is nothing to do.
        posts: it mends titles and descriptions too; all rules mend responses.
        labels: it mends topics, subtopics and CoE chains too. The format's own tags in a chain are a mistake to be
            told, not to be mended in silence.
    """

    mend: Callable[[str], str]
    posts: bool = True
    labels: bool = False


@dataclass(frozen=True, slots=True)
class ResponseRule(Rule):
    """A rule that leaves out a response.

    Attributes:
        finds: what is wrong with the mended response, in words free of the response's own; "" when nothing is. Its
            arguments are the response, those of the question kept before it, and the least length in characters.
    """

    finds: Callable[[str, Sequence[str], int], str]


@dataclass(frozen=True, slots=True)
class QuestionRule(Rule):
    """A rule that leaves out a question with all its responses.

    Attributes:
        finds: whether the question, mended and with the responses that are left, has to go.
    """

    finds: Callable[[Question], bool]


def _advertises(response: str, _before: Sequence[str], _shortest: int) -> str:
    share = advertisement_share(response)
    return f"{share:.0%} of it solicits contact or sells" if share >= LARGE_SHARE else ""


def _only_greets(response: str, _before: Sequence[str], _shortest: int) -> str:
    return "greeting, thanks or encouragement alone" if is_only_greeting(response) else ""


def _is_short(response: str, _before: Sequence[str], shortest: int) -> str:
    return f"{len(response)} characters, expected more than {shortest}" if len(response) <= shortest else ""


def _is_blank(response: str, _before: Sequence[str], _shortest: int) -> str:
    return "" if has_visible_text(response) else "no visible text"


def _is_repeated(response: str, before: Sequence[str], _shortest: int) -> str:
    return "the same text as an earlier response" if response in before else ""


def _is_untitled(question: Question) -> bool:
    return not has_visible_text(question.title)


def _is_advertisement(question: Question) -> bool:
    return advertisement_share(question.post) >= LARGE_SHARE


def _is_on_another_subject(question: Question) -> bool:
    return is_not_psychological(question.post)


def _is_unanswered(question: Question) -> bool:
    return not question.responses


_RULES: Final[tuple[Rule, ...]] = (
    TextRule("html", "HTML, and tags of the CoE format and of chat templates, removed", text_rules.html_markup),
    TextRule("urls", "web addresses removed", text_rules.urls),
    TextRule("control_characters", "invisible characters removed", text_rules.control_characters, labels=True),
    TextRule("traditional", "traditional Chinese turned into simplified", text_rules.traditional, labels=True),
    TextRule("repeated_characters", "runs of one character cut to three", text_rules.repeated_characters),
    TextRule("whitespace", "white space evened out", text_rules.whitespace, labels=True),
    ResponseRule("advertisement", "responses half of which or more solicit contact or sell", _advertises),
    TextRule("solicitation", "sentences that solicit contact or sell cut", cut_solicitations, posts=False),
    ResponseRule("blank_response", "responses without visible text", _is_blank),
    ResponseRule("greeting_only", "responses that only greet, thank or encourage", _only_greets),
    ResponseRule("short_answer", "responses not over the least length", _is_short),
    ResponseRule("repeated_response", "responses repeated within their question", _is_repeated),
    QuestionRule("no_title", "questions without a visible title", _is_untitled),
    QuestionRule("advertising_question", "posts half of which or more solicit contact or sell", _is_advertisement),
    QuestionRule("not_psychological", "posts that are no matter of a counsellor's", _is_on_another_subject),
    QuestionRule("no_response_left", "questions without a response left", _is_unanswered),
)

# Every rule by its name, in the order in which they are applied.
RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in _RULES}
