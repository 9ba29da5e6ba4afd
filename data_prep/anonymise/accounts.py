"""QQ numbers and WeChat ids, which only the words beside them tell from other numbers and words.

Every number of 5 to 11 digits and every Latin word of 6 to 20 characters is a candidate; it counts if a cue stands
close enough, before it or after it in the same sentence. A word with digits, "_" or "-" in it is very likely an id
and may stand further from its cue than one of letters only. A mobile number is an account only where the text gives
it as one (加微信13874620591) and calls it no phone.
"""

import re
from typing import Final

from data_prep.anonymise.patterned import LETTERS, mobile
from data_prep.anonymise.presidio import NlpArtifacts, Recogniser, RecognizerResult

_NUMERALS: Final = "零〇一二三四五六七八九幺"
_NUMBER: Final = re.compile(
    r"(?<![0-9@])(?<![0-9][.:-])"
    rf"(?:[1-9][0-9]{{0,4}}(?:[ -][0-9]{{1,5}}){{1,10}}|[1-9][0-9]{{4,10}}|[{_NUMERALS}]{{7,11}}(?![{_NUMERALS}]))"
    rf"(?![0-9@])(?![.:-][0-9])"
)
_WORD: Final = re.compile(
    r"(?<![a-z0-9_.@/-])(?:[a-z_]|[0-9]+[a-z_])[a-z0-9_-]{4,25}(?![a-z0-9_@-]|\.[a-z0-9])", re.IGNORECASE
)
_TRIGGER: Final = re.compile(
    rf"[{LETTERS}0-9_{_NUMERALS}](?:(?<=[1-9])(?:[0-9]{{4}}|[0-9]{{0,4}}[ -][0-9])|"
    rf"(?<=[{LETTERS}0-9_])[{LETTERS}0-9_-]{{5}}|(?<=[{_NUMERALS}])[{_NUMERALS}]{{6}})"
)
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_DATE: Final = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_ROUND: Final = re.compile(r"[0-9]{2,3}000")

_SENTENCE_END: Final = re.compile(r"[。！？!?；;]")
_LOOK_BACK: Final = 40
_LOOK_AHEAD: Final = 14

_QQ: Final = (
    r"(?<![a-z])q[ .]?q(?![a-z])\.?|扣扣|抠抠|秋秋|球球|叩叩|蔻蔻|寇寇|口口(?!声)|企鹅|🐧|扩列|盗.{0,4}号|"
    r"号.{0,2}被盗|把扣|(?<![a-z0-9阿])q(?![a-z0-9弹版萌])"
)
_QQ_BESIDE: Final = rf"{_QQ}|[扣抠叩秋鹅]|(?<=[加我])球|[丘求裘]{{2}}|(?<![a-z0-9阿])q(?=[0-9])|群"
_WECHAT: Final = (
    r"(?:[微薇威维徽卫围喂唯惟嶶溦徾]|(?<![a-z])(?:v|w|wei))[ .]?[信芯星心❤♥]️?|"
    r"绿泡泡|绿色(?:软件|聊天|图标)|绿信|小绿|💚|微号|微 ?x|wechat|weixin|(?<![a-z])[vw]-?x(?![a-z])|朋友圈"
)
# A v is a cue before a separator (v我 is one) or after 加, and nowhere else: 大V, DSM-V, 1v1, V领 are other things.
_V: Final = r"(?<![a-z0-9大·-])(?:(?<=[加➕+])v+(?![a-z])|v+(?=[号:：，,、→\s➕+是我还就]))"
_WECHAT_BESIDE: Final = rf"{_WECHAT}|[薇微威卫徽维]|{_V}"
# What may stand between a weak cue, or a word of letters only, and its cue.
_LINK: Final = (
    r"(?:[号號码碼聊还是为在就的我搜加同这个小大新呀啊哦吧呢:：\s➕+→】【“”\"'‘’(（，,、~～=❤♥️-]|id|联系方式|[账帐]号)"
    r"{0,6}"
)
_CONTACT: Final = r"(?:加|搜|私聊?|敲|联系|找)(?:我|一下|下|这个|她|他|吧)?[:：\s，,]{0,2}"
_OWNER: Final = r"[，,、←（(\s]*(?:就?是|这是|为|这个|那个)?(?:我|他|她|它|本人|对方)?的?"

