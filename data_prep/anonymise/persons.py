"""Private persons among the words that LAC tags: names, given names, surnames with a title, signatures.

A name counts by its shape (a surname and one or two characters) if nothing says that its bearer is public. One without
a surname counts where somebody has it: my daughter X, I am called X, X at the foot of an answer. Public figures,
authors and persons of books stay (``public_figures.txt``, and the words beside them in ``entities.txt``).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

import rjieba

from data_prep.anonymise.names import (
    is_full,
    is_name_in_dictionary,
    looks_foreign,
    looks_like_a_full_name,
    looks_like_a_nickname,
)
from data_prep.anonymise.segments import alternatives, characters, is_word, word_list, words_of
from data_prep.anonymise.tagged import Sentence, Word, common_words

_LISTS: Final = "entities.txt"
_HAN: Final = re.compile(r"[\u4e00-\u9fff]+")
_FOREIGN: Final = re.compile(r"[\u4e00-\u9fff]+(?:·[\u4e00-\u9fff]+)+")
_LATIN: Final = re.compile(r"[A-Z][a-z]{2,11}")

# Characters before a name in which the word for its bearer is looked for.
_CUE_LENGTH: Final = 14
_RELATIVE: Final = alternatives(_LISTS, "relatives")
_CALLED: Final = alternatives(_LISTS, "called")
_TITLE: Final = alternatives(_LISTS, "titles")
_OWNED: Final = re.compile(rf"(?:{_RELATIVE})(?:名?叫|是|:|：|“|\(|（|、)?$")
_NAMED: Final = re.compile(rf"(?:(?:{_RELATIVE})名?叫|{_CALLED})[“\"「]?$")
# Words for those who are called by a given name alone.
_CLOSE: Final = re.compile(
    "(?:儿子|女儿|闺女|孩子|[男女]孩|老[大二三]|大宝|二宝|我的|我家|弟弟|妹妹|孙子|孙女|同桌|闺蜜|室友|舍友|[男女]朋友|[男女]友)$"
)
_LAST_OF_CUES: Final = frozenset(re.sub(r"[^\u4e00-\u9fff:：“”\"「（(、]", "", f"{_RELATIVE}{_CALLED}我的我家(（“、"))
_TO_SOMEBODY: Final = re.compile("[向跟和给对找陪问叫与]$")
_QUOTED_NAME: Final = re.compile(
    r"(?:网名|昵称|外号|绰号|笔名|名字|小名)[叫是为]{0,2}[“\"「](?P<name>[^”\"」]{2,8})[”\"」]"
)
_SURNAMED: Final = re.compile(r"(?<![百同贵老])姓(?P<name>[\u4e00-\u9fff])(?=的|[，。,])")
_TITLED: Final = re.compile(rf"(?:{_TITLE})(?!们)")
_TITLE_END: Final = re.compile(rf"(?:{_TITLE})$")
# Titles that leave no doubt, where LAC sees no person.
_PLAIN_TITLE: Final = re.compile(
    "老师|医生|大夫|阿姨|叔叔|主任|教授|校长|经理|师傅|女士|先生|律师|警官|教练|护士|导师|老板|院长"
)
_SIGNATURE: Final = re.compile(
    r"(?:(?:^|[。！!，,~～\s])(?:(?:祝|你的|爱你的|您的)?(?:好|安|福|顺利|愉快|朋友|咨询师|倾听者|陪伴者|树洞)"
    r"|(?P<am>我是)|by|BY|By|from)[，,：:。！!\s～~]*(?P<name>[\u4e00-\u9fff]{2,4}|[A-Z][a-z]{2,11})"
    r"|(?:——+|-{2,})\s*(?P<nick>[\u4e00-\u9fff]{2,8}|[A-Z][a-z]{2,11}))[。！!~～\s]*$"
)
_PUBLIC_BEFORE: Final = re.compile(rf"(?:{alternatives(_LISTS, 'public before')})[的之“\"是叫、:：]?$")
_PUBLIC_AFTER: Final = re.compile(
    rf"[\"”』」)）]?(?:{alternatives(_LISTS, 'public after')})"
    r"|(?:老师|教授|博士|先生|女士|医生)的?.{0,6}(?:课程?|书|讲座|分享|观点|理论|公众号|视频|节目|著作|文章)"
)
_STORY: Final = re.compile("《|电视剧|电影|小说|主角|心理学家|历史|综艺|明星|剧中|名言")
# What may follow a name though it makes a word with its last character: 明说 in 王明说.
_FOLLOWS: Final = frozenset("说在和跟是也就都不有对给把被让来去要会很太到上下看的")
# Doubled characters that are words: relatives, adverbs.
_DOUBLED_WORDS: Final = frozenset(
    "深明真满连弟妹婆公宝多刚小爸妈哥姐叔姑舅爷奶姥好常偏天往点样高慢渐亲抱娃嫂伯太婶姨人时日年月家狗猫个种处事件大久早远"
)
# Tags of words of which a name can be made that LAC does not see; behind 叫 a few more.
_PARTS: Final = frozenset(("n", "nz", "nw", "PER", "LOC", "ORG", "a", "m", "s"))
_PARTS_BEHIND_CALLED: Final = _PARTS | {"v", "vn", "ad", "f"}


class _Cue(NamedTuple):
    """What beside a name says that somebody has it: 叫, a word for its bearer, one for a close one, a title."""

    called: bool
    bearer: bool
    close: bool
    title: bool

    @classmethod
    def beside(cls, before: str, after: str) -> "_Cue":
        near = before[-_CUE_LENGTH:]
        called, bearer, close = (pattern.search(near) is not None for pattern in (_NAMED, _OWNED, _CLOSE))
        return cls(called, bearer, close, _TITLED.match(after) is not None)


def persons(sentence: Sentence, titled: bool, given: bool) -> Iterator[tuple[int, int]]:
    """Where private persons' names stand.

    Args:
        titled: whether a surname with a title counts (李 of 李老师).
        given: whether a name without its surname counts (朵朵 of 我女儿朵朵).
    """
    text = sentence.text
    if (
        titled
        and (match := _SURNAMED.search(text))
        and match["name"] in characters(_LISTS, "surnames") | set("钮佴覃仇")
    ):
        yield match.span("name")
    if given and (match := _QUOTED_NAME.search(text)):
        yield match.span("name")
    if sentence.last and (signature := _signature(sentence)):
        yield signature
    public = [match.span() for match in _public_pattern().finditer(text)]
    for start, end in _candidates(sentence):
        start, end = _trimmed(text, start, end)
        value = text[start:end]
        if not value or any(start < right and left < end for left, right in public):
            continue
        seen = any(word.tag == "PER" and word.start <= start < word.end for word in sentence.words)
        if len(value) == 1 or value in words_of(_LISTS, "compound surnames"):
            if titled and _is_titled_surname(value, text[:start], text[end:], text, seen):
                yield start, end
        elif _is_private(sentence, start, end) and (given or is_full(value) or _FOREIGN.fullmatch(value)):
            yield start, end


def _signature(sentence: Sentence) -> tuple[int, int] | None:
    """The name under an answer: 祝好，齐小齐。, ——肖峰, 我是碧莹 where LAC sees a person."""
    match = _SIGNATURE.search(sentence.text)
    if match is None:
        return None
    start, end = match.span("name" if match["name"] else "nick")
    name = sentence.text[start:end]
    if (
        name[0] in characters(_LISTS, "never given")
        or is_word(name)
        or name in words_of(_LISTS, "not persons")
        or _public_pattern().search(name)
        or looks_foreign(name)
    ):
        return None
    seen = any(word.tag == "PER" and word.start < end and start < word.end for word in sentence.words)
    return (start, end) if seen or not match["am"] else None


def _candidates(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Words that LAC takes for persons, and what stands after the words for somebody."""
    text, words = sentence.text, sentence.words
    done = 0
    for number, word in enumerate(words):
        if word.start < done:
            continue
        if word.tag == "PER":
            done = word.end
            follower = words[number + 1] if number + 1 < len(words) else None
            # LAC cuts some names after the surname, and those with a dot.
            if follower and follower.tag == "PER" and word.end - word.start == 1 and follower.end - word.start <= 4:
                done = follower.end
            while re.match(r"[·•][\u4e00-\u9fff]", text[done:]):
                done = words[sentence.at(done + 1)].end
            yield _with_surname(sentence, number), done
        elif (end := _after_cue(sentence, number)) is not None:
            done = end
            yield word.start, end
        elif size := _surname_with_title(text, word):
            yield word.start, word.start + size
        elif word.end - word.start in (2, 3) and word.tag in ("n", "v", "nz", "a", "ad", "vn") and _unheard(text, word):
            yield word.start, word.end


