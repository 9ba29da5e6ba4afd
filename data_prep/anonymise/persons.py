"""Private persons among the words that LAC tags: names, given names, surnames with a title, signatures.

A name counts by its shape (a surname and one or two characters) if nothing says that its bearer is public. One without
a surname counts where somebody has it: my daughter X, I am called X, X at the foot of an answer. Public figures,
authors and persons of books stay (``public_figures.txt``, and the words beside them in ``entities.txt``).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import rjieba

from data_prep.anonymise.segments import is_word, word_list
from data_prep.anonymise.tagged import Sentence, Word

_HAN: Final = re.compile(r"[\u4e00-\u9fff]+")
_FOREIGN: Final = re.compile(r"[\u4e00-\u9fff]+(?:·[\u4e00-\u9fff]+)+")
_LATIN: Final = re.compile(r"[A-Z][a-z]{2,11}")

# Characters before a name in which the word for its bearer is looked for.
_CUE_LENGTH: Final = 14

_RELATIVE: Final = (
    r"(?:男|女)(?:朋友|友|生|孩|同学|票|儿)|前(?:男友|女友|任|夫|妻)|对象|老公|老婆|丈夫|妻子|爱人|先生|太太|未婚[夫妻]|恋人|初恋|暗恋对象|"
    r"[大小二]?(?:儿子|女儿|闺女)|孩子|娃|[大二小老三]?(?:宝|弟|妹|哥|姐|叔|姑|舅|姨|伯)|[我他她][爸妈爷奶]|[表堂]?(?:弟弟?|妹妹?|哥哥?|姐姐?)|闺蜜|闺密|基友|室友|舍友|同学|同桌|前桌|后桌|[好男女老]?朋友|"
    r"好友|同事|领导|上司|主管|经理|组长|老板|班主任|班长|老师|辅导员|导师|教授|咨询师|医生|医师|主任|校长|邻居|学长|学姐|学弟|学妹|师兄|师姐|师弟|师妹|"
    r"发小|网友|男人|女人|小伙子?|姑娘|小姑娘|前辈|客户|房东|战友|工友|婆婆|公公|岳母|岳父|母亲|父亲|妈妈|爸爸|爷爷|奶奶|外婆|外公|舅舅|姑姑|叔叔|阿姨|嫂子|姐夫|妹夫|"
    r"儿媳妇?|女婿|侄子|侄女|外甥女?|孙子|孙女|小三|情敌|来访者|患者|学生|队友|搭档|下属|助理|秘书|老乡|亲戚|恩人|伙伴|保姆|网恋对象|相亲对象"
)
_CALLED: Final = r"(?<![把被喊])(?:我|他|她|名字|姓名|本名|真名|全名|大名|小名|乳名|昵称|网名|外号|笔名|绰号|署名)(?:就?叫|[是为]|:|：)(?<![我他她][是为:：])|名叫|取名|起名|[个位名人](?:就|是)?叫|署名|落款|签名|联系人|借款人|亲爱的"
_OWNED: Final = re.compile(rf"(?:{_RELATIVE})(?:名?叫|是|:|：|“|\(|（|、)?$")
_NAMED: Final = re.compile(rf"(?:(?:{_RELATIVE})名?叫|{_CALLED})[“\"「]?$")
_CHILD: Final = re.compile(
    r"(?:儿子|女儿|闺女|孩子|老[大二三]|大宝|二宝|我的|我家|弟弟|妹妹|孙子|孙女|同桌|闺蜜|室友|舍友|[男女]朋友|[男女]友)$"
)
_QUOTED_NAME: Final = re.compile(
    r"(?:网名|昵称|外号|绰号|笔名|名字|小名)[叫是为]{0,2}[“\"「](?P<name>[^”\"」]{2,8})[”\"」]"
)
_TO_SOMEBODY: Final = re.compile(r"(?:[向跟和给对找陪问叫]|和|与)$")
_TITLE: Final = (
    r"老师|医生|大夫|医师|教授|主任|阿姨|叔叔|大叔|大爷|大妈|大娘|奶奶|爷爷|先生|女士|小姐|太太|师傅|师父|经理|总监|总裁|校长|院长|警官|警察|律师|教练|护士长?|"
    r"班长|书记|局长|科长|处长|部长|厂长|店长|队长|组长|董事长|董|老板|导师|博士|咨询师|辅导员|同学|学长|学姐|学弟|学妹|师兄|师姐|大姐|大哥|嫂子|婶|姨|[哥姐叔伯嫂总工导]"
)
_TITLED: Final = re.compile(rf"(?:{_TITLE})(?!们)")
_TITLE_END: Final = re.compile(rf"(?:{_TITLE})$")
_SIGNATURE: Final = re.compile(
    r"(?:(?:^|[。！!，,~～\s])(?:(?:祝|你的|爱你的|您的)?(?:好|安|福|顺利|愉快|朋友|咨询师|倾听者|陪伴者|树洞)|我是|by|BY|By|from)[，,：:。！!\s～~]*"
    r"(?P<name>[\u4e00-\u9fff]{2,4}|[A-Z][a-z]{2,11})|(?:——+|-{2,})\s*(?P<nick>[\u4e00-\u9fff]{2,8}|[A-Z][a-z]{2,11}))[。！!~～\s]*$"
)


def persons(sentence: Sentence, titled: bool, given: bool) -> Iterator[tuple[int, int]]:
    """Where private persons' names stand.

    Args:
        titled: whether a surname with a title counts (李 of 李老师).
        given: whether a name without its surname counts (朵朵 of 我女儿朵朵).
    """
    text = sentence.text
    if given and (match := _QUOTED_NAME.search(text)):
        yield match.span("name")
    if sentence.last and (match := _SIGNATURE.search(text)):
        name = "name" if match["name"] else "nick"
        if _signs(match[name]) and (
            "我是" not in match[0]
            or any(
                word.tag == "PER" and word.start < match.end(name) and match.start(name) < word.end
                for word in sentence.words
            )
        ):
            yield match.span(name)
    public = [match.span() for match in _public_pattern().finditer(text)]
    for start, end in _candidates(sentence):
        start, end = _trimmed(text, start, end)
        if start >= end or any(start < right and left < end for left, right in public):
            continue
        value, before, after = text[start:end], text[:start], text[end:]
        if len(value) == 1 or value in _compound_surnames():
            common = (value in _surnames() and value not in _word_surnames()) or value in _compound_surnames()
            if titled and common and _TITLED.match(after) and not _is_public(value, before, after, sentence):
                yield start, end
        elif _is_private(sentence, start, end) and (given or _is_full(value) or _FOREIGN.fullmatch(value)):
            yield start, end


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
            if follower and follower.tag == "PER" and follower.end - word.start <= 4 and word.end - word.start == 1:
                done = follower.end
            while re.match(r"[·•][\u4e00-\u9fff]", text[done:]):
                done = words[sentence.at(done + 1)].end
            yield word.start, done
        elif (span := _after_cue(sentence, number)) is not None:
            done = span[1]
            yield span
        elif _surname_with_title(text, word):
            yield word.start, word.start + (2 if text[word.start : word.start + 2] in _compound_surnames() else 1)


def _signs(name: str) -> bool:
    """Whether somebody may sign an answer so."""
    return not (
        _never().intersection(name[:1])
        or is_word(name)
        or name in _not_persons()
        or _public_pattern().search(name)
        or _looks_foreign(name)
    )


def _after_cue(sentence: Sentence, number: int) -> tuple[int, int] | None:
    """A name that LAC takes for other words: the next ones after 叫 or a relation, together as long as a name."""
    text, words = sentence.text, sentence.words
    start = words[number].start
    if start == 0 or text[start - 1] not in _last_of_cues() or text[start] in "圈们":
        return None
    before = text[max(0, start - _CUE_LENGTH) : start]
    if not (named := _NAMED.search(before) is not None) and not _OWNED.search(before) and not _CHILD.search(before):
        return None
    if not named and text[start : start + 2] == text[start : start + 1] * 2 and words[number].end == start + 2:
        return (
            (start, start + 2)
            if _CHILD.search(before) and text[start] in _given() and text[start] not in _DOUBLED_WORDS
            else None
        )
    compound = text[start : start + 2] in _compound_surnames() and not is_word(text[start : start + 3])
    for word in words[number : number + 3]:
        end, value = word.end, text[start : word.end]
        if (
            not compound
            and word.tag not in ("n", "nz", "nw", "PER", "LOC", "ORG", "a", "m", "s")
            and not (named and word.tag in ("v", "vn", "ad", "f"))
        ):
            return None
        if not _HAN.fullmatch(value) or len(value) > 4:
            return None
        if _is_full(value) and not is_word(value) and (len(value) >= 3 or named) and _given().issuperset(value[-1:]):
            return (start, end) if named or compound or value[0] not in _word_surnames() else None
        if (
            named
            and 2 <= len(value) <= 3
            and not is_word(value)
            and not _never().intersection(value)
            and re.match(r"[，。,！!、；;）)（(”\"\s]|$|今年", text[end:])
        ):
            return start, end
    return None


def _surname_with_title(text: str, word: Word) -> bool:
    """李老师 as one word, or two, of which the first is no person to LAC."""
    if text[word.start : word.start + 2] in _compound_surnames():
        return _TITLED.match(text, word.start + 2) is not None
    return (
        text[word.start] in _surnames()
        and text[word.start] not in _word_surnames()
        and re.match(
            r"老师|医生|大夫|阿姨|叔叔|主任|教授|校长|经理|师傅|女士|先生|律师|警官|教练|护士|导师|老板|院长",
            text[word.start + 1 :],
        )
        is not None
        and (word.end == word.start + 1 or not is_word(text[word.start : word.end]))
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A name without the title that LAC counts to it, and without a word of grammar after it."""
    value = text[start:end]
    if (match := _TITLE_END.search(value)) and match.start() > 0:
        end = start + match.start()
    while end - start > 2 and text[end - 1] in _never():
        end -= 1
    return start, end