_QQ_CUE: Final = re.compile(_QQ, re.IGNORECASE)
_QQ_LINKED: Final = re.compile(rf"(?:{_QQ_BESIDE}){_LINK}$", re.IGNORECASE)
# 我的号876540192: no phone number is so short, and no other number is called just 号.
# Nor are so many digits anything else after 加我 or 私聊群主.
_QQ_OWN: Final = re.compile(
    r"(?:[我他她你]的?|[这那]个?|[小大新旧老])号(?:来|去|在|就|才|又|码)?[是为叫:：，,（(\s]{0,3}$|"
    r"(?:[加➕+敲戳]|私[聊信]?|联系|添加|[找搜](?=[我他她管群])|好友)(?:一下|一个)?"
    r"(?:我|他|她|ta|本人|[^0-9a-z，,的]{0,4}(?:管理员?|群主|群管|助理|助手|客服|小号|好友|老师|朋友|姐|哥))?"
    r"(?:吧|好吗|吗|好不好|呀|啊|哦|下|就行|也行|聊)?[：:，,、（(\s]{0,3}$|"
    r"群(?:里|号|主|聊)?[^0-9a-z，,]{0,6}[：:，,（(\s]{1,2}$",
    re.IGNORECASE,
)
_OWN_AFTER: Final = re.compile(
    r"[”\"]?(?:的?群(?:号|里)?(?!人)|这个(?:[大小]?群|人|[大小]?号(?!码))|"
    r"(?:又|来|一直|天天|半夜)?(?:给我发|加我|加了我|申请加|私[信聊]我|骂我))"
)
_QQ_AFTER: Final = re.compile(rf"{_OWNER}(?:扣|抠|秋|q(?![a-z]))", re.IGNORECASE)
# Far from its cue an id needs one that is no place (微信上), and nothing between that is sent, eaten or shown.
_WECHAT_FAR: Final = re.compile(
    rf"(?:{_WECHAT})(?![上里])(?!.*(?:发来|发了|传来|打到|打出|吃|存着|显示|登录|收到|提示|定位|(?<![常在])用的是))",
    re.IGNORECASE,
)
_WECHAT_LINKED: Final = re.compile(rf"(?:{_WECHAT_BESIDE}){_LINK}$", re.IGNORECASE)
_WECHAT_AFTER: Final = re.compile(
    rf"{_OWNER}(?:{_WECHAT})(?![上里群公])|"
    r"[，,\s]*(?:(?:←|(?:就?是|这是|为)(?:我|他|她|本人)?的?|(?:我|他|她|本人)的)v+(?![a-z0-9])|"
    r"[（(]v+[）)]|v我(?![0-9]))",
    re.IGNORECASE,
)
# A mobile number that follows is the account's own, not a phone that is good for both.
_PHONE: Final = r"电话|手机|号码|座机|短信|tel|phone|打给|拨打"
_SAME_AS_PHONE: Final = (
    r"(?:(?:就是|就|也是|是|搜|用|同|[:：])\s?(?:我|他|她|本人)?的?(?:手机号?码?|电话号?码?)"
    r"(?:就行|就好|就可以)?[是:：，,\s]{0,2})?$"
)
_MOBILE_LINK: Final = (
    rf"{_LINK}(?:你们?|大家|本人|吧|可以|直接|请|同步|现在|目前|常用|的|联系|找|加|聊){{0,2}}我?"
    rf"[号是为:：，,（(\s]{{0,2}}{_SAME_AS_PHONE}"
)
_MOBILE_CUES: Final = (
    ("微信", re.compile(rf"(?:{_WECHAT_BESIDE}){_MOBILE_LINK}", re.IGNORECASE)),
    ("QQ", re.compile(rf"(?:{_QQ}|扣){_MOBILE_LINK}", re.IGNORECASE)),
)
_MOBILE_AFTER: Final = re.compile(
    rf"[，,（(\s]{{0,2}}(?:这?(?:就?是)(?:我|他|她|本人)?的?)(?:{_WECHAT})(?!.{{0,3}}(?:同|也|一样|通用|电话|手机))",
    re.IGNORECASE,
)
# 电话/微信, 手机（微信同号）, 电话微信都是
_FOR_BOTH: Final = re.compile(
    rf"(?:{_PHONE})号?码?[^0-9，,。]{{0,2}}$|(?:{_PHONE})[、/，,和与及跟（(兼&+]{{0,2}}$|(?:{_PHONE})[^0-9a-z。]{{0,8}}[同都]",
    re.IGNORECASE,
)
_CALLED_PHONE: Final = re.compile(
    rf"[^0-9。别不勿没或]{{0,6}}(?:{_PHONE}|同号|也能打|打)(?![^。]{{0,4}}[别不勿没停])", re.IGNORECASE
)
_CONTACT_BEFORE: Final = re.compile(rf"(?:{_CONTACT}|(?<![0-9a-z])[➕+]\s?(?:我|v)?[:：]?)$", re.IGNORECASE)
_CONTACT_AFTER: Final = re.compile(r"[^a-z0-9]{0,2}(?:来|去|，)?加(?:我|她|他|你|一下|吧|就)")
_ACCOUNT_BEFORE: Final = re.compile(r"[小大新]号[^a-z0-9，,]{0,4}$")
# No syllable begins with i or u: in vxiaolin the cue is v alone.
_GLUED: Final = re.compile(
    r"(?:(?-i:[vw]-?x|[VW]-?X)-?(?![iu])|wechat|weixin|v(?=[a-z_]))(?!id_)(?=[a-z_][a-z0-9_-]{5})", re.IGNORECASE
)