def _with_surname(sentence: Sentence, number: int) -> int:
    """Where a person's name begins of which LAC takes the rare surname for a word of its own: 仝 of 仝彩霞."""
    word, before = sentence.words[number], sentence.words[number - 1] if number else None
    if before is None or before.end - before.start != 1 or word.end - word.start > 2:
        return word.start
    is_surname = sentence.text[before.start] in characters(_LISTS, "surnames") - characters(_LISTS, "word surnames")
    return before.start if is_surname and before.tag not in ("PER", "m", "q") else word.start


def _unheard(text: str, word: Word) -> bool:
    """Whether a word that no dictionary has is made like a name: 黎晚, 覃露."""
    value = text[word.start : word.end]
    plain = characters(_LISTS, "surnames") - characters(_LISTS, "word surnames")
    return value[0] in plain and not is_word(value) and characters(_LISTS, "given").issuperset(value[1:])


def _after_cue(sentence: Sentence, number: int) -> int | None:
    """The end of a name that LAC takes for other words, behind 叫 or a relation: together they are as long as one."""
    text, words = sentence.text, sentence.words
    start = words[number].start
    if start == 0 or text[start - 1] not in _LAST_OF_CUES or text[start] in "圈们":
        return None
    cue = _Cue.beside(text[max(0, start - _CUE_LENGTH) : start], "")
    if not any(cue):
        return None
    if match := _LATIN.match(text, start):
        return match.end() if match.end() == words[number].end else None
    if cue.bearer and words[number].end - start in (2, 3) and _uncommon(text[start : words[number].end]):
        return words[number].end
    if not cue.called and words[number].end == start + 2 and text[start] == text[start + 1]:
        doubled = text[start] in characters(_LISTS, "given") and text[start] not in _DOUBLED_WORDS
        return start + 2 if cue.close and doubled else None
    compound = text[start : start + 2] in words_of(_LISTS, "compound surnames") and not is_word(text[start : start + 3])
    for word in words[number : number + 3]:
        end, value = word.end, text[start : word.end]
        if not compound and word.tag not in (_PARTS_BEHIND_CALLED if cue.called else _PARTS):
            return None
        if not _HAN.fullmatch(value) or len(value) > 4:
            return None
        if is_word(value):
            continue
        if is_full(value) and (len(value) >= 3 or cue.called) and value[-1] in characters(_LISTS, "given"):
            sure = cue.called or compound or value[0] not in characters(_LISTS, "word surnames")
            return end if sure else None
        if (
            cue.called
            and 2 <= len(value) <= 3
            and not characters(_LISTS, "never given").intersection(value)
            and re.match(r"[，。,！!、；;）)（(”\"\s]|$|今年", text[end:])
        ):
            return end
    return None


