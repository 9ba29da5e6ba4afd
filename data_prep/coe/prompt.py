"""The teacher's prompt and how its answer is read.

Post and response stand between separators with a number that their writers could not know, as in `eval.judge`.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from string import Template
from typing import Any, Final

import yaml

from reward_fns.coe_format import LAYER_ASKS, LAYER_TITLES, LAYERS, THINK

# Up to the last end of a block: the opening tag may stand in the server's template, as DeepSeek-R1's does.
_THOUGHTS: Final = re.compile(r"\A.*</think>", re.DOTALL)
_FENCE: Final = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_WRAP: Final = re.compile(rf"\A<{THINK}>(.*)</{THINK}>\Z", re.DOTALL)
_CHAIN: Final = re.compile(r"\s*".join(rf"<{name}>(.*?)</{name}>" for name in LAYERS), re.DOTALL)
_TAG: Final = re.compile(rf"</?(?:{'|'.join(LAYERS)})>")


@dataclass(frozen=True)
class TeacherPrompt:
    """The texts of ``prompt.zh.yaml``.

    Attributes:
        version: raised with every change.
        system: what a chain is.
        user: the frame around one post and one response.
        again: what is added after a chain that was refused.
        told: how each check is told to the teacher.
    """

    version: int
    system: str
    user: str
    again: str
    told: Mapping[str, str]

    @classmethod
    def read(cls) -> "TeacherPrompt":
        """The prompt shipped with the project."""
        return cls(**yaml.safe_load(files(__package__).joinpath("prompt.zh.yaml").read_text(encoding="utf-8")))

    @cached_property
    def identity(self) -> str:
        """A hash of the texts, the layers' among them: they are what chains are written by."""
        texts: list[Any] = [self.system, self.user, self.again, sorted(self.told.items()), LAYER_TITLES, LAYER_ASKS]
        return hashlib.sha256(repr(texts).encode()).hexdigest()[:16]

    def messages(self, post: str, response: str, problems: Collection[str] = ()) -> list[dict[str, str]]:
        """The chat that asks for a chain.

        Args:
            problems: names of the checks that refused the chain before.
        """
        # Not random, so that the same question is the same request.
        fence = hashlib.sha256(f"{post}\0{response}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
        user = Template(self.user).substitute(fence=fence, post=post, response=response)
        if problems:
            told = "；".join(self.told[name] for name in problems)
            user += Template(self.again).substitute(problems=told)
        titles = "\n  ".join(f"{name} {LAYER_TITLES[name]}：{LAYER_ASKS[name]}" for name in LAYERS)
        skeleton = "\n  ".join(f"<{name}>…</{name}>" for name in LAYERS)
        system = Template(self.system).substitute(titles=titles, skeleton=skeleton)
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def read_chain(text: str) -> tuple[str, ...] | None:
    """The layers' texts; None unless each stands there once, in order, and nothing beside them.

    Thoughts before them, a code block and the outer tag around them are taken off.
    """
    body = _THOUGHTS.sub("", text).strip()
    for around in (_FENCE, _WRAP):
        if whole := around.match(body):
            body = whole[1].strip()
    if (found := _CHAIN.fullmatch(body)) is None:
        return None
    layers = tuple(layer.strip() for layer in found.groups())
    return None if any(not layer or _TAG.search(layer) for layer in layers) else layers