_QUANTITY: Final = re.compile(
    r"\s?[多余来]?(?:[元块万亿千百人名位粉步字词句天级年月日号分秒岁个只次条遍张米斤件本页集层楼]|公里|毫|平|%|％|rmb|度)",
    re.IGNORECASE,
)
_MONEY: Final = re.compile(r"\s?(?:[元块万]|rmb|人民币)", re.IGNORECASE)
_OTHER_NUMBER: Final = re.compile(
    r"(?:单号|订单|编号|学号|工号|考证号?|考号|考生号|座位|病历|住院号|门诊号|挂号|病案号|档案号?|验证码|提取码|密码|取件码|流水|卡号|房号|"
    r"航班|车次|股票|代码|邮编|序列号|会员|金额|工资|存款|余额|欠|还款|转账?|转了|充值?了?|花了?|赔|门牌|版本?|批号|批准文号|"
    r"执照|证书|单词|粉丝|播放|点赞|积分|步数|价格?|收入|月薪|年薪|贷款?|尾号|分数|[量数额率]|期|第|约|近|共|仅|超过|到手|uid)[号码]?[是为有了:：\s]{0,2}$",
    re.IGNORECASE,
)
# What a word is instead, by what stands right before it: an account elsewhere, a secret, something to type.
_OTHER_WORD: Final = re.compile(
    r"(?:公众[号平]台?|状态|签名|写着|文件|课|论坛|用户名|小程序|视频号|抖音|微博|小红书|b站|快手|知乎|豆瓣|淘宝|支付宝|steam|游戏|网名|群名|昵称|名字|备注|暗号|验证|口令|回复|输入|关键词|"
    r"密码|取码|请码|换码|证码)[a-z]{0,2}[号名写填着是为叫做成了搜:： “\"‘]{0,4}$",
    re.IGNORECASE,
)
# Names of scales, illnesses, devices and services: words that stand beside 微信 and are no ids.
_TERM: Final = re.compile(
    r"(?:phq|gad|scl|sds|sas|bdi|bai|ham[ad]|[ie][ns][tf][jp]-?[at]?|mmpi|madrs|isi|psqi|epds|ptsd|adhd|covid|iphone|ipad|ios|macbook|mate|redmi|"
    r"huawei|xiaomi|windows|win|android|office|chatgpt|gpt|rtx|vip|app)[-_]?[0-9.]*(?:pro|max|plus|mini)?",
    re.IGNORECASE,
)
# An id rather than a word with a hyphen (T-shirt): "_", two digits, or longer than such words are.
_ID_LIKE: Final = re.compile(r"[a-z_](?:.*_.*|.*[0-9].*[0-9].*|(?=.*[0-9-]).{9,})", re.IGNORECASE)
_NAMES_A_THING: Final = re.compile(
    r"[”\"’]?的?(?:微信|qq)?(?:群|文件|文档|表格|视频|图片|照片|截图|音频|网站|小程序|公众号|软件|app|游戏|直播|歌|剧|书|店|酒店|药)",
    re.IGNORECASE,
)
_GIVEN_ID: Final = re.compile(r"wxid_[a-z0-9]{8}", re.IGNORECASE)
_ACRONYM: Final = re.compile(r"[A-Z]{1,5}[-_]?[0-9]{1,4}")
_QQ_WORD: Final = re.compile(r"qq?[0-9]+", re.IGNORECASE)
_WORDS: Final = re.compile(
    "wechat|weixin|facebook|instagram|twitter|whatsapp|telegram|google|deepseek|tiktok|douyin|bilibili|youtube|netflix|"
    "spotify|excel|powerpoint|python|github|taobao|alipay|iphone|android|please|friend|school|sister|brother|mother|"
    "father|depression|anxiety|emoji|thanks|sorry|online|offline",
    re.IGNORECASE,
)


# The score of a mobile number as a phone is 1.
_SURER: Final = 1.1
_MOBILES: Final = mobile()