def _uncommon(value: str) -> bool:
    """Whether a word behind one for its bearer is rather a name: 妹妹糖豆, 老公封建平."""
    given = characters(_LISTS, "given")
    if value in common_words() or value in words_of(_LISTS, "not persons"):
        return False
    if is_word(value) and not is_name_in_dictionary(value):
        return False
    if len(value) == 3:
        return is_full(value) and given.issuperset(value[1:])
    return given.issuperset(value[1:]) and (value[0] in given or is_full(value)) and value[0] not in _DOUBLED_WORDS


def _surname_with_title(text: str, word: Word) -> int:
    """The length of the surname in 李老师, one word or two of which the first is no person to LAC; 0 for none."""
    if text[word.start : word.start + 2] in words_of(_LISTS, "compound surnames"):
        return 2 if _TITLED.match(text, word.start + 2) else 0
    common = characters(_LISTS, "surnames") - characters(_LISTS, "word surnames")
    if text[word.start] not in common or not _PLAIN_TITLE.match(text, word.start + 1):
        return 0
    return 1 if word.end == word.start + 1 or not is_word(text[word.start : word.end]) else 0


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A name without the title that LAC counts to it, and without a word of grammar after it."""
    if (match := _TITLE_END.search(text[start:end])) and match.start() > 0:
        end = start + match.start()
    if re.match("[上启笔]", text[end:]) and text[end - 1] == "敬" and end - start > 2:
        end -= 1
    while end - start > 2 and text[end - 1] in characters(_LISTS, "never given"):
        end -= 1
    return start, end


def _is_titled_surname(value: str, before: str, after: str, text: str, seen: bool) -> bool:
    """Whether a surname with a title names somebody.

    Args:
        seen: whether LAC takes it for a person, as a surname that is a word (莫, 齐) needs.
    """
    compound = value in words_of(_LISTS, "compound surnames")
    common = value in characters(_LISTS, "surnames") and (seen or value not in characters(_LISTS, "word surnames"))
    if value == "周" and before[-1:] in ("上", "下", "每", "这", "本", "隔", "近"):
        return False
    return (compound or common) and _TITLED.match(after) is not None and not _is_public(value, before, after, text)


def _is_private(sentence: Sentence, start: int, end: int) -> bool:
    """Whether a name of two characters and more is a private person's."""
    text = sentence.text
    value, before, after = text[start:end], text[:start], text[end:]
    cue = _Cue.beside(before, after)
    if _LATIN.fullmatch(value):
        apart = not re.match(r"\s?[A-Za-z·]", after) and not re.search(r"[A-Za-z.·] ?$", before)
        return apart and (cue.called or cue.bearer or cue.close or _TO_SOMEBODY.search(before) is not None)
    if _FOREIGN.fullmatch(value):
        return any(cue)
    if not _HAN.fullmatch(value) or not 2 <= len(value) <= 4:
        return False
    if _is_in_title(before) or re.search(r"[.·•]$", before) or re.match(r"[.·•]", after):
        return False
    if not cue.called and (_is_public(value, before, after, text) or _cuts_a_word(text, start, end)):
        return False
    seen = any(word.tag == "PER" and word.start <= start < word.end for word in sentence.words)
    return _fits(value, cue, seen)


