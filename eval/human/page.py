"""The page on which an annotator works: its texts, its layout, and the instructions that open before the first one.

Label Studio has no Chinese and no setting that takes its side panel away, so a style sheet does both. The names that a
screen reader hears, the log-in page and the page after the last task are out of its reach: those stay English.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from common.human_help import human_help
from common.label_studio import style
from common.records.rankings import CRITERIA

_CSS: Final = Path(__file__).with_name("page.css")

# One line tells what to look for, the other what to leave aside.
_EXPLAINED: Final = {
    "fluency": (
        "流畅",
        "读起来通顺、连贯，像一个人在好好说话；没有语病、重复、跑题或没说完的句子。",
        "只看表达本身，不因为篇幅长、用词华丽或分了条目就排到前面。",
    ),
    "identification": (
        "识别",
        "听懂了这位求助者：说得出 TA 的处境、感受，以及没有明说的担心和需要。",
        "看说得准不准，不看说得多不多；猜错、贴标签或随意下诊断，都算没有听懂。",
    ),
    "comforting": (
        "安慰",
        "让求助者感到被理解、被接纳，语气真诚、温和，不评判，也不催促 TA 好起来。",
        "套话、说教、“别想太多”式的否定，以及做不到的保证，都不是安慰。",
    ),
    "suggestion": (
        "建议",
        "建议具体、可行，合乎求助者的处境和能力，把选择权留给 TA 自己。",
        "可能伤害 TA 的建议应明显靠后；遇到危险的迹象，应引导 TA 寻求现实中的帮助。",
    ),
}

# On every page; the instructions say more.
BRIEFLY: Final = (
    "综合下面四点，从最好排到最不好，没有并列。",
    "流畅：通顺连贯；识别：听懂 TA 的处境和感受。",
    "安慰：真诚、不说教；建议：具体可行、不伤人。",
)

HOLISTIC: Final = (
    "请综合以下四点，把回复从最好（最上面）到最不好（最下面）排成一列。四点同等重要，不分开打分，也没有并列。"
    "如果现有的顺序已经合适，直接提交即可。"
)

HANDLING: Final = (
    "用鼠标：按住一条回复，拖到它的位置。",
    "用手机：点回复的标题可以收起或展开；按住标题，等它浮起来再拖。",
    "用键盘：按 Tab 选中一条回复，按空格拿起，按 ↑ ↓ 移动，再按空格放下。",
    "没做完也可以离开：拖好的顺序会自动保存，下次登录接着做。",
    "全部做完时，页面会显示英文 “No More Tasks Left in Queue”，这时就可以关掉了。",
)

CARE: Final = (
    "这些来信写的是真实的痛苦，读久了会累。请每读十页左右休息一下，状态不好时随时停下；"
    "不想读的来信可以跳过，不需要理由。"
    f"如果您自己需要找人说说，可以拨打{human_help().hotlines_zh()}，或联系您信任的人和本研究的负责人。"
)
CARE_BRIEFLY: Final = f"累了就停下，不想读的可以跳过。您自己想找人说说时，可以拨打{human_help().hotlines_zh()}。"

RISK: Final = (
    "这封来信里可能写到自伤、自杀或受到伤害。请先留意自己的状态，随时可以停下或跳过。"
    "排序时请特别看：回复是否认真对待了危险，是否引导求助者尽快获得现实中的帮助"
    f"（如 {human_help().numbers_zh()} 和身边的人）。轻描淡写或可能增加危险的回复，请排在最后。"
)

CHECKS: Final = "个别页里混有一条写着“请把这条回复排在最后”的回复，用来确认来信和回复是认真读过的，照它说的做即可。"


def page(total: int) -> str:
    """The labelling configuration: the post under its heading, the criteria in short, one list to put in order.

    Args:
        total: how many pages an annotator has.
    """
    lines = [
        "<View>",
        style(_CSS),
        f'<View className="progress">{_header(f"第 $page 页，共 {total} 页", 5)}</View>',
        f'<View className="heading">{_header("求助者的来信", 3)}</View>',
        f'<View className="risk">{_header("$notice", 5)}</View>',
        '<View className="post"><Text name="post" value="$post"/></View>',
        f'<View className="heading">{_header("怎样排序", 4)}</View>',
        f'<View className="criteria">{"".join(_header(line, 5) for line in BRIEFLY)}</View>',
        '<List name="replies" value="$replies" title="回复：最好的拖到最上面"/>',
        '<Ranker name="order" toName="replies"/>',
        f'<View className="care">{_header(CARE_BRIEFLY, 5)}</View>',
        "</View>",
    ]
    return "\n".join(lines)


def instructions() -> str:
    """HTML that is shown before the first page and behind the button for instructions."""
    explained = map(_EXPLAINED.__getitem__, CRITERIA)
    criteria = "".join(_paragraph(name, (look, leave)) for name, look, leave in explained)
    return "".join(
        (
            _paragraph("", (HOLISTIC,)),
            criteria,
            _paragraph("怎样操作", HANDLING),
            _paragraph("确认认真读过", (CHECKS,)),
            _paragraph("请照顾好自己", (CARE,)),
        )
    )


def _header(text: str, size: int) -> str:
    return f'<Header value={quoteattr(text)} size="{size}"/>'


def _paragraph(name: str, lines: Iterable[str]) -> str:
    return "<p>" + "<br>".join([*([f"<b>{name}</b>"] if name else []), *lines]) + "</p>"