class Account(Recogniser):
    """QQ numbers and WeChat ids by what is said beside them."""

    types, label = ("QQ", "微信"), "account by its cue"

    def may_match(self, text: str) -> bool:
        """See `Recogniser`: without a candidate there is no account."""
        return _TRIGGER.search(text) is not None or _MOBILES.may_match(text)

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every candidate whose cue says what it is; below the score of what has a pattern of its own."""
        results = []
        if _MOBILES.may_match(text):
            for found in _MOBILES.analyze(text, ["电话"]):
                if kind := _kind_of_mobile(_before(text, found.start), _after(text, found.end)):
                    results.append(RecognizerResult(kind, found.start, found.end, _SURER))
        for match in _NUMBER.finditer(text):
            if kind := _kind_of_number(match[0], _before(text, match.start()), _after(text, match.end())):
                results.append(RecognizerResult(kind, match.start(), match.end(), 0.9))
        for match in _WORD.finditer(text):
            before = _before(text, match.start())
            start = match.start() + _glued_cue(match[0], before)
            word = text[start : match.end()]
            if 6 <= len(word) <= 20 and _is_wechat(
                word, text[match.start() : start], before, _after(text, match.end())
            ):
                results.append(RecognizerResult("微信", start, match.end(), 0.9))
        return results


def _before(text: str, position: int) -> str:
    """The sentence up to the position, not further back than a cue may stand."""
    *others, last = _SENTENCE_END.split(text[max(0, position - _LOOK_BACK) : position])
    # 可以QQ找我吗？我的是2507183946 is one sentence for us.
    joined = others and len(last.strip()) <= 4 and text[position - len(last) - 1] in "？?！!"
    return f"{others[-1]}，{last.strip()}" if joined else last


def _after(text: str, position: int) -> str:
    return _SENTENCE_END.split(text[position : position + _LOOK_AHEAD])[0]


def _kind_of_mobile(before: str, after: str) -> str | None:
    """Which account's name a mobile number is; None for a phone, also for one that is both."""
    if _CALLED_PHONE.match(after):
        return None
    for kind, pattern in _MOBILE_CUES:
        if (match := _last(pattern, before)) is not None:
            return None if _FOR_BOTH.search(before[: match.start()]) or "都" in match[0] else kind
    if _MOBILE_AFTER.match(after) and not re.search(_PHONE, before):
        return "微信"
    return None


def _kind_of_number(number: str, before: str, after: str) -> str | None:
    digits = re.sub("[ -]", "", number)
    if (
        _MOBILE.fullmatch(digits)
        or len(digits) > 11
        or _ROUND.fullmatch(digits)
        or _MONEY.match(after)
        or _OTHER_NUMBER.search(before)
    ):
        return None
    linked = {
        kind: match.start()
        for kind, pattern in (("QQ", _QQ_LINKED), ("微信", _WECHAT_LINKED))
        if (match := _last(pattern, before)) is not None
    }
    quantity = _QUANTITY.match(after) is not None
    if linked:
        kind = max(linked, key=lambda kind: linked[kind])
        # 扣271609384本人在: so long a number is no count, whatever follows.
        enough = 7 if quantity else 5 if kind == "QQ" else 6
        return kind if len(digits) >= enough else None
    if quantity or number != digits or not number.isascii() or len(digits) < 7 or _DATE.fullmatch(digits):
        return None
    if _QQ_CUE.search(before) or _QQ_CUE.search(after) or _QQ_AFTER.match(after):
        return "QQ"
    if 8 <= len(digits) <= 10 and (_QQ_OWN.search(before) or _OWN_AFTER.match(after)):
        return "QQ"
    return None


def _is_wechat(word: str, glued: str, before: str, after: str) -> bool:
    if _OTHER_WORD.search(before) or _TERM.fullmatch(word) or _QQ_WORD.fullmatch(word) or _WORDS.fullmatch(word):
        return False
    if glued or _GIVEN_ID.match(word) or _WECHAT_LINKED.search(before) or _WECHAT_AFTER.match(after):
        return True
    if not _ID_LIKE.fullmatch(word) or _ACRONYM.fullmatch(word) or _NAMES_A_THING.match(after):
        return False
    return any(
        (
            _WECHAT_FAR.search(before),
            _ACCOUNT_BEFORE.search(before),
            _WECHAT_FAR.search(after),
            _CONTACT_BEFORE.search(before),
            _CONTACT_AFTER.match(after),
        )
    )


def _glued_cue(word: str, before: str) -> int:
    """How many characters of a word are its cue: wxhxl20030405, 加vbaobao_99."""
    match = _GLUED.match(word)
    if match is None or _WECHAT_LINKED.search(before):
        return 0
    single = len(match[0]) == 1
    return match.end() if not single or re.search(r"(?:[加➕+]|留个|我的?)$", before) else 0


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The match that ends the text and begins last: the nearest cue."""
    best = None
    for start in range(len(text)):
        if (match := pattern.match(text, start)) is not None:
            best = match
    return best
