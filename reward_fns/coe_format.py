"""The one definition of a valid Chain-of-Empathy output: its layers, tags, parser and format reward (Eq. 4).

A valid output is, with white space allowed around and between the blocks and nothing else:

    <empathy_think><L1>…</L1><L2>…</L2><L3>…</L3><L4>…</L4></empathy_think><answer>…</answer>

Every tag stands exactly once, in this order, in this case; each layer and the answer holds visible text.
A tag is only what is spelled exactly so: ``<3``, ``<l1>`` or a full-width ``＜L1＞`` inside a layer is text.
The tags are plain text, never special tokens: verl decodes with ``skip_special_tokens=True``.

The table of layers and the two names below it are all the code there is to edit for another chain: tags, their order,
the prompt's lines and its skeleton follow.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import LCSseq

_LAYERS: Final = (
    # Tag, title, and what the prompt asks for there.
    ("L1", "情绪与处境", "来访者有哪些情绪，它们由怎样的处境引起。"),
    ("L2", "原因与信念", "情绪背后有哪些原因、想法，可能有什么认知偏差。"),
    ("L3", "求助意图", "来访者最需要的是被认可、被理解，还是具体的建议。"),
    ("L4", "回应策略", "据此决定先回应什么，用什么方式，给出哪些支持。"),
)
THINK: Final = "empathy_think"
ANSWER: Final = "answer"

LAYERS: Final = tuple(name for name, _, _ in _LAYERS)
LAYER_TITLES: Final = {name: title for name, title, _ in _LAYERS}
LAYER_ASKS: Final = {name: asks for name, _, asks in _LAYERS}
TAG_NAMES: Final = (THINK, *LAYERS, ANSWER)
# Any opening or closing tag.
TAG: Final = re.compile(f"</?(?:{'|'.join(map(re.escape, TAG_NAMES))})>")


def _block(name: str, body: str) -> str:
    return f"<{name}>{body}</{name}>"


def _output(layers: tuple[str, ...], answer: str) -> str:
    return _block(THINK, "".join(map(_block, LAYERS, layers))) + _block(ANSWER, answer)


def skeleton(fill: str = "…") -> str:
    """An output with `fill` in every block, as prompts show it."""
    return _output((fill,) * len(LAYERS), fill)


_EXPECTED_TAGS: Final = tuple(TAG.findall(skeleton()))


class CoEFormatError(ValueError):
    """The text is not a valid CoE output; the message names the first violation."""


@dataclass(frozen=True, slots=True)
class CoEOutput:
    """A parsed output: the layers' texts, in the order of `LAYERS`, and the answer, each stripped."""

    layers: tuple[str, ...]
    answer: str

    def __post_init__(self) -> None:
        """Refuse another number of layers.

        Raises:
            ValueError: names both numbers.
        """
        if len(self.layers) != len(LAYERS):
            raise ValueError(f"{len(self.layers)} layers, expected {len(LAYERS)}: {', '.join(LAYERS)}")

    def render(self) -> str:
        """The output as the model is trained to write it.

        Raises:
            CoEFormatError: a layer or the answer is blank or holds a CoE tag, so no parser could read it back.
        """
        text = _output(self.layers, self.answer)
        parse(text)
        return text


def parse(text: str) -> CoEOutput:
    """Parse one whole output, in time linear in its length.

    Raises:
        CoEFormatError: the text is not exactly one valid output.
    """
    bodies: dict[str, str] = {}
    end = 0
    expected = iter(_EXPECTED_TAGS)
    for match in TAG.finditer(text):
        tag, wanted = match.group(), next(expected, None)
        if tag != wanted:
            raise CoEFormatError(
                f"found {tag} at character {match.start()}, expected {wanted or 'the end of the text'}"
            )
        between = text[end : match.start()]
        if tag.startswith("</") and tag[2:-1] != THINK:
            if not has_visible_text(between):
                raise CoEFormatError(f"nothing before {tag} at character {match.start()}, expected visible text")
            bodies[tag[2:-1]] = between.strip()
        elif between.strip():
            raise CoEFormatError(f"text before {tag} at character {match.start()}, expected white space only")
        end = match.end()
    missing = next(expected, None)
    if missing is not None:
        raise CoEFormatError(f"{missing} is missing")
    if text[end:].strip():
        raise CoEFormatError(f"text after </{ANSWER}> at character {end}, expected the end of the text")
    return CoEOutput(tuple(bodies[name] for name in LAYERS), bodies[ANSWER])


def format_reward(text: str) -> float:
    """r_format of Eq. 4: 1.0 when the whole text is one valid output, else 0.0. Never raises on a string."""
    try:
        parse(text)
    except CoEFormatError:
        return 0.0
    return 1.0


def partial_format_reward(text: str) -> float:
    """A share of r_format for outputs that are nearly valid, for ablation only: the paper's is all or nothing.

    1.0 for a valid output; else the expected tags that stand in order, less the tags too many, of all of them, and
    never all. Never raises on a string.
    """
    if format_reward(text):
        return 1.0
    found = [match.group() for match in TAG.finditer(text)]
    right = LCSseq.similarity(found, _EXPECTED_TAGS)
    return max(0, min(2 * right - len(found), len(_EXPECTED_TAGS) - 1)) / len(_EXPECTED_TAGS)


def no_format_reward(text: str) -> float:
    """r_format of a model that was taught no format (section 4.3.2): left out, so that the reward ends at 1, not 2."""
    del text
    return 0.0


# By `options.FormatMode`.
FORMAT_REWARDS: Final[dict[str, Callable[[str], float]]] = {
    "exact": format_reward,
    "partial": partial_format_reward,
    "none": no_format_reward,
}


def extract_answer(text: str) -> str | None:
    """The text inside ``<answer>``, also from an output whose layers are malformed; None without one.

    Two answers, an unclosed one, a blank one or one that holds CoE tags give None: what the reader would see
    is then not decided, and an ambiguous answer must not be paid for.
    """
    tags = list(TAG.finditer(text))
    opening = [i for i, match in enumerate(tags) if match.group() == f"<{ANSWER}>"]
    closing = [i for i, match in enumerate(tags) if match.group() == f"</{ANSWER}>"]
    if len(opening) != 1 or closing != [opening[0] + 1]:
        return None
    answer = text[tags[opening[0]].end() : tags[closing[0]].start()]
    return answer.strip() if has_visible_text(answer) else None


def whole_reply(text: str) -> str | None:
    """A reply without a format, stripped; None where it shows nothing, or tags that a reader should not see."""
    return text.strip() if has_visible_text(text) and not TAG.search(text) else None


def has_visible_text(text: str) -> bool:
    """Whether a reader would see anything: separators, control, format and bare combining characters do not count."""
    return any(unicodedata.category(char)[0] not in "ZCM" for char in text)