def _is_private(sentence: Sentence, start: int, end: int) -> bool:
    text = sentence.text
    value, before, after = text[start:end], text[:start], text[end:]
    near = before[-_CUE_LENGTH:]
    owned = _OWNED.search(near) is not None or _TITLED.match(after) is not None
    named = _NAMED.search(near) is not None
    child = _CHILD.search(near) is not None
    cued = owned or named or child
    if _LATIN.fullmatch(value):
        beside = re.match(r"\s?[A-Za-z·]", after) or re.search(r"[A-Za-z.·] ?$", before)
        return beside is None and (
            named or child or _OWNED.search(near) is not None or _TO_SOMEBODY.search(before) is not None
        )
    if _FOREIGN.fullmatch(value):
        return named
    person = any(word.tag == "PER" and word.start <= start < word.end for word in sentence.words)
    owner = _OWNED.search(near) is not None
    if (
        not _HAN.fullmatch(value)
        or not 2 <= len(value) <= 4
        or _never().intersection(value[-1] if (person and owner) or value[:2] in _compound_surnames() else value[1:])
        or value[0] in "的了我你他她它们这那在和"
    ):
        return False
    doubled = len(value) == 2 and value[0] == value[1] and value[0] not in _DOUBLED_WORDS
    if before.count("《") > before.count("》"):
        return False
    if (
        (value in _not_persons() and not (doubled and child))
        or re.search(r"[.·•]$", before)
        or re.match(r"[.·•]", after)
    ):
        return False
    if not named and (_is_public(value, before, after, sentence) or _cuts_a_word(text, start, end)):
        return False
    if _looks_foreign(value) and not cued:
        return False
    if is_word(value):
        if person and (owner or named):
            return True
        return (_is_name(value) and cued and (value[0] not in _word_surnames() or not _is_full(value))) or (
            doubled and child
        )
    if _is_full(value):
        if cued or value[:2] in _compound_surnames():
            return True
        if (len(value) == 2 and value[1] in _LOOSE_GIVEN) or (
            len(value) == 3
            and is_word(value[:2])
            and not _given().issuperset(value[1:])
            and value[:2] not in _compound_surnames()
        ):
            return False
        likely = value[-1] in _given() or (len(value) == 3 and value[1] in _given())
        if len(value) == 3 and is_word(value[1:]) and not _given().issuperset(value[1:]):
            return False
        return likely and (
            value[0] not in _word_surnames()
            or (
                len(value) == 3
                and _given().issuperset(value[1:])
                and not any(is_word(part) and not _is_name(part) for part in (value[:2], value[1:]))
            )
        )
    if len(value) == 4:
        return cued and rjieba.cut(value) != [value[:2], value[2:]]
    if value[0] in "小阿老" and len(value) == 2:
        return (
            cued
            or (value[1] in _surnames() and value[1] not in _word_surnames())
            or (
                value[0] != "老"
                and value[1] in _given()
                and value[1]
                not in "浪帅胜美新强明亮光众凡红白黑黄花刚北南东西声心情道段利错童舍受组区学段时天草星月雨雪鹿"
            )
        )
    return cued or (doubled and value[0] in _given())


