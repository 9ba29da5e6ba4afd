"""Recognisers of user names that are Chinese words, have spaces or emoji, or stand in quotation marks.

Where the words of a name are those of any text, the words around it decide: 网名, 昵称, 游戏ID, 小号, 他的号 and 叫, a
colon, a quotation mark or @; a platform and 叫; 搜…就能找到我; …是我的网名. A name ends with its clause or before what
somebody does with it. Words about an account (账号被盗了, 网名叫什么) stay, and so do accounts of newspapers and
offices, and a host (博主, 主播) who is not said to be called so.
"""

import re
from typing import Final

from data_prep.anonymise.patterned import Patterned
from data_prep.anonymise.platforms import ANY, GAMES, SITES

_QUOTE: Final = "[“\"‘'「『【〈]"
_UNQUOTE: Final = "[”\"’'」』】〉]"
_WHERE: Final = rf"(?:{SITES}|{GAMES}|微信|(?<![a-z])qq(?![a-z]))"
# In the same clause: 小红书上写烘焙的账号, B站有个小号.
_NEAR: Final = r"[^，。！？!?；;：:、\n“”\"「」]{0,8}?"
_TA: Final = r"(?:[我他她你]|(?<![a-z])ta|对方|那人|本人|自己)"
_KIND: Final = (
    r"(?:(?<!公众)(?<!银行)[账帐][号户](?:的?(?:名称?|名字|昵称|id))?|网名|昵称|暱稱|用户名|用戶名|马甲|圈名|艺名|笔名|号主|店铺名|"
    r"(?:游戏|角色|玩家|网络|用户|主页|直播间|聊天|论坛|社交)的?(?:名字?|名称)|(?<![a-z])u?id(?![a-z])(?:号|名)?|"
    rf"(?:[大小私新]|树洞|匿名|吐槽|日记|分身|马甲)号(?:的?名字?)?|{_TA}的?(?:这个|那个)?号(?:的?名字?)?|[这那]个?号(?:的?名字?)?)"
)
# Of who is public only the name that somebody is called by: 那个主播叫….
_HOST: Final = r"(?:(?<![a-z])up主?(?![a-z])|博主|主播)"
_ON_SITE: Final = (
    rf"{_WHERE}(?!.{{0,3}}(?:群|歌单|小组|超话|公众)){_NEAR}(?:名字?|名称|昵称|号|主页|频道|店铺?|用户|(?<![a-z])id)"
)
# Who is called so on a platform: 小红书上我叫, B站有个人叫; 网上有种说法叫 is nobody.
_PERSON: Final = rf"(?:{_TA}|[男女](?:的|生|人)|人|网友|用户|哥们|姑娘|{_HOST})"
_SOMEBODY: Final = (
    rf"(?:{_WHERE}(?:[上里中]|那边|平台)?(?:有?一?[个位]|那个)?{_PERSON}(?:就|还|也|都)?|"
    rf"(?:{SITES}|qq空间)(?:[上里]?(?:有?一?[个位]|那个))?|(?:{SITES}|{GAMES}|空间)[上里])(?<![大喊尖])"
)
_CALLED: Final = (
    r"(?:(?:的?名字|从前|以前|原来|现在|后来|一直|还|就|也|都|是|只|最早)?(?:叫做?|取名叫?|起名叫?|名叫|名为|叫作)|"
    r"(?:又|刚|悄悄|后来|已经)?(?:改|换)(?:名)?(?:成|为|叫)了?)"
)
_COLON: Final = r"\s?(?:[:：=→👉]|是[:：])\s?"

