"""Full personal names of private persons, from surnames, characters of given names and what stands beside them.

No model: every candidate (a surname and one or two characters) gets points for what speaks for a name and against it,
and enough points make a name. A bare surname with a title (李老师, 王阿姨) names nobody and stays; so do given names
alone, nicknames, and the well-known, whom the segmenter's dictionary or ``public_figures.txt`` has: writers,
therapists, historical and fictional persons.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from data_prep.anonymise.names_context import END, OWN, ROLE, after_points, before_points
from data_prep.anonymise.names_start import COMMON, COMPOUND, GIVEN, GRAMMAR, NEVER_GIVEN, SURNAMES, name_starts
from data_prep.anonymise.presidio import NlpArtifacts, Recogniser, RecognizerResult
from data_prep.anonymise.segments import Words, clause, closed, is_word, open_to, segmented, word_list

_FIRST = SURNAMES | frozenset(name[0] for name in COMPOUND)
_WORD_LIKE = frozenset("".join(word_list("names.txt", "word-like")))
_UNSURE = _WORD_LIKE | GRAMMAR
_TELLING = frozenset("".join(word_list("names.txt", "telling")))
_NOT_NAMES = frozenset(word_list("names.txt", "not names"))
_PLACE_LIKE = ("ns", "nz")
_PUBLIC = frozenset(word_list("public_figures.txt", "persons"))
_HINT = re.compile("[\u4e00-\u9fa5]{2}")
_CUED = re.compile(
    "(?:叫做?|名字?|姓名[:：]?|患者|本人|我是|——|@|和|跟|与|被|给|对|找|让|[友妹姐弟哥爸妈夫妻女儿子师学事长]|要不是)$"
)
_TITLED = re.compile(
    r"[老小阿大].|.(?:[姐哥弟妹姨叔爷婶嫂总董工老家某氏博导局处伯婆奶爸妈]|老师|医生|大夫|主任|女士|先生|小姐|总监|经理|教授|护士|警官|律师|[校院班科队]长|师傅|阿姨|叔叔|同学|书记|博士|[爷奶大]\\w)"
)
_OUTRIGHT = tuple("叫名是为：:— ")
_MEASURES = "段位项席张支班盘区"
_COUNTED = tuple("这那一二两三几每整某前后下上首末本此0123456789")
_KIN = "妹姐弟宝娃"
_SELDOM_LAST = "家同和时有中来用好曾多天前后上在了的人们"
_OWN_MEANING = ("v", "p", "d", "c", "r", "f", "uj", "ul", "y", "a", "m", "q", "zg")
_PART: Final = "|".join(sorted(word_list("names.txt", "minority parts"), key=len, reverse=True))
_SYLLABLE: Final = "".join(word_list("names.txt", "minority characters"))
_DOTTED: Final = re.compile(rf"[{_SYLLABLE}]{{2,6}}[·•・][{_SYLLABLE}]{{2,6}}(?![·•・])")
_UNDOTTED: Final = re.compile(rf"(?:{_PART})(?:{_PART}){{0,2}}[{_SYLLABLE}措珠雅木]{{0,2}}")
_DOT: Final = re.compile("[·•・]")
# Points that make a name.
_SURE = 3.5
# Points that make a name of a character that the list of surnames lacks: its owner or a relation has to say so.
_SURE_IF_RARE = 5.5
# Points that what stands beside a name has at least.
_POSSIBLE = 0.5
# Points of context that a minority's name without a dot needs: a relation before it, or a person's word after it and a
# clause.
_SURE_UNDOTTED: Final = 3.5
# Points that rule a name out.
_NONE = -100.0


class _Candidate(NamedTuple):
    points: float
    start: int
    end: int


class PersonalName(Recogniser):
    """Surname and given name, where something beside them says that a private person is named."""

    types, label = ("姓名",), "surname and context"

    def may_match(self, text: str) -> bool:
        """Whether two Chinese characters stand side by side: rare surnames leave no narrower condition."""
        return _HINT.search(text) is not None

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every name found, and every other place where the same name stands, unless it is a word as well."""
        spans = {*_named(text), *minority_names(text)}
        again = sorted({text[start:end] for start, end in spans if not is_word(text[start:end])}, key=len, reverse=True)
        if again:
            spans.update(match.span() for match in re.finditer("|".join(map(re.escape, again)), text))
        shut, kept = closed(text), list[tuple[int, int]]()
        for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
            if open_to(shut, start, end) and open_to(kept, start, end):
                kept.append((start, end))
        return [RecognizerResult("姓名", start, end, 0.5) for start, end in sorted(kept)]


