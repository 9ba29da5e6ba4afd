"""Surnames before a title: 李 of 李老师, which the tagger misses where the sentence says little else."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from data_prep.anonymise.boundaries import crossing
from data_prep.anonymise.tagger.network import Find

# Surnames that stand before a title as nothing else; 任 of 信任老师 and 谢 of 谢谢老师 belong to a word.
_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蔡蒋余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范石廖"
    "贾夏方邹熊孟秦江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严赖武戴孔汤荣樊殷施洪翟颜倪温芦季俞章鲁葛伍韦申尤毕聂焦柳邢岳齐梅庄辛祝涂"
    "祁舒耿牟詹苗凌费纪靳盛童甄项裴席屈鲍覃霍翁隋柏柯阮桂闵柴冉闫佟蒲宫褚窦"
)
_TITLED: Final = re.compile(f"[{_SURNAMES}](?=老师|教师|医生|大夫|主任|教授|校长|院长|经理|律师|师傅|女士|阿姨)")
# More than any least lead.
_LEAD: Final = 100.0


def with_titled(text: str, finds: Sequence[Find]) -> Iterator[Find]:
    """The tagger's finds in a sentence, and the surnames before a title where it found nothing."""
    yield from finds
    for match in _TITLED.finditer(text):
        start, end = match.span()
        if all(end <= find.start or find.end <= start for find in finds) and not crossing(text, (start, start)):
            yield Find(start, end, "姓名", _LEAD)
