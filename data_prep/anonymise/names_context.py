"""What stands beside a personal name and speaks for it, or against it: points for the words before and after.

It leaves out the name itself; ``names`` weighs that.
"""

import re
from typing import Final

_KIN = (
    "老公|老伴儿?|那口子|丈夫|爱人|老婆|妻子|太太|媳妇|[男女](?:朋)?友|前任|现任|前[夫妻]|未婚[夫妻]|对象|恋人|初恋|情人|男神|女神|伴侣|"
    "[爸妈]|父亲|母亲|[继养生][父母]|爷爷?|奶奶?|外公|外婆|姥姥|姥爷|哥哥?|姐姐?|弟弟?|妹妹?|弟媳|弟妹|嫂子|[姐妹]夫|"
    "[表堂][哥姐弟妹叔兄]|儿子|女儿|闺女|孩子|宝宝|老大|老二|舅舅?|舅妈|[阿小大]姨|姨妈|姑[姑妈父]|姨[夫父]|姑[夫丈]|小姑子?|叔叔?|伯伯|婶婶?|[一二三四]婶|"
    "[一二三]叔|老[汉爸妈娘爹]儿?|[爹娘]|娃儿?|崽崽?|囡囡|幺[妹儿]|[大二三小]伯|[大二三四小]舅|[大二三四小]姑|[二三四]姨|表[叔姑]|堂叔|小叔子?|[大小]舅子|大伯子|儿媳妇?|女婿|亲家|干[妈爹]|干[儿女]|继[子女]|养女|婆婆|公公|岳父|岳母|丈母娘|老丈人|[侄孙]子|[侄孙]女|外甥女?|师[父傅姐兄弟妹]|徒弟"
)
_ROLES = (
    "闺蜜|恩师|兄弟|姐妹|哥们儿?|发小|同桌|前桌|后桌|同学|学[长姐弟妹]|同事|室友|舍友|[室班组队店科处院园校厂村所社部连排站股]长|寝室长|宿舍长|"
    "班主任|老师|家长|导师|教授|辅导员|主管|经理|领导|总监|老板娘?|上司|上级|主任|下属|徒弟|工友|病友|战友|牌友|球友|狱友|队友|朋友|网友|邻居|"
    "房东|老乡|咨询师|治疗师|医生|大夫|护士长?|护工|律师|负责人|志愿者|社工|教官|教练|民警|辅警|交警|警官|委员|课代表|书记|保姆|月嫂|阿姨|管理员|"
    "助理|秘书|HR|客户|合伙人|股东|中介|女生|男生|女孩|男孩|小伙子|姑娘|学生|小朋友|小组长|实习生|恩人|仇人|情敌|小三|第三者|司机|保安|保洁|会计|出纳|业务员|"
    "工头|包工头|家长|先生|人叫|员工|组员|成员|舞伴|搭档|笔友|知己|死党|校医|住院医|带教|心理师|督导师?|倾听师|心理老师|值班员|接线员|前台|柜员"
)
_ROLE: Final = re.compile(rf"(?:(?P<kin>{_KIN})|(?P<role>我们?家|{_ROLES}))(?P<gap>[，,：:是“（(\s]?)$")
_OWN: Final = re.compile(
    r"(?:(?<![它吼大惨尖喊])叫做?|全名|[大本真原学曾]名|[取起改]名|名字|姓名|户主|[收寄][件货]人|联系人|患者|病人|死者|逝者|[开账]?户名|写的是|本人|来访者?|来访学生|"
    r"求助者|当事人|委托人|监护人|担保人|借款人|被害人|受害人|签[名字]|署名|落款|自称|自我介绍一下吧?|实名|登记：|—|@|转告|艾特)"
    r"[是为叫做：:，,\s“”\"（(—]{0,3}$"
)
_CALLED: Final = re.compile(
    r"(?:我|他|她|名字?|人|孩子|女儿|儿子|女孩|男孩|女生|男生|师|生|友|姓\w，?|好像|就|全名|大名|真名)叫做?$|名字?[叫是]$|自称$|姓名[:：]?\s?$"
)
_I_AM: Final = re.compile(r"(?:^|[，。！？；、：\s“（(])(?:你好|您好|大家好|老师好)?我(?:就|真的?)?是$")
_BEFORE: Final = re.compile(
    r"(?:和|跟|与|同|给|被|对|找|为了?|要不是|连|听完?|把|比起?|恨|爱|恨透了|第二个|暗恋|喜欢|讨厌|梦[见到]|想[起到念]|认识|[遇碰见][到见上]|见过|看见|看到|"
    r"嫁给了?|娶了?|问|问问|告诉|只告诉过|面对|谢谢|感谢|原谅|联系|约|喊|叫|骂|替|帮|陪|让|请|是|像|有|向|还有|以及|、|只剩|包括|亲爱的|"
    r"换成|爱过|爱上了?|嘱咐|托|等|怪|怕|欠|忘不了|忘记|失去|背着|瞒着|去世的|教\w{1,3}的|里的|\w的|叫作|致|记得|变成了?|改成了?|说|从|只有|认识了?|碰见了?|的是)$"
)
_CLAUSE_START: Final = re.compile(r"(?:^|[，。！？；：\s“”‘（(【…~～、的])$")
PERSON_AFTER: Final = re.compile(
    r"老师|家长|患者|同学|医生|大夫|女士|先生|小姐|阿姨|叔叔|伯伯|大[姐哥爷妈]|[姐哥](?![姐哥])|师[傅父兄姐弟妹]|律师|主任|教授|护士|警官|校长|经理|总监|博士|主管|咨询师|教练|"
    r"[班组队院科店]长|书记|学[长姐弟妹]|这个人|这孩子|小朋友|女娃|家属|[他她]?[爸妈]|的(?:家长|妈妈?|爸爸?|父母|母亲|父亲|老公|老婆|妻子|丈夫|孩子|儿子|女儿|哥哥|姐姐|弟弟|妹妹|男朋友|女朋友|死|头七|葬礼|手机|微信)"
)
_OWN_AFTER: Final = re.compile(
    rf"是我的?(?:真名|大名|本名|名字|{_KIN}|{_ROLES})|[，,\s]{{1,2}}(?:男|女)[，,\s]|[，,（(][0-9一二三四五六七八九十]{{1,3}}岁|"
    r"这个?名[字儿]?|[，,]\w{2,3}人[，,]|[，,！!：:]?(?:你好|您好|你要是|你如果|我对不起|对不起|我想你|你在哪|加油)"
)
_AFTER: Final = re.compile(
    r"说|在|是|走|递|送|写|盗|偷|改|变|你|您|我|欠|替|陪|躺|站|跳|接|寄|回|请|追|骗|天天|处处|哭|笑|把|被|对|和|跟|与|就|也|又|还|却|都|总|老|已|突|昨|今|来|去|没|不|会|要|想|给|让|带|拉|打|骂|借|问|叫|结|出|离|坐|住|抱|从|每|为|告|看|听|因|当|用|以|真|"
    r"男|女|\d|[一二三四五六七八九十]|才|比|大我|小我|考|发|找|喜欢|之间|她|他|分|吵|恋|死|病|搬|后来|的|有|突|很|特|过|先|两|三"
)
END: Final = re.compile(r"$|[，。！？；、：\s”’）)】,.!?:;（(“\]…~～\-—／/|]")
_FAMOUS_BEFORE: Final = re.compile(
    r"(?:《|作家|歌手|演员|导演|明星|偶像|诗人|主持人|哲学家|心理学家|学者|网红|博主|主播|作者|大师|皇帝|总统|科学家|画家|听着|读到|女主角?|男主角?|主角|角色|饰演的?)[，：“]?$"
)
_FAMOUS_AFTER: Final = re.compile(
    r"的?《|》|(?:的|这[首本部])(?:书|歌|诗|小说|电影|散文|理论|作品|话|名言|课|视频|演唱会|脱口秀)|笔下|(?:先生|老师|教授)?(?:曾经?说|说过|写过|认为|提出|在《|的《|有句话|有一句)|主演|演唱|饰演|粉丝"
)