def _named(text: str) -> list[tuple[int, int]]:
    """The likeliest of the candidates that overlap, if it is likely enough."""
    likely = sorted(_candidates(text), key=lambda found: (-found.points, found.start, found.start - found.end))
    taken: list[tuple[int, int]] = []
    for found in likely:
        if open_to(taken, found.start, found.end):
            taken.append((found.start, found.end))
    return taken


def _candidates(text: str) -> Iterator[_Candidate]:
    """Wherever a name may begin, the surname with the one or two characters that may be the given name.

    The clause around it is cut into words only if what stands beside it leaves a name possible.
    """
    left = right = 0
    cut: Words | None = None
    for start in name_starts(text):
        surname = 2 if text[start : start + 2] in COMPOUND else 1
        rare = surname == 1 and text[start] not in SURNAMES
        before, outright = before_points(text, start)
        if rare and before < ROLE:
            continue
        if start >= right:
            cut = None
        may_begin = False
        for given in (2, 1):
            end = start + surname + given
            part = text[start + surname : end]
            if len(part) < given or not part.isalpha() or part <= "\u4e00":
                continue
            context = before + after_points(text, end)
            if context < _POSSIBLE:
                continue
            if cut is None:
                left, right = clause(text, start)
                cut = segmented(text[left:right])
            if not may_begin:
                may_begin = (
                    surname == 2
                    or outright
                    or _TELLING.issuperset(text[end - 1 : end])
                    or _may_begin(text, cut, start, left)
                )
                if not may_begin:
                    break
            points = context + _points(text, cut, start, end, surname, left, before, outright)
            if points >= (_SURE_IF_RARE if rare else _SURE):
                yield _Candidate(points, start, end)


def _may_begin(text: str, cut: Words, start: int, left: int) -> bool:
    """Whether a name may begin at ``start``: with a word, inside of what is none, or after a cue."""
    i = cut.at(start - left)
    word, tag = cut.words[i], cut.tags[i]
    inside = start - left - cut.starts[i]
    if inside == 0:
        if word[0] not in _FIRST:
            may = tag == "nr"
        elif len(word) == 1:
            ordinary = word not in GRAMMAR and not GIVEN.isdisjoint(text[start + 1 : start + 3])
            may = ordinary or text[start - 1 : start] in _OUTRIGHT
        else:
            may = word in COMPOUND or tag in _PLACE_LIKE or not is_word(word) or tag == "nr" or tag[0] in "na"
    else:
        may = inside == 1 and len(word) < 5 and not is_word(word)
    return may or (text[start] in _FIRST and _CUED.search(text[max(0, start - 3) : start]) is not None)


def _part_of_given(cut: Words, i: int) -> bool:
    """Whether a word is a lone character that rather ends a given name than means something of its own."""
    return len(cut.words[i]) == 1 and cut.words[i] in GIVEN and cut.tags[i] not in _OWN_MEANING