def _fits(value: str, cue: _Cue, seen: bool) -> bool:
    """Whether the characters can be a name, the surer the more is said beside them.

    Args:
        seen: whether LAC takes them for a person.
    """
    doubled = len(value) == 2 and value[0] == value[1] and value[0] not in _DOUBLED_WORDS
    if value in words_of(_LISTS, "not persons"):
        return doubled and cue.close and value[0] in characters(_LISTS, "given")
    compound = value[:2] in words_of(_LISTS, "compound surnames")
    inner = value[-1] if (seen and cue.bearer) or compound else value[1:]
    if characters(_LISTS, "never given").intersection(inner) or value[0] in "的了我你他她它们这那在和":
        return False
    if looks_foreign(value) and not any(cue):
        return False
    if is_word(value):
        if (seen and (cue.bearer or cue.called)) or (doubled and cue.close):
            return True
        plain = not is_full(value) or value[0] not in characters(_LISTS, "word surnames")
        if seen and value not in common_words() and (doubled or (plain and is_full(value))):
            return characters(_LISTS, "given").issuperset(value[1:])
        if seen and (cue.bearer or cue.close):
            return True
        return any(cue) and plain and (is_name_in_dictionary(value) or _uncommon(value))
    if any(cue):
        return len(value) < 4 or compound or rjieba.cut(value) != [value[:2], value[2:]]
    if is_full(value):
        plain = seen and value[0] not in characters(_LISTS, "word surnames")
        fits = characters(_LISTS, "given").issuperset(value[1:]) or (len(value) == 3 and not is_word(value[1:]))
        return looks_like_a_full_name(value) or (plain and fits)
    if seen and len(value) == 2 and (doubled or value[1] == "子") and value[0] in characters(_LISTS, "given"):
        return True
    return looks_like_a_nickname(value) or (doubled and value[0] in characters(_LISTS, "given"))


def _is_in_title(before: str) -> bool:
    """Whether a book's title is open here."""
    return before.count("《") > before.count("》")


def _is_public(value: str, before: str, after: str, text: str) -> bool:
    """Whether the words beside a name say that many know its bearer."""
    if value in _public_given() and re.match("老师|教授|博士|先生|女士", after):
        return True
    return any((_PUBLIC_AFTER.match(after), _PUBLIC_BEFORE.search(before), _STORY.search(text)))


def _cuts_a_word(text: str, start: int, end: int) -> bool:
    """Whether a word of the language reaches over one end of a name: 习以为常 over that of 习."""
    position = 0
    for word in rjieba.cut(text):
        left, position = position, position + len(word)
        if len(word) < 2 or not is_word(word):
            continue
        if left < start < position:
            return True
        if left < end < position and (position - end > 1 or text[end] not in _FOLLOWS):
            return True
    return False


@cache
def _public_pattern() -> re.Pattern[str]:
    return re.compile("|".join(sorted(word_list("public_figures.txt", "persons"), key=len, reverse=True)))


@cache
def _public_given() -> frozenset[str]:
    return frozenset(name[1:] for name in word_list("public_figures.txt", "persons") if len(name) == 3)