_NO_NAME: Final = (
    r"(?!什么|啥|随便|停|选填|必填|待定|未知|暂无|匿名(?![\u4e00-\u9fff])|空白|挂|[卖嚣板苦醒车骂座屈冤]|好[，。的]|外卖|一个|一样|一声|一下|了|着|得|过|起|出|来|不出|不了|"
    r"[我你您他她它咱谁哪怎没这那和跟同都真假叫,，的吗呢吧呀啊嘛]|人(?:家|[^\u4e00-\u9fff]|盗|骂|举|封|给|来|去)|"
    r"(?:爸|妈|爷|奶|哥哥|姐姐|弟弟|妹妹|老公|老婆|老师|同学|朋友|队友|客服|大家|别人|对方|有人|自己|孩子|儿子|女儿|全体|所有人|本人|真名|"
    r"本名))"
)
_STOP: Final = r"，。！？!?；;、：:…“”\"‘’「」『』【】《》〈〉（）()\[\]\ue000@"
_CHAR: Final = rf"[^{_STOP},\s]"
# Latin words, or short Chinese ones that end with the clause: Lily of the valley, 小鹿 乱撞.
_SPACE: Final = r"(?:(?<=[a-z0-9]) (?=[a-z0-9])|(?<=[^\x00-\x7f]) (?=[^\x00-\x7f]{1,5}[，。,]))"
_END: Final = (
    rf"(?=[{_STOP},\s]|$|"
    r"的(?:人|那?个?(?:男|女|网友|陌生)|那[个位]|网友|博主|号|[账帐]号|用户|家伙|朋友|陌生|[大小]号|up|主播|队友|玩家|粉丝|同学|视频|帖|评论|"
    r"动态|主页)|[这那]个(?:号|人|[账帐]号|id|名)|[里上](?:面|头)?[全都也只有写发存]|"
    r"(?:的?私[信聊]|加了|加[我他她]|骂[我他她]|骂了|关注了|拉黑|给[我他她]|对[我他她]|把[我他她]|跟[我他她]说|说[我他她]|发来|发给|发了|"
    r"天天|每天|一直|就是[我他她]|已?被[封盗举]|已?注销|粉丝(?:有|才|只|都|[0-9]))|(?:就|还)?[能可](?:以|能)?(?:找|搜|看)[到见])"
)
_NAME: Final = (
    rf"(?<![a-z0-9_.](?=[a-z0-9_.])){_NO_NAME}(?={_CHAR}{{0,9}}[^\x00-\x7f]){_CHAR}(?:{_CHAR}|{_SPACE}){{1,13}}?{_END}"
)
_WORDS: Final = r"(?<![a-z0-9_.])[a-z][a-z'’.]*(?: [a-z0-9][a-z'’.0-9]*){1,4}(?=[，。！？,!?；;、\n”\"]|$)"
_QUOTED: Final = (
    rf"{_QUOTE}@?\K(?!\s)[^“”\"‘’「」『』【】《》〈〉（）()，。！？!?；;\n\ue000]{{1,20}}(?<!\s)(?={_UNQUOTE})"
)
# 是 says many things: only what looks like a name follows.
_PLAIN: Final = (
    r"(?!(?:用|真|假|新|老|旧|从|为|被|在|有|不|很|以|可|给|让|把|由|最|同|公|私|实|自|前|后|一[串堆些样条]|两|三|跟|专门|空|乱|男|女|因|"
    r"骗|买|借|租|好|已|随|小时候|当[年时]|别|网上|朋友|唯一|单独|只有|平时|全|手机|qq|微信|邮箱|妈妈|爸爸|老师|同事)"
    rf")(?!{_CHAR}{{0,14}}(?:认识|注册|申请|取的|起的|改的|写的|买的|借的|送的|吗|了(?:[，。！？\s]|$)|的(?:[，。！？\s]|$)))"
)
# A name that nothing links to its cue must be no sentence about the account.
_NO_SENTENCE: Final = (
    r"(?=[^，。！？!?；;、：:\n]{3,12}[，。！？!?；;、：:\n])"
    r"(?![^，。！？!?；;\n]{0,11}(?:[我你他她它了没被很都全就会能要把让才只知看写发骂记存藏删用着过但又转进吗呢吧]|粉丝|关注|拉黑|注销|密码|"
    r"安全|问题|信息|主人|内容|权限|余额|状态|资料|头像|里面|有[个人]|名字|下面|封|盗|登|换|改|卖|丢|忘|找|因为|所以|可是|结果|异常|"
    r"或|以及|一切|不是|不能|不敢|不想|不见|价|元|经常|专门|[号名d]是|昵称|叫))"
    r"(?![一二三四五六七八九十几两第0-9]|[也还再却竟总常刚从在对跟给向到以是有上下里中内外等可时每多少来去和])"
)
_OFFICIAL: Final = re.compile(
    "日报|晚报|早报|都市报|新闻|官方|电视台|广播|央视|公安|法院|检察|警方|警察|发布$|官微|卫健委|共青团|教育局|政府|热线|研究院|出版社|"
    "什么|名字|一样|头像|密码|怎么|是不是|昵称|账号|公众号|[微小]信$|超话|小组$|话题|群$"
)
# The account of a platform in the clause before: 快手上也播过，号是….
_SITE_BEFORE: Final = rf"(?:{SITES}|{GAMES})(?:(?!微信|qq|扣扣|vx|绿泡|电话|手机|医院|挂号)[^\n]){{0,40}}?"
_LATIN: Final = r"(?<![a-z0-9])[a-z0-9_][a-z0-9_.-]{3,28}[a-z0-9_](?![a-z0-9_@])"
_PLATFORM: Final = re.compile(ANY, re.IGNORECASE)
_SITE_OR_ACCOUNT: Final = (
    rf"(?:{ANY}|(?<![a-z])id(?![a-z])|网名|昵称|用户名|[账帐]号|[小大私新]号|空间|马甲|直播间|主播|"
    r"(?<![a-z])up主|博主|发帖|评论区)"
)
# 大喊大叫 and a cat's cry call nobody so; behind 号 and 是 stand many things.
_TELLS: Final = (
    rf"(?:(?<![大喊尖猫狗惨嚎呼])叫做?|名叫|名字(?:就)?是{_PLAIN}|[号名]是{_PLAIN}|id[:： ]|(?<=[他她我])id|"
    r"(?<=[他她我破那])号(?![被都也就人不没的已很太封登卖丢有给在码]))"
)
_FOUND: Final = (
    r"[，,]?(?:就|便|也|还)?(?:[能可](?:以|能)?(?:[找搜看][到见]|关注)(?!.{0,3}(?:很多|不少|各种|相关|好多|一堆|答案))|"
    r"就?是[我他她]|第一个)"
)