def _points(
    text: str, cut: Words, start: int, end: int, surname: int, left: int, before: float, outright: bool
) -> float:
    """How much the characters at ``start:end`` are like a name, whose surname has ``surname`` of them.

    ``cut`` is the clause that begins at ``left``; ``before`` and ``outright`` are what ``before_points`` said.
    """
    name, part = text[start:end], text[start + surname : end]
    first, last = cut.at(start - left), cut.at(end - 1 - left)
    begins, ends = cut.starts[first] == start - left, cut.starts[last + 1] == end - left
    whole = begins and ends
    tag = cut.tags[first] if first == last and whole else ""
    person = tag[:2] == "nr"
    if begins and first == last and not whole and cut.tags[first] == "nr":
        # 佘莉当: the segmenter guessed a person and took a word of grammar along.
        person = NEVER_GIVEN.issuperset(text[end : left + cut.starts[last + 1]]) and not is_word(cut.words[first])
    strange = sum(char not in GIVEN for char in part)
    if strange > (0 if len(part) == 1 else 1) and not person and text[start - 1 : start] not in _OUTRIGHT:
        return _NONE
    odd = len(NEVER_GIVEN.intersection(part))
    if odd and not whole:
        return _NONE
    if (name in _NOT_NAMES and not (outright and END.match(text, end))) or _TITLED.fullmatch(name):
        return _NONE
    if text[start] in _MEASURES and text.startswith(_COUNTED, start - 1):
        return _NONE
    if name in _PUBLIC and before < ROLE:
        return _NONE
    points = sum(0.75 for char in part if char in _TELLING)
    points += 1.5 if len(part) == 2 and part[0] == part[1] and part[0] not in _KIN and not strange else 0.0
    points += 0.5 * len(part) - 2.0 * strange - odd * (0.0 if person else 1.0)
    if surname == 2:
        points += 3.0
    elif text[start] in GRAMMAR:
        points -= 0.0 if outright or person or tag in _PLACE_LIKE else 3.0
    elif text[start] in _WORD_LIKE:
        points -= 0.0 if person or (len(part) == 2 and not _TELLING.isdisjoint(part)) else 1.0
    elif text[start] in COMMON:
        points += 1.0
    if is_word(name):
        points -= (
            0.5
            if person
            else 0.0
            if outright
            else 1.0
            if tag in _PLACE_LIKE or before >= OWN
            else 2.0
            if before >= ROLE and whole
            else 4.0
        )
    elif person:
        points += 2.5
    elif whole:
        points += 1.0
    if len(part) == 1 and text[start] in _WORD_LIKE and before < ROLE and not person:
        points -= 1.5
    if name[-1] in _SELDOM_LAST and not person:
        points -= 1.5
    if surname == 1 and not whole and len(cut.words[first]) > 1 and begins and is_word(cut.words[first]):
        points -= 1.0 if before >= ROLE and GIVEN.issuperset(part) else 3.0
    if end - start - surname == 1 and whole and cut.words[last + 1 : last + 2] and _part_of_given(cut, last + 1):
        points -= 2.0
    if not begins and is_word(cut.words[first]):
        points -= 2.0
    if not ends:
        points -= 0.5 if not is_word(cut.words[last]) else 2.0
    fits = before >= ROLE and len(part) == 2 and not strange and not odd and text[start] not in _UNSURE
    if fits and (not is_word(text[start : start + 2]) or not _TELLING.isdisjoint(part)):
        # 我弟弟潘子恒: after a relation a surname and two fitting characters do, however they were cut into words.
        points = max(points, 0.75)
    return points


def minority_names(text: str) -> Iterator[tuple[int, int]]:
    """Where Uyghur, Kazakh, Tibetan, Mongolian and Yi names as they are written in Chinese stand, by their parts.

    It leaves out foreign names (欧文·亚隆): whom counselling posts quote is an author, as a rule.
    """
    if _DOT.search(text):
        yield from (match.span() for match in _DOTTED.finditer(text))
    for match in _UNDOTTED.finditer(text):
        start, end = match.span()
        if end - start > 2 and before_points(text, start)[0] + after_points(text, end) >= _SURE_UNDOTTED:
            yield start, end
