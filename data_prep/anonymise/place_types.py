"""Whether a place is a school, an employer or an address, by how it ends and by the words around; and where it ends.

The tagger knows that something stands there more often than what.
"""

import re
from typing import Final

from data_prep.anonymise.boundaries import LISTS, Place
from data_prep.anonymise.segments import alternatives
from data_prep.anonymise.tagger.known import FIRM, known_kinds
from data_prep.anonymise.tagger.labels import Found

# An employer that is a school: 启航培训学校.
_IS_SCHOOL: Final = re.compile("(?:学校|大学|学院|[中小]学|幼儿园|职高|技校|中专|书院|[一二三四五六七八九十][中幼])$")
# A place or a school that is an employer: 玉皇庙镇政府, 汉滨交警大队.
_IS_EMPLOYER: Final = re.compile(
    "(?:政府|派出所|公安局|法院|检察院|居委会|村委会|医院|卫生院|卫生所|诊所|银行|信用社|公司|集团|酒店|饭店|超市|"
    "[大支中总]队|供电所|税务局|事业部|车间|支行|分行|物业|律所|事务所)$"
)
# A school or an employer that is a place: 古丈县默戎镇, 科兴科学园, 兴山区.
_IS_PLACE: Final = re.compile(
    "(?:[镇乡县路街巷]|大院|[^小社校厂院园景库]区|大道|街道|小区|花园|新村|家园|工业园|科学园|产业园|科技园)$"
)
# An estate by the name of who built it: 恒大绿洲, not 恒大物业.
_ESTATE: Final = re.compile(
    rf"(?:{alternatives(LISTS, 'developers')})"
    r"(?!.*(?:物业|地产|置业|集团|公司|酒店|影城|项目|售楼[处部])$)[\u4e00-\u9fff]{2,4}"
)
# Who works there, and who learns there: 在蜀香园打工, 在石室天府读高二. In a town one does both.
_WORKS: Final = re.compile("(?:打工|上班|工作|实习|任职|就职|值班|加班)")
_LEARNS: Final = re.compile(
    "(?:读|念|上)(?:[高初][一二三中]|大[一二三四学]|小学|中专|[研博书学]|[一二三四五]年级)|"
    "的?(?:高中生|大学生|学[长姐弟妹]|班主任)|[大高初研][一二三四]"
)
# What an employer's name goes on with: 省精卫|中心.
_GOES_ON: Final = re.compile(
    "(?:中心|中转场|(?<=中)转场|事业部|分?公司|集团|门店|专卖店|婚介|律所|事务所|旅行社|驾校|影楼|医院|超市|酒店)"
)
# A room's number behind an address: 3栋2单元|501.
_ROOM: Final = re.compile("(?<=[栋幢座楼弄号元])[0-9]{2,5}(?![0-9多几床])[室房号]?")


def typed_place(text: str, place: Place, type: str) -> Found:
    """A find that is a place, with its type and its end.

    Args:
        text: the sentence.
        place: of the find.
        type: that the tagger gives it, 学校, 单位 or 地址.
    """
    start, end = place
    if type == "单位" and (more := _GOES_ON.match(text, end)):
        end = more.end()
    type = _type(text[start:end], text[end:], type)
    if type == "地址" and (room := _ROOM.match(text, end)):
        end = room.end()
    return start, end, type


def _type(value: str, after: str, type: str) -> str:
    if type == "单位" and _IS_SCHOOL.search(value):
        return "学校"
    if type != "单位" and _IS_EMPLOYER.search(value):
        return "单位"
    if type != "地址" and (_IS_PLACE.search(value) or _ESTATE.fullmatch(value)):
        return "地址"
    town = _IS_PLACE.search(value) is not None or bool((known_kinds(value) % FIRM).all())
    if type == "地址" and not town and len(value) > 2 and _WORKS.match(after):
        return "单位"
    if type != "学校" and not town and not _IS_EMPLOYER.search(value) and _LEARNS.match(after):
        return "学校"
    return type
