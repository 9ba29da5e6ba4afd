"""Made-up names, schools, employers and addresses, as varied as those that people write: what the tagger learns from.

The pieces lie in ``values.txt``, surnames and the characters of given names in ``entities.txt``. Nobody is meant: what
is put together can by chance be real.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from data_prep.anonymise.segments import word_list

_FIGURES: Final = "0123456789"
_NUMERALS: Final = "一二三四五六七八九十"
# How many of the values are writers' own, where there are any.
_WRITTEN: Final = 0.3
# Of a list that begins with the commonest entry, the beginnings from which one is drawn.
_HEADS: Final = (0.06, 0.25, 1.0)


@cache
def _pieces(section: str, file: str = "tagger/values.txt") -> tuple[str, ...]:
    return word_list(file, section)


def _known(section: str) -> tuple[str, ...]:
    return _pieces(section, "tagger/known.txt")


@cache
def _letters(file: str, section: str) -> str:
    return "".join(word_list(file, section))


class Values:
    """Draws values, by one generator of random numbers."""

    def __init__(self, rng: random.Random, written: Mapping[str, Sequence[str]] | None = None) -> None:
        """Set up.

        Args:
            rng: decides everything.
            written: values by writers, by type, of which some are drawn in the place of made-up ones.
        """
        self._rng, self._written = rng, written or {}

    def of(self, type: str) -> str:
        """A value of one of the four types: 姓名 (see `name`), 学校, 单位, 地址."""
        return {"姓名": self.name, "学校": self.school, "单位": self.employer, "地址": self.address}[type]()

    def name(self) -> str:
        """A name as people write it: two of five full ones, then given names, nicknames, others."""
        return self._by_a_writer("姓名") or self._made_up_name()

    def _by_a_writer(self, type: str) -> str:
        """A writer's value; "" where a made-up one is wanted."""
        own = self._written.get(type)
        return self._rng.choice(own) if own and self._rng.random() < _WRITTEN else ""

    def _made_up_name(self) -> str:
        rng = self._rng
        return self._weighted(
            (8, self.full_name),
            (5, lambda: self._given(2)),
            (2, lambda: self._given(1) * 2),
            (2, lambda: "小" + rng.choice((self._given(1), self.surname()[0]))),
            (3, lambda: "阿" + self._given(1)),
            (1, lambda: "老" + rng.choice((self._given(1), self.surname()))),
            (1, lambda: rng.choice("大二三") + self._given(1)),
            (1, lambda: self._given(1) + rng.choice("儿子仔妞娃宝")),
            (4, lambda: rng.choice(_pieces("nicknames")) + rng.choice(("", "", "", "儿"))),
            (1, lambda: "小" + rng.choice(_pieces("nicknames"))),
            (1, lambda: rng.choice(_pieces("latin names"))),
            (1, self._minority),
        )

    def full_name(self) -> str:
        """A surname with a given name."""
        return self.surname() + self._given(1 if self._rng.random() < 0.3 else 2)

    def given_name(self) -> str:
        """A given name of two characters, or a nickname."""
        return self._given(2) if self._rng.random() < 0.7 else self._rng.choice(_pieces("nicknames"))

    def surname(self) -> str:
        """A surname: common, rare, or one of two characters."""
        if self._rng.random() < 0.08:
            return self._rng.choice(_pieces("compound surnames", "entities.txt"))
        return self._common(_letters("entities.txt", "surnames"))

    def net_name(self) -> str:
        """A user name of some words."""
        words = self._rng.sample(_pieces("net words"), self._rng.choice((1, 2, 2)))
        return "".join(words)

    def school(self) -> str:
        """A school, whole or in short."""
        return self._by_a_writer("学校") or self._made_up_school()

    def _made_up_school(self) -> str:
        rng = self._rng
        return self._weighted(
            (8, lambda: self._place() + rng.choice(_pieces("school ends"))),
            (6, lambda: self._place() + rng.choice(_pieces("college ends"))),
            (
                3,
                lambda: (
                    rng.choice(_letters("entities.txt", "towns in short")) + rng.choice(_pieces("short college ends"))
                ),
            ),
            (3, lambda: rng.choice(_letters("entities.txt", "towns in short")) + rng.choice(_pieces("college ends"))),
            (
                1,
                lambda: rng.choice("省市区县") + rng.choice(("实验", "一中", "二中", "实", "附中", "重点中学", "职高")),
            ),
            (1, lambda: self._place()[:1] + rng.choice(("一中", "二中", "实验", "附中", "高", "中", "外校", "职院"))),
            (
                1,
                lambda: (
                    rng.choice(("实验", "育红", "第一", "中心")) + rng.choice(("小学", "一小", "二小", "中学", "二中"))
                ),
            ),
            (1, lambda: rng.choice(_NUMERALS) + rng.choice(("中", "小", "高"))),
        )

    def employer(self) -> str:
        """A firm, shop, hospital or unit."""
        return self._by_a_writer("单位") or self._made_up_employer()

    def _made_up_employer(self) -> str:
        rng = self._rng
        return self._weighted(
            (
                7,
                lambda: (
                    self._town(0.3)
                    + self._brand()
                    + rng.choice(_pieces("trades"))
                    + self._maybe(0.35, _pieces("firm ends"))
                ),
            ),
            (2, lambda: self._town(0.3) + self._brand() + rng.choice(_pieces("firm ends"))),
            (5, lambda: self._place() + rng.choice(_pieces("places of work"))),
            (2, lambda: rng.choice("省市区县镇") + rng.choice(_pieces("places of work"))),
            (2, lambda: self._brand() + rng.choice(_pieces("trades"))),
            (4, lambda: self._town(0.2) + self._brand() + rng.choice(_pieces("shops"))),
            (1, lambda: self.surname() + rng.choice("记家氏") + rng.choice(_pieces("shops"))),
            (1, lambda: "".join(rng.choices(_FIGURES, k=5)) + rng.choice(("部队", "厂"))),
            (1, lambda: self._place() + rng.choice(_pieces("old works"))),
            (3, self._brand),
            (2, lambda: rng.choice(_known("firms"))),
            (3, self._short_employer),
        )

    def _short_employer(self) -> str:
        """An employer as those who work there call it: 十九局, 市妇幼, 吉化, 八棉."""
        rng = self._rng
        numeral = rng.choice(_NUMERALS)
        return self._weighted(
            (2, lambda: rng.choice(("", "", "中铁", "中建")) + rng.choice(("", "十", "二十")) + numeral + "局"),
            (2, lambda: rng.choice(("", "省", "市", "县", "区")) + rng.choice(("", "附")) + numeral + "院"),
            (2, lambda: rng.choice(("", self._made()[:2])) + numeral + rng.choice(_pieces("numbered works"))),
            (3, lambda: rng.choice(("省", "市", "县", "区")) + rng.choice(_pieces("offices in short"))),
            (4, lambda: rng.choice((*self._towns(), self._made())) + rng.choice(_pieces("offices in short"))),
            (2, lambda: rng.choice(_letters("entities.txt", "towns in short")) + rng.choice(_pieces("works in short"))),
            (1, lambda: self.school() + numeral + "院"),
        )

    def address(self) -> str:
        """A chain of places down to a street, an estate, a village or a room."""
        return self._by_a_writer("地址") or self._made_up_address()

    def _made_up_address(self) -> str:
        rng = self._rng
        head = self._maybe(0.25, self._towns()) + rng.choice(("", "", "市"))
        if head == "市":
            head = ""
        head += rng.choice(("", "", self._made() + rng.choice("区县市旗")))
        return self._weighted(
            (4, lambda: head + self._made() + rng.choice(_pieces("street ends")) + self._number()),
            (5, lambda: head + self._estate()),
            (3, lambda: head + self._made() + rng.choice(_pieces("street ends")) + self._estate()),
            (
                5,
                lambda: (
                    head
                    + self._maybe_town()
                    + self._made()
                    + rng.choice(_pieces("village ends"))
                    + rng.choice(("", "", "", self._group()))
                ),
            ),
            (2, lambda: head + self._made() + rng.choice(("镇", "乡", "街道", "社区", "县", "区"))),
            (4, lambda: rng.choice(("", "", head)) + rng.choice(_known("places")) + rng.choice(("", "", "镇", "街道"))),
            (
                2,
                lambda: (
                    head
                    + rng.choice(_pieces("old works"))
                    + rng.choice(("家属院", "宿舍", "家属楼", "大院"))
                    + self._building()
                ),
            ),
            (
                2,
                lambda: (
                    rng.choice(("东", "西", "南", "北", ""))
                    + self._made()[:1]
                    + rng.choice(("园", "苑", "区", "舍", "楼"))
                    + rng.choice("123456789")
                    + rng.choice(("栋", "号楼", "舍", "幢"))
                    + rng.choice(("", self._room()))
                ),
            ),
        )

    def _weighted(self, *makers: tuple[int, Callable[[], str]]) -> str:
        weights, functions = zip(*makers, strict=True)
        return self._rng.choices(functions, weights)[0]()

    def _common(self, entries: Sequence[str]) -> str:
        size = max(1, int(len(entries) * self._rng.choice(_HEADS)))
        return entries[self._rng.randrange(size)]

    def _maybe(self, share: float, entries: Sequence[str]) -> str:
        return self._rng.choice(entries) if self._rng.random() < share else ""

    def _given(self, size: int) -> str:
        return "".join(self._common(_letters("entities.txt", "given")) for _ in range(size))

    def _minority(self) -> str:
        pieces = _pieces("minority names")
        if self._rng.random() < 0.5:
            return self._rng.choice(pieces) + self._rng.choice(("·", "")) + self._rng.choice(pieces)
        return self._rng.choice(pieces)

    def _towns(self) -> tuple[str, ...]:
        return _pieces("towns", "entities.txt")

    def _made(self) -> str:
        rng = self._rng
        size = rng.choice((1, 2, 2, 2, 3))
        name = "".join(rng.choices(_letters("tagger/values.txt", "town characters"), k=size))
        if rng.random() < 0.15:
            name = self.surname()[0] + rng.choice(("家", "", "庄", "集"))
        return (
            rng.choice(
                (
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "大",
                    "小",
                    "老",
                    "新",
                    "东",
                    "西",
                    "南",
                    "北",
                    "前",
                    "后",
                )
            )
            + name
        )

    def _place(self) -> str:
        """A town, with its district or not, or a made-up name."""
        rng = self._rng
        return self._weighted(
            (4, lambda: rng.choice(self._towns())),
            (1, lambda: rng.choice(self._towns()) + rng.choice("市县区")),
            (4, self._made),
            (2, lambda: self._made() + rng.choice("镇县区市乡")),
            (2, self._brand),
        )

    def _town(self, share: float) -> str:
        return self._maybe(share, self._towns())

    def _brand(self) -> str:
        rng = self._rng
        characters = _letters("tagger/values.txt", "brand characters")
        if rng.random() < 0.3:
            characters += _letters("entities.txt", "given")[:400] + _letters("tagger/values.txt", "town characters")
        if rng.random() < 0.15:
            return rng.choice(_pieces("nicknames")) + rng.choice(("", "", rng.choice(characters)))
        if rng.random() < 0.15:
            return rng.choice(_pieces("words of brands"))
        return "".join(rng.choices(characters, k=rng.choice((2, 2, 2, 2, 3, 4))))

    def _number(self) -> str:
        rng = self._rng
        return rng.choice(("", "", f"{rng.randrange(1, 400)}号", f"{rng.randrange(1, 90)}弄{rng.randrange(1, 60)}号"))

    def _estate(self) -> str:
        rng = self._rng
        name = rng.choice((self._made, self._brand))() + rng.choice(_pieces("estate ends"))
        return (
            name
            + rng.choice(("", "", rng.choice(("一期", "二期", "3期", "东区"))))
            + rng.choice(("", self._building()))
        )

    def _building(self) -> str:
        rng = self._rng
        number = str(rng.randrange(1, 40)) if rng.random() < 0.8 else rng.choice(_NUMERALS)
        if rng.random() < 0.15:
            return f"{number}-{rng.randrange(1, 6)}-{rng.randrange(101, 3000)}"
        unit = rng.choice(("", "", f"{rng.randrange(1, 5)}单元"))
        return number + rng.choice(("栋", "号楼", "幢", "排", "号", "座")) + unit + rng.choice(("", self._room()))

    def _room(self) -> str:
        return str(self._rng.randrange(101, 3000)) + self._rng.choice(("", "室", "房", "号"))

    def _maybe_town(self) -> str:
        return self._rng.choice(("", self._made() + self._rng.choice(("镇", "乡", "街道", "公社"))))

    def _group(self) -> str:
        return f"{self._rng.randrange(1, 15)}" + self._rng.choice(("组", "队", "号", "社"))
