"""The names of columns, keys and speakers in other people's corpora, from ``names.yaml``."""

from pathlib import Path
from typing import Any, Final

import yaml

_NAMES: Final[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8"))


def _also_capital(keys: list[str]) -> list[str]:
    """Keys, and the same as they are where they begin with a capital letter (Role)."""
    return list(dict.fromkeys([*keys, *map(str.capitalize, keys)]))


# By field, in order of preference.
FIELDS: Final[dict[str, list[str]]] = _NAMES["fields"]
# The keys of a response that is an object.
RESPONSE_TEXT: Final[list[str]] = _NAMES["response_text"]
# The keys that hold a dialogue, those of its id, of a turn's speaker and words, of alpaca's last exchange.
DIALOGUES: Final[list[str]] = _also_capital(_NAMES["dialogues"])
DIALOGUE_IDS: Final[list[str]] = _NAMES["dialogue_ids"]
SPEAKER: Final[list[str]] = _also_capital(_NAMES["speaker"])
WORDS: Final[list[str]] = _also_capital(_NAMES["words"])
ASKING: Final[list[str]] = _NAMES["asking"]
REPLYING: Final[list[str]] = _NAMES["replying"]
# By role.
SPEAKERS: Final[dict[str, list[str]]] = _NAMES["speakers"]
# Those of them that tell a role only beside a speaker of the other one.
AMBIGUOUS_SPEAKERS: Final[list[str]] = _NAMES["ambiguous_speakers"]
# Regular expressions: what a name has not, and what makes it somebody's.
SPOKEN: Final[list[str]] = _NAMES["spoken"]
WHOSE: Final[str] = _NAMES["whose"]
