"""Where people in distress find a person: hotlines and emergency numbers, in the words that our pages need.

Everything that names a number takes it from ``help.yaml`` beside this file.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class Contact:
    """One number.

    Attributes:
        number: as it is dialled.
        zh: whose it is, in Chinese.
        en: the same in English.
        source: who says so.
        checked: the day on which the source was last read.
    """

    number: str
    zh: str
    en: str
    source: str
    checked: str


@dataclass(frozen=True, slots=True)
class HumanHelp:
    """All numbers.

    Attributes:
        hotlines: for somebody to talk to.
        emergency: for danger to life.
    """

    hotlines: tuple[Contact, ...]
    emergency: tuple[Contact, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number, hotlines first."""
        return tuple(contact.number for contact in (*self.hotlines, *self.emergency))

    def hotlines_zh(self, mark: str = "") -> str:
        """The hotlines with their Chinese names; `mark` stands around each number, such as ``**``."""
        return "、".join(f"{contact.zh} {mark}{contact.number}{mark}" for contact in self.hotlines)

    def emergency_zh(self, mark: str = "", between: str = " 或 ") -> str:
        """The emergency numbers alone."""
        return between.join(f"{mark}{contact.number}{mark}" for contact in self.emergency)

    def numbers_zh(self) -> str:
        """Every number alone, as a Chinese list."""
        return "、".join(self.numbers)

    def english(self) -> str:
        """Hotlines and emergency numbers in an English phrase."""
        spoken = ", ".join(f"{contact.number} ({contact.en})" for contact in self.hotlines)
        return f"{spoken}, {' and '.join(contact.number for contact in self.emergency)} (emergencies)"


@cache
def human_help() -> HumanHelp:
    """The numbers of ``help.yaml``."""
    content = yaml.safe_load(files("common.human_help").joinpath("help.yaml").read_text(encoding="utf-8"))
    return HumanHelp(
        *(
            tuple(Contact(**{**entry, "checked": str(entry["checked"])}) for entry in content[part])
            for part in ("hotlines", "emergency")
        )
    )
