"""Recogniser of user names and ids on platforms and in games: 抖音号, 小红书, 微博, B站, 快手, games.

A Latin word or a number counts after the platform's 号, ID or 账号; with a digit or "_" in it also after the platform
and 搜, 关注, 是 or a colon. Names of Chinese words are in `screen_names`. The platform's name stays. Public accounts
(公众号) are public; QQ and WeChat have types of their own.
"""

from typing import Final

from data_prep.anonymise.patterned import LETTERS, Patterned
from data_prep.anonymise.platforms import ANY, GAMES, SITES

_OF: Final = r"(?:上|里|中|内|那边|平台)?(?:我|他|她|ta|本人|对方)?的?"
_KIND: Final = (
    r"(?:(?:用户|个人|数字|玩家|角色)?(?:[账帐][号户](?:名|id)?|(?<![a-z])id|(?<![a-z])uid)号?码?|[大小]?号码?|用户名|昵称|网名|"
    r"好友(?:码|代码|号)|主页)"
)
# These accounts have types of their own.
_OTHER_TYPE: Final = r"(?:微信|wechat|weixin|vx|wx|v信|qq|扣扣|企鹅)\s?的?"
_CUE: Final = (
    rf"(?:(?:{SITES}|{GAMES}){_OF}{_KIND}|用户名|网名|(?<!公众|银行)(?<!{_OTHER_TYPE})[账帐]号|"
    rf"(?<![a-z])(?<!{_OTHER_TYPE})u?id)"
)
_QUOTE: Final = '[“"‘「『【《(（]'
_LINK: Final = rf"(?:就?是|叫做?|为|[:：=→👉]|改成了?)?[:：\s]{{0,2}}{_QUOTE}?@?"
_LINKED: Final = rf"(?:就?是|叫做?|为|[:：=→👉])[:：\s]{{0,2}}{_QUOTE}?@?"
_NO_WORD: Final = r"(?!(?:app|apps|vip|password|null|none|user|admin|name|wechat|weixin|[0-9]+v[0-9]+)(?![a-z0-9_]))"
_END: Final = r"(?![a-z0-9_@])(?![.-][a-z0-9])"
_NO_COUNT: Final = r"(?!\s?[元块万亿千百个人名粉条次遍年月日号天岁级+％%])"
# With a digit or "_" among its letters it is no word.
_MIXED: Final = rf"(?=[a-z0-9.-]*(?:[0-9_]))(?=[0-9_.-]*[a-z]){_NO_WORD}[a-z0-9_][a-z0-9_.-]{{3,28}}[a-z0-9_]"
_LATIN: Final = rf"(?=[0-9_.-]*[a-z]){_NO_WORD}[a-z_][a-z0-9_.-]{{2,28}}[a-z0-9_]"
_DIGITS: Final = r"(?:[0-9]{5,14}|[0-9]{2,5}(?:[ -][0-9]{2,5}){1,4})"


def user_name() -> Patterned:
    """User names and ids beside the name of their platform or game, or called one."""
    return Patterned(
        "账号",
        "user name",
        rf"[{LETTERS}0-9_.-](?:[{LETTERS}0-9_.-]{{3}}|[0-9][ -][0-9]{{2}})",
        rf"{_CUE}{_LINK}\K(?<![a-z0-9]){_MIXED}{_END}{_NO_COUNT}",
        rf"{_CUE}{_LINKED}\K(?<![a-z0-9])(?:{_LATIN}{_END}|{_DIGITS}{_END}{_NO_COUNT})",
        rf"(?<![a-z])uid\s?\K(?<![0-9])[0-9]{{6,12}}{_END}{_NO_COUNT}",
        rf"(?:{SITES}|{GAMES}){_OF}{_KIND}\s?\K(?<![0-9]){_DIGITS}{_END}{_NO_COUNT}",
        rf"(?:{SITES}|{GAMES})(?:[上里]?(?:我|他|她)?的?)?(?:就?是|叫)[:：\s“\"]{{0,2}}@?\K(?<![a-z0-9]){_MIXED}{_END}{_NO_COUNT}",
        rf"(?:{SITES}|{GAMES})(?:[:：]|[^，。！？!?0-9a-z\n]{{0,3}}(?:搜索?|关注|找|加|@|艾特)(?:我|他|她|一下)?)[:：\s“\"]{{0,2}}@?"
        rf"\K(?<![a-z0-9]){_MIXED}{_END}{_NO_COUNT}",
        rf"(?<![a-z0-9_.@/-])(?:{_MIXED}|{_DIGITS}){_END}(?=[，,\s”\"]{{0,2}}(?:就?是|这是|为)(?:我|他|她|ta|本人)?的?"
        rf"(?:{SITES}|{GAMES}){_OF}{_KIND})",
        beside=rf"用户名|网名|[账帐]号|(?<![a-z])u?id(?![a-z])|[是为][^，。！？\n]{{0,4}}?{ANY}|"
        rf"{ANY}[^，。！？\n]{{0,12}}?(?:[号码名称@:：是叫搜找加]|主页|关注|艾特|账户|id)",
        score=0.95,
    )