def screen_name() -> Patterned:
    """User names beside the word for what an account has: 网名, 昵称, ID, 小号, 他的号."""
    return Patterned(
        "账号",
        "user name of words",
        r"[号户名称稱甲主特播铺pPdD@”」』](?:(?<=@)|(?<=艾特)|(?<=[账帐][号户])|(?<=[大小私新洞名槽记身甲的我他她你人己方这那个aA]号)|(?<=[”」』])(?:的|这个|那个)(?:[账帐]号|[小大]号|[iI][dD]|用户)|(?<=号主)|(?<=[iI][dD])|"
        r"(?<=[网圈艺笔户铺]名)|(?<=[戏色家络户页间天坛交]名)|(?<=[戏色家络户页间天坛交]的)名|(?<=[昵暱][称稱])|(?<=马甲)|"
        r"(?:(?<=[uU][pP])|(?<=博主)|(?<=主播))[^，。！？!?；;：:、\n]{0,14}(?:叫|名|[改换]))",
        rf"{_KIND}(?:(?:{_CALLED}|就?是|为|{_COLON})[:：\s]{{0,2}})?{_QUOTED}",
        rf"{_KIND}{_NEAR}[从由]{_QUOTED}",
        rf"{_KIND}[^。！？!?\n]{{0,24}}?[改换]回?[成为]了?{_QUOTED}",
        rf"[“「『]\K{_NO_NAME}{_CHAR}{{2,14}}(?=[”」』](?:的|这个|那个)(?:[账帐]号|[小大]号|(?<![a-z])id|用户))",
        rf"(?:{_KIND}|{_HOST}){_NEAR}{_CALLED}[:：\s]{{0,2}}@?\K(?:{_NAME}|{_WORDS})",
        rf"{_HOST}{_NEAR}{_CALLED}[:：\s]{{0,2}}{_QUOTED}",
        rf"{_KIND}{_COLON}@?\K(?:{_NAME}|{_WORDS})",
        rf"(?:网名|昵称|用户名|{GAMES}{_NEAR}id|(?<![a-z])id)(?:就|原来|现在|以前|还)?(?:是|为)\s?\K{_PLAIN}{_NAME}",
        rf"(?:(?<![a-z])u?id(?![a-z])|[网笔圈]名|昵称)\s?\K{_NO_SENTENCE}{_NAME}",
        rf"[账帐]号\s?\K{_NO_SENTENCE}(?={_CHAR}*[a-z0-9]){_NAME}",
        rf"(?:有|开了?|注册了?|弄了?|建了?)一?个(?:{_NEAR})[账帐小大新]号，\K{_NO_SENTENCE}{_NAME}",
        rf"(?:{SITES}|{_KIND}|关注){_NEAR}[:：，,\s]{{0,2}}(?:@|艾特)\s?\K(?:{_NAME}|{_WORDS})",
        rf"{_KIND}[^。！？\n]{{0,12}}?[:：是叫\s“\"「]\K{_CHAR}{{2,12}}#[0-9]{{3,6}}(?![0-9])",
        check=_is_own,
        score=0.95,
    )