# The characters of all cues: where another one stands before a name there is none of them.
CUE_CHARACTERS: Final = frozenset(
    "".join(pattern.pattern for pattern in (_ROLE, _OWN, _CALLED, _I_AM, _BEFORE, _FAMOUS_BEFORE, _CLAUSE_START))
    + "\n\t\u3000\xa0"
)
# Of these characters no cue but the start of a clause is made.
_STOPS: Final = ("", *"。！？；的\n‘【…~～")
# Points for a name's owner saying so, for a relation or a role, and for words that may stand beside a person.
OWN, ROLE, WEAK = 4.0, 3.0, 1.0


def before_points(text: str, start: int) -> tuple[float, bool]:
    """Points for what stands before ``start``, and whether it says outright that a name follows."""
    last = text[start - 1 : start]
    if last not in CUE_CHARACTERS:
        return 0.0, False
    if last in _STOPS:
        return 0.5, False
    before = text[max(0, start - 8) : start]
    near = before[-5:]
    if _CALLED.search(near):
        return OWN + 1, True
    if _OWN.search(before):
        return OWN, False
    if _FAMOUS_BEFORE.search(near):
        return -3.0, False
    if _I_AM.search(before):
        return ROLE, False
    if role := _ROLE.search(near):
        return (ROLE if not role["gap"] else WEAK + 0.5), False
    if _BEFORE.search(near):
        return WEAK, False
    return (0.5 if _CLAUSE_START.search(before[-1:]) else 0.0), False


def after_points(text: str, end: int) -> float:
    """Points for what stands at ``end``, after a name."""
    after = text[end : end + 8]
    if _FAMOUS_AFTER.match(after):
        return -3.0
    if _OWN_AFTER.match(after):
        return ROLE
    if PERSON_AFTER.match(after):
        return ROLE
    if END.match(after):
        return WEAK
    return 0.5 if _AFTER.match(after) else 0.0
