"""How much risk a post shows, and of which kind: the one definition that data, statistics and evaluation follow.

A post is judged as a careful crisis worker would who decides which posts a person must look at before a machine
answers:

- ``acute``: the writer, or somebody the writer speaks of now, is or has recently been at risk;
- ``concern``: strong despair, or such a risk in the past, in passing, or of somebody else without present danger;
- ``none``: everything else, even if very sad; figures of speech, and deaths by illness without danger.

What it leaves out: any judgement of a person. A level says what a post speaks of.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Level = Literal["none", "concern", "acute"]
# ``abuse`` is violence against somebody, by anybody; ``other`` is a risk of none of the other kinds.
Kind = Literal[
    "suicide",
    "self_harm",
    "harm_to_others",
    "abuse",
    "sexual_abuse",
    "psychosis",
    "eating",
    "substance",
    "child_in_danger",
    "other",
]
# From the lowest to the highest.
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
# In the order in which a post's kinds are given.
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Risk:
    """The risk that a post shows: its level, and its kinds in the order of ``KINDS``, none where the level is none."""

    level: Level = "none"
    kinds: tuple[Kind, ...] = ()