def name_on_site() -> Patterned:
    """User names beside a platform or a game, and those that can be found there."""
    return Patterned(
        "账号",
        "user name on a platform",
        r"[叫“\"‘'「『【〈：:=→👉搜是号名改换#](?:(?<=叫)[^，。！？!?；;、我他她你它得了着出]|(?<=[号名]).{0,4}[是为]|(?<=[：:=→👉])|"
        r"(?<=[“\"‘'「『【〈])(?<=[叫做作是为：:=→👉名号字户称页道店铺成了dD\s].)|(?<=[改换])(?:名|回)?[成为叫]|(?<=#)[0-9]{3}|"
        r"(?<=搜)[^。！？\n]{0,24}(?:到|见|关注|是[我他她]|第一个)|"
        r"(?<=是)(?:[我他她你]|那人|自己|本人|对方|[tT][aA])[^，。！？\n]{0,18}(?:[名号]|昵称|[iI][dD]))",
        rf"{_ON_SITE}(?:(?:{_CALLED}|就?是|为|{_COLON})[:：\s]{{0,2}})?{_QUOTED}",
        rf"{_ON_SITE}[^。！？!?\n]{{0,24}}?[改换]回?[成为]了?{_QUOTED}",
        rf"{_SOMEBODY}叫做?[:：\s]{{0,2}}{_QUOTED}(?!{_UNQUOTE}的(?!人|[账帐]?号|用户|网友|博主|男|女|up|主播|家伙|姑娘|小|那))",
        rf"(?:{_ON_SITE}{_NEAR}{_CALLED}|{_SOMEBODY}叫做?)[:：\s]{{0,2}}@?\K(?:{_NAME}|{_WORDS})",
        rf"{_ON_SITE}{_COLON}@?\K(?:{_NAME}|{_WORDS})",
        rf"(?:{GAMES}{_NEAR}(?:名字?)|{SITES}[上里]?(?:我|他|她)?的?(?:名字?|号))(?:就|原来|现在|以前|还)?(?:是|为)\s?\K{_PLAIN}{_NAME}",
        rf"{_SITE_BEFORE}[，。；;！!\s]{_TA}?的?号(?:就?是|叫做?|[:：])\s?@?\K(?:{_PLAIN}{_NAME}|{_LATIN})",
        rf"{_TA}的?{SITES}[:：]\s?\K{_NO_SENTENCE}{_NAME}",
        rf"(?:{SITES}|{GAMES}|直接|可以|去)(?!.{{0,3}}(?:微信|qq|扣|vx)){_NEAR}搜(?:索|一下)?[:：\s]{{0,2}}{_QUOTE}?\K{_NAME}(?={_UNQUOTE}?{_FOUND})",
        rf"(?:^|[，。！？!?；;\s“\"「]){_QUOTE}?\K{_NO_NAME}(?={_CHAR}{{0,9}}[^\x00-\x7f]){_CHAR}{{2,12}}?"
        rf"(?={_UNQUOTE}?[，,]?(?:就?是|这是){_TA}的?(?:(?:{SITES}|{GAMES})的?{_NEAR}(?:[号名]|昵称|id)|(?:微信|qq)(?:名|昵称)|网名|昵称|用户名|[小大]号))",
        rf"{_WHERE}[^。！？\n]{{0,12}}?[:：是叫\s“\"「]\K{_CHAR}{{2,12}}#[0-9]{{3,6}}(?![0-9])",
        beside=rf"{ANY}[^\n]{{0,50}}?(?:[叫号名称店户搜:：#]|主页|频道|id|改[成为])|空间[上里]|搜|"
        rf"(?:微信|qq)[^。！？\n]{{0,14}}?(?:[号名称店户叫#]|主页|频道|id)|"
        rf"是{_TA}的?(?:网名|昵称|用户名|[小大]号|[^，。\n]{{0,3}}{ANY})",
        check=_is_own,
        score=0.95,
    )


def name_told() -> Patterned:
    """User names behind 叫, 名字是 and the like in a sentence with a platform or an account, whatever they say.

    The name goes to the clause's end: 只敢看她B站，叫便利店的第七排。 一个游戏，叫沙盘 and 有个概念叫内耗 name things.
    """
    return Patterned(
        "账号",
        "user name that is told",
        r"[叫是dD号](?:(?<=[号名字]是)|(?<=字就是)|(?<=[iI][dD])|(?<=[他她我破那]号)|(?<=叫)做?[^，。！？!?,\n我你您他她它咱]{2})",
        rf"(?<!个[^，。]{{0,4}}){_SITE_OR_ACCOUNT}(?:(?!个(?!人|男|女|号|网友|用户|博主))[^。！？!?\n]){{0,25}}?"
        rf"{_TELLS}{_QUOTE}?\K{_NO_NAME}{_CHAR}{{2,14}}(?={_UNQUOTE}?(?:[，。！？!?,~…\n]|$))",
        beside=rf"{_SITE_OR_ACCOUNT}[^。！？!?\n]{{0,25}}?(?:叫|[字号名]是|id|号)",
        check=_is_own,
        score=0.9,
    )


def _is_own(name: str) -> bool | None:
    """Whether it is no newspaper's, office's or game's name, nor words about a name; see `Patterned`."""
    return False if _OFFICIAL.search(name) or _PLATFORM.fullmatch(name) else None
