"""Employers by a name that everybody knows, where a sentence says that somebody works there: 在立讯上班, 从海底捞辞职.

Such names are also products and shops that people speak of. So the tagger, which learnt from texts in which they stay,
leaves them, and a name alone is no find here either.
"""

import re
from functools import cache
from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

from data_prep.anonymise.boundaries import Place, crossing
from data_prep.anonymise.presidio import NlpArtifacts, Recogniser, RecognizerResult
from data_prep.anonymise.segments import word_list
from data_prep.anonymise.sentences import common_words

_TOWN: Final = r"[\u4e00-\u9fff]{0,3}"
# What stands before an employer, and what is said of it within the clause.
_BEFORE: Final = re.compile(
    rf"(?:在|从|进了?|[来去到]了?|换到|跳槽到|考进|考上|分到|派到|调到|我们|咱们|是|被|给|找|联系){_TOWN}$"
)
_AFTER: Final = re.compile(
    r"[^，。！？,!?\n]{0,8}?(?:上[^，。]{0,4}班|工作|实习|做|当|打工|兼职|[辞离]职|任职|入职|面试|应聘|同事|老板|领导|主管|经理|员工|加班|夜班|"
    r"值班|柜台|柜姐|录用|录取|录了|转正|裁|出来|干了|干到|干不|干活|待了|待着|呆了|忙|开会|培训|供稿|群里|人事|保安|司机|总部|车间|流水线|工位|项目)"
)
# What says by itself that somebody works there.
_ALONE: Final = re.compile(
    rf"(?:[刚才]?进了?|入职|离开|应聘|面试|签了?|投了|跳槽去|跳槽到|毕业[^，。]{{0,4}}进入?|考进){_TOWN}$"
)
_NOT_A_JOB: Final = re.compile(r"[^，。]{0,4}?(?:买|吃饭|吃火锅|吃|逛|下单|充值|看病|住院)")
_LOOK: Final = 14
# As the tagger's, so that of two that overlap the longer stays: 一汽丰越, not 一汽.
_SCORE: Final = 0.5


class KnownEmployer(Recogniser):
    """Names of ``employers.txt`` in sentences about work."""

    types, label = ("单位",), "employer by its name and work"

    def may_match(self, text: str) -> bool:
        """See `Recogniser`."""
        return bool(_finder().find_matches_as_indexes(text))

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Each name beside which a sentence speaks of work, of names that overlap the longer."""
        results = []
        for _, start, end in _finder().find_matches_as_indexes(text):
            before, after = text[max(0, start - _LOOK) : start], text[end : end + 2 * _LOOK]
            # 美的 of 完美的, 中通 of 生活中通过.
            if _NOT_A_JOB.match(after) or crossing(text, Place(start, end)):
                continue
            if _ALONE.search(before) or (_BEFORE.search(before) and _AFTER.match(after)):
                results.append(RecognizerResult(self.types[0], start, end, _SCORE))
        return results


@cache
def _finder() -> AhoCorasick:
    names = set(word_list("employers.txt", "employers")) - common_words()
    return AhoCorasick(sorted(names), matchkind=MatchKind.LeftmostLongest)
