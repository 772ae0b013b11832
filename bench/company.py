"""Draws the customers of a made-up company: plausible values for every item that people set, from the dictionary."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from services.customer.dictionary.service import Dictionaries
from shared.clock import day_of, now
from shared.ids import new_id
from shared.regime import Catalogue, FieldType, Item, Maintenance, Use, load

KIND = "retail"
REGIMES = Path(__file__).parents[1] / "regimes"
UNITS = 2_000
LATE_UNITS = 1_500
"""From this one on: units whose shops all come at the end of a list by name."""
LATE_FAMILIES = "周朱邹"
FAMILIES = (
    "安白包蔡曹常陈程崔戴邓丁董杜段范方冯傅高葛龚顾郭韩郝何贺洪侯胡黄江姜蒋金康孔赖雷黎李梁廖林刘龙卢陆罗吕马毛孟莫潘彭钱秦"
    "邱任邵沈石史宋苏孙谭汤唐陶田万汪王韦魏文吴武夏肖谢熊徐许薛严阎杨姚叶易尹于余袁曾张赵郑钟"
)
GIVEN = (
    "安邦宝成春德东发福刚光贵国海浩恒红华辉嘉建江杰金军俊康乐力丽利林龙美明宁平强庆荣山胜盛顺泰涛天万伟文祥新鑫兴旭阳怡义永"
    "玉远云振志忠"
)
SHOPS = ("店", "便利店", "超市", "商店", "烟酒店", "百货店", "小卖部", "商行")
ROADS = ("路", "街", "巷", "大道")

_CHANGED = ("business_area", "settlement_method", "credit_level")
_WORDS = (
    "示例",
    "内容",
    "长短",
    "日常",
    "所填",
    "相仿",
    "说明",
    "登记",
    "核对",
    "一致",
    "按月",
    "门店",
    "前台",
    "仓库",
)
_DISTRICTS = tuple(f"{first}{side}区" for first in GIVEN[:10] for side in "东西")
_BASES = 512
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer, without the values that are not also list columns."""

    id: UUID
    unit: str
    manager: str
    number: str
    name: str
    status: str
    grade: str
    at: datetime


class Company:
    """Draws customers: the same ones from the same seed, but for their ids."""

    def __init__(self, seed: int = 26) -> None:
        self._chance = random.Random(seed)
        self._dictionaries = Dictionaries(load(REGIMES))
        self._moment = now()
        self.catalogue: Catalogue = self._dictionaries.catalogue(KIND, self._moment)
        self._codes = {use: code for code, use in self.catalogue.uses.items()}
        self._own = {*self._codes.values(), "address", "contact_person", "contact_phone"}
        bases = [self._base() for _ in range(_BASES)]
        self.items = len(bases[0]) + len(self._own)
        """How many values a file has; all others of the dictionary are computed."""
        self._bases = [orjson.dumps(base)[1:] for base in bases]

    def _base(self) -> dict[str, Any]:
        """Stored values of all items that are not drawn anew for each customer. What no try gets right is left out."""
        missing = [item for item in self.catalogue.items.values() if item.maintenance is not Maintenance.SYSTEM]
        missing = [item for item in missing if item.code not in self._own]
        base: dict[str, Any] = {}
        for _ in range(_TRIES):
            raw = {item.code: self._value(item) for item in missing}
            values, faults = self._dictionaries.read_values(self.catalogue, raw, self._moment)
            wrong = {fault.pointer.rpartition("/")[2] for fault in faults}
            base |= {code: value for code, value in values.items() if code not in wrong}
            missing = [item for item in missing if item.code not in base]
        return base

    def _value(self, item: Item) -> Any:
        chance = self._chance
        if listed := self._dictionaries.codes(item, day_of(self._moment)):
            return chance.choice(list(listed))
        match item.type:
            case FieldType.INTEGER | FieldType.DECIMAL | FieldType.MONEY:
                least, most = int(item.minimum or 0), int(item.maximum or 5_000)
                return chance.randint(least, min(most, least + 5_000))
            case FieldType.DATE:
                return (date(2015, 1, 1) + timedelta(days=chance.randrange(4_000))).isoformat()
            case FieldType.BOOLEAN:
                return chance.random() < 0.5
            case FieldType.PHONE:
                return self._phone()
            case FieldType.PHOTO:
                return str(UUID(int=chance.getrandbits(128), version=4))
        if item.pattern is not None:
            return _fitting(item.pattern, chance)
        return "".join(chance.choices(_WORDS, k=chance.randint(2, 8)))[: item.max_length]

    def _phone(self) -> str:
        return f"1{self._chance.randint(3, 9)}{self._chance.randrange(10**9):09d}"

    def customers(self, count: int) -> Iterator[Customer]:
        """So many customers, in order of their ids; units take turns."""
        chance, since = self._chance, self._moment - timedelta(days=900)
        for number in range(count):
            unit = number % UNITS
            family = chance.choice(LATE_FAMILIES if unit >= LATE_UNITS else FAMILIES)
            name = family + chance.choice(GIVEN) + chance.choice(GIVEN) + chance.choice(SHOPS)
            share = chance.random()
            status = "suspended" if share < 0.001 else "closed" if share < 0.05 else "active"
            manager, at = f"manager-{unit}-{number // UNITS % 3}", since + timedelta(seconds=number * 60 % 77_000_000)
            yield Customer(
                new_id(), f"unit-{unit}", manager, f"C-{number:08d}", name, status, chance.choice("ABCDE"), at
            )

    def values(self, customer: Customer) -> bytes:
        """All stored values of a customer, as JSON."""
        chance = self._chance
        own = {
            self._codes[Use.NUMBER]: customer.number,
            self._codes[Use.NAME]: customer.name,
            self._codes[Use.MANAGER]: customer.manager,
            self._codes[Use.STATUS]: customer.status,
            "address": self._address(),
            "contact_person": chance.choice(FAMILIES) + "".join(chance.choices(GIVEN, k=chance.randint(1, 2))),
            "contact_phone": self._phone(),
        }
        return orjson.dumps(own)[:-1] + b"," + chance.choice(self._bases)

    def _address(self) -> str:
        """In one city, as a company's customers are: what all addresses have in common is the hard case of a search."""
        chance = self._chance
        road = chance.choice(GIVEN) + chance.choice(GIVEN) + chance.choice(ROADS)
        return f"虚构市{chance.choice(_DISTRICTS)}{road}{chance.randrange(1, 999)}号"

    def meta(self, customer: Customer) -> bytes:
        """As JSON: who changed which items when, since registration; a few of them, which is what sparse means."""
        moment = (customer.at + timedelta(days=30)).isoformat()
        changed: Sequence[str] = _CHANGED[: self._chance.randint(0, len(_CHANGED))]
        return orjson.dumps({code: [f"staff/{customer.manager}", moment, moment] for code in changed})


def _fitting(pattern: str, chance: random.Random) -> str:
    """A text that fits the pattern of an item, if one of the usual forms does."""
    digits = f"{chance.randrange(10**18):018d}"
    forms = (*(digits[:length] for length in (18, 12, 8, 6, 4, 3)), "08:00-22:00", f"shop{digits[:6]}@example.com")
    return next((text for text in forms if re.fullmatch(pattern, text)), digits)
