"""The page on which a reviewer works: post and response on the left, the four layers beside them, then the verdict.

The layers lie in the task as a prediction, so that Label Studio shows them as texts that can be typed in, saves each
change as a draft by itself, and exports what stands there at the end. As in `eval.human`, a style sheet brings Chinese
and one look; the log-in page and the page after the last task stay English.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr

import yaml

from common.human_help import human_help
from common.label_studio import style
from reward_fns.coe_format import LAYER_TITLES, LAYERS

_CSS: Final = Path(__file__).with_name("page.css")
_TEXTS: Final = Path(__file__).with_name("texts.zh.yaml")

# What the page's controls are called in an export.
DECISION: Final = "decision"
REASONS: Final = "reasons"
VALIDITY: Final = "validity"
FLAG: Final = "flag"
NOTE: Final = "note"
DECISIONS: Final = ("accept", "revise", "reject")
ACUTE: Final = "acute"
RATINGS: Final = ("5", "4", "3", "2", "1")


def texts(editable: bool = True) -> dict[str, Any]:
    """The page's Chinese; see `page` for `editable`."""
    found: dict[str, Any] = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    outputs = found.pop("outputs")
    return found if editable else {**found, **outputs}


def page(total: int, *, editable: bool = True) -> str:
    """The labelling configuration.

    Args:
        total: how many pages a reviewer has.
        editable: whether the layers can be changed; a model's own output can't.
    """
    own = texts(editable)
    lines = [
        "<View>",
        style(_CSS),
        f'<View className="progress">{_header(own["progress"].format(total=total), 5)}</View>',
        f'<View className="notice">{_header("$notice", 5)}</View>',
        '<View className="columns">',
        '<View className="left">',
        f'<View className="heading">{_header(own["post"], 4)}</View>',
        '<View className="reading"><Text name="post" value="$post"/></View>',
        f'<View className="heading">{_header(own["response"], 4)}</View>',
        '<View className="reading"><Text name="response" value="$response"/></View>',
        "</View>",
        '<View className="right">',
        *(_layer(name, own, editable) for name in LAYERS),
        *_verdict(own, editable),
        f'<View className="answer"><Collapse><Panel value={quoteattr(own["answer"])}>{_header("$answer", 5)}</Panel>',
        "</Collapse></View>",
        f'<View className="care">{_header(own["care"].format(hotlines=human_help().hotlines_zh()), 5)}</View>',
        "</View></View></View>",
    ]
    return "\n".join(lines)


def _layer(name: str, own: Mapping[str, Any], editable: bool) -> str:
    about = own["layers"][name]
    guide = [f"{label}：{about[key]}" for key, label in own["guide"].items()]
    edit = 'editable="true" transcription="true"' if editable else 'editable="false"'
    return (
        f'<View className="layer"><View className="title">{_header(f"{name} {LAYER_TITLES[name]}", 4)}'
        f"{_header(about['asks'], 5)}</View>"
        f'<TextArea name="{name}" toName="post" rows="3" maxSubmissions="1" {edit}/>'
        f"<Collapse><Panel value={quoteattr(own['guide_title'])}>{''.join(_header(line, 5) for line in guide)}</Panel>"
        "</Collapse></View>"
    )


def _verdict(own: Mapping[str, Any], editable: bool) -> Iterable[str]:
    if editable:
        yield f'<View className="heading">{_header(own["decide"], 4)}</View>'
        yield _choices(DECISION, own["decisions"], "single", required=own["decide_first"], keys="123")
        rejected = f'whenTagName="{DECISION}" whenChoiceValue={quoteattr(own["decisions"]["reject"])}'
        yield f'<View className="reasons" visibleWhen="choice-selected" {rejected}>{_header(own["why"], 5)}'
        yield _choices(REASONS, own["reasons"], "multiple", required=own["why_first"])
        yield "</View>"
    yield f'<View className="heading">{_header(own["rate"], 4)}</View>'
    yield _choices(VALIDITY, own["ratings"], "single", required=own["rate_first"])
    yield f'<View className="flag">{_choices(FLAG, own["flags"], "multiple")}</View>'
    yield f'<View className="note">{_header(own["note"], 5)}'
    yield f'<TextArea name="{NOTE}" toName="post" rows="2" maxSubmissions="1" editable="true"/></View>'


def _choices(name: str, values: Mapping[Any, str], choice: str, required: str = "", keys: str = "") -> str:
    must = f' required="true" requiredMessage={quoteattr(required)}' if required else ""
    hot = [f' hotkey="{key}"' for key in keys] or [""] * len(values)
    options = "".join(
        f'<Choice alias="{alias}" value={quoteattr(text)}{key}/>'
        for (alias, text), key in zip(values.items(), hot, strict=True)
    )
    return f'<Choices name="{name}" toName="post" choice="{choice}" showInline="false"{must}>{options}</Choices>'


def prediction(layers: Sequence[str]) -> dict[str, Any]:
    """The layers as Label Studio's page starts with them."""
    return {
        "model_version": "chain",
        "result": [
            {"id": name, "from_name": name, "to_name": "post", "type": "textarea", "value": {"text": [layer]}}
            for name, layer in zip(LAYERS, layers, strict=True)
        ],
    }


def instructions(editable: bool = True) -> str:
    """HTML that is shown before the first page and behind the button for it; see `page` for `editable`."""
    own = texts(editable)
    help_ = human_help()
    parts = [
        ("", own["intro"]),
        *((f"{name} {LAYER_TITLES[name]}", [own["layers"][name]["theory"]]) for name in LAYERS),
        (own["handling_title"], own["handling"]),
        (own["flag_title"], own["flagging"]),
        (own["care_title"], [line.format(hotlines=help_.hotlines_zh()) for line in own["caring"]]),
    ]
    return "".join(_paragraph(title, lines) for title, lines in parts)


def _header(text: str, size: int) -> str:
    return f'<Header value={quoteattr(text)} size="{size}"/>'


def _paragraph(title: str, lines: Iterable[str]) -> str:
    return "<p>" + "<br>".join([*([f"<b>{title}</b>"] if title else []), *lines]) + "</p>"
