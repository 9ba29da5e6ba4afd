"""The one definition of a valid Chain-of-Empathy output: its tags, parser and format reward (Eq. 4).

A valid output is, with white space allowed around and between the blocks and nothing else:

    <empathy_think><L1>…</L1><L2>…</L2><L3>…</L3><L4>…</L4></empathy_think><answer>…</answer>

Every tag stands exactly once, in this order, in this case; each layer and the answer holds visible text.
A tag is only what is spelled exactly so: ``<3``, ``<l1>`` or a full-width ``＜L1＞`` inside a layer is text.
The tags are plain text, never special tokens: verl decodes with ``skip_special_tokens=True``.
"""

import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

LAYERS = ("L1", "L2", "L3", "L4")
TAG_NAMES = ("empathy_think", *LAYERS, "answer")
"""Names of all tags, in the order in which they open."""

LAYER_TITLES = {
    "L1": "情绪与处境",
    "L2": "原因与信念",
    "L3": "求助意图",
    "L4": "回应策略",
}

_CONTAINERS = ("<empathy_think>", "</empathy_think>")
_TAG = re.compile(r"</?(?:empathy_think|L[1-4]|answer)>")
_EXPECTED_TAGS = (
    _CONTAINERS[0],
    *(tag for layer in LAYERS for tag in (f"<{layer}>", f"</{layer}>")),
    _CONTAINERS[1],
    "<answer>",
    "</answer>",
)


class CoEFormatError(ValueError):
    """The text is not a valid CoE output; the message names the first violation."""


@dataclass(frozen=True, slots=True)
class CoEOutput:
    """A parsed output: the four layers' texts, L1 to L4, and the answer, each stripped."""

    layers: tuple[str, str, str, str]
    answer: str

    def render(self) -> str:
        """The output as the model is trained to write it.

        Raises:
            CoEFormatError: a layer or the answer is blank or holds a CoE tag, so no parser could read it back.
        """
        blocks = "".join(f"<{name}>{text}</{name}>" for name, text in zip(LAYERS, self.layers, strict=True))
        text = f"{_CONTAINERS[0]}{blocks}{_CONTAINERS[1]}<answer>{self.answer}</answer>"
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
    for match in _TAG.finditer(text):
        tag, wanted = match.group(), next(expected, None)
        if tag != wanted:
            raise CoEFormatError(
                f"found {tag} at character {match.start()}, expected {wanted or 'the end of the text'}"
            )
        between = text[end : match.start()]
        if tag.startswith("</") and tag != _CONTAINERS[1]:
            if not has_visible_text(between):
                raise CoEFormatError(f"nothing before {tag} at character {match.start()}, expected visible text")
            bodies[tag[2:-1]] = between.strip()
        elif not _is_white(between):
            raise CoEFormatError(f"text before {tag} at character {match.start()}, expected white space only")
        end = match.end()
    missing = next(expected, None)
    if missing is not None:
        raise CoEFormatError(f"{missing} is missing")
    if not _is_white(text[end:]):
        raise CoEFormatError(f"text after </answer> at character {end}, expected the end of the text")
    return CoEOutput((bodies["L1"], bodies["L2"], bodies["L3"], bodies["L4"]), bodies["answer"])


def format_reward(text: str) -> float:
    """r_format of Eq. 4: 1.0 when the whole text is one valid output, else 0.0. Never raises on a string."""
    try:
        parse(text)
    except CoEFormatError:
        return 0.0
    return 1.0


def partial_format_reward(text: str) -> float:
    """A share of r_format for outputs that are nearly valid, for ablation only: the paper's is all or nothing.

    1.0 for a valid output; else the expected tags that stand in order, less the tags too many, of all twelve, and never
    all of them. Never raises on a string.
    """
    if format_reward(text):
        return 1.0
    found = [match.group() for match in _TAG.finditer(text)]
    right = LCSseq.similarity(found, _EXPECTED_TAGS)
    return max(0, min(2 * right - len(found), len(_EXPECTED_TAGS) - 1)) / len(_EXPECTED_TAGS)


def extract_answer(text: str) -> str | None:
    """The text inside ``<answer>``, also from an output whose layers are malformed; None without one.

    Two answers, an unclosed one, a blank one or one that holds CoE tags give None: what the reader would see
    is then not decided, and an ambiguous answer must not be paid for.
    """
    tags = list(_TAG.finditer(text))
    opening = [i for i, match in enumerate(tags) if match.group() == "<answer>"]
    closing = [i for i, match in enumerate(tags) if match.group() == "</answer>"]
    if len(opening) != 1 or closing != [opening[0] + 1]:
        return None
    answer = text[tags[opening[0]].end() : tags[closing[0]].start()]
    return answer.strip() if has_visible_text(answer) else None


def has_visible_text(text: str) -> bool:
    """Whether a reader would see anything: separators, control, format and bare combining characters do not count."""
    return any(unicodedata.category(char)[0] not in "ZCM" for char in text)


def _is_white(text: str) -> bool:
    return not text or text.isspace()