def _is_name(word: str) -> bool:
    """Whether rjieba's dictionary has a word as a person's name."""
    return bool(rjieba.tag(word)[0][1].startswith("nr"))


def _looks_foreign(value: str) -> bool:
    """Whether a name is written as foreign ones are."""
    return (len(value) >= 3 and sum(char in _TRANSCRIBING for char in value) >= len(value) - 1) or (
        len(value) == 2 and all(char in _TRANSCRIBING for char in value)
    )


# Characters of given names that make words with what stands before them: 黄光, 顾自, 过程中.
_LOOSE_GIVEN: Final = frozenset("光文成中多香自言辈名才真心和平安乐本元方正明长天大小人日月男女老会来发起开行高新有")
# Doubled characters that are words: relatives, adverbs.
_DOUBLED_WORDS: Final = frozenset(
    "深明真满连弟妹婆公宝多刚小爸妈哥姐叔姑舅爷奶姥好常偏天往点样高慢渐亲抱娃嫂伯太婶姨人时日年月家狗猫个种处事件大久早远"
)
_TRANSCRIBING: Final = frozenset(
    "斯尔德克特夫洛弗伊格罗巴卡拉马萨提亚沙森霍妮内科布鲁史蒂埃里埃利莱茨顿荷姆恩普兰罕贝蒙帕哈莎维奥勒皮哲塞肯比昂奇艾彻宾诺胡珀戈曼"
)


def _is_full(value: str) -> bool:
    """Whether a string has the shape of a surname with a given name."""
    if value[:2] in _compound_surnames():
        return 3 <= len(value) <= 4
    return 2 <= len(value) <= 3 and value[0] in _surnames() and not re.match("周[一二三四五六日末]", value)


def _is_public(value: str, before: str, after: str, sentence: Sentence) -> bool:
    """Whether the words beside a name say that many know its bearer."""
    if before.count("《") > before.count("》"):
        return True
    if re.match(rf"[\"”』」)）]?(?:{_public_after()})", after) or re.match(
        r"(?:老师|教授|博士|先生|女士|医生)的?.{0,6}(?:课程?|书|讲座|分享|观点|理论|公众号|视频|节目|著作|文章)", after
    ):
        return True
    if value in _public_given() and re.match(r"老师|教授|博士|先生|女士", after):
        return True
    return re.search(rf"(?:{_public_before()})[的之“\"是叫、:：]?$", before) is not None or any(
        word in sentence.text
        for word in ("《", "电视剧", "电影", "小说", "主角", "心理学家", "历史", "综艺", "明星", "剧中", "名言")
    )


def _cuts_a_word(text: str, start: int, end: int) -> bool:
    """Whether a word of the language reaches over one end of a name: 为常 over that of 习 in 习以为常."""
    position = 0
    for word in rjieba.cut(text):
        left, position = position, position + len(word)
        if len(word) > 1 and is_word(word):
            for border, outside in ((start, start - left), (end, position - end)):
                # 明说 in 王明说: the rest is a word by itself.
                if left < border < position and outside != 1:
                    return True
                if left < border < position and border == start:
                    return True
                if left < border < position and text[end] not in "说在和跟是也就都不有对给把被让来去要会很太到上下看的":
                    return True
    return False


@cache
def _last_of_cues() -> frozenset[str]:
    """The characters in which a word for somebody, or 叫, can end."""
    return frozenset(re.sub(r"[^\u4e00-\u9fff:：“”\"「（(、]", "", f"{_RELATIVE}{_CALLED}我的我家(（“、"))


@cache
def _surnames() -> frozenset[str]:
    return frozenset("".join(word_list("entities.txt", "surnames")))


@cache
def _given() -> frozenset[str]:
    return frozenset("".join(word_list("entities.txt", "given")))


@cache
def _compound_surnames() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "compound surnames"))


@cache
def _word_surnames() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "word surnames"))


@cache
def _never() -> frozenset[str]:
    return frozenset("".join(word_list("entities.txt", "never given")))


@cache
def _not_persons() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "not persons"))


@cache
def _public_before() -> str:
    return "|".join(map(re.escape, word_list("entities.txt", "public before")))


@cache
def _public_after() -> str:
    return "|".join(map(re.escape, word_list("entities.txt", "public after")))


@cache
def _public_figures() -> frozenset[str]:
    return frozenset(word_list("public_figures.txt", "persons"))


@cache
def _public_pattern() -> re.Pattern[str]:
    return re.compile("|".join(sorted(_public_figures(), key=len, reverse=True)))


@cache
def _public_given() -> frozenset[str]:
    return frozenset(name[1:] for name in _public_figures() if len(name) == 3)
