"""The sample customers: made up from the recipes of `customers.yaml`, the same ones every time.

Pure: gives what the loader sends, knows no service and no network. Dealings end with the month before `today`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from kehu.sample.shop_front import shop_front
from shared.yamls import plain

RECIPES: Final[Mapping[str, Any]] = plain(Path(__file__).with_name("customers.yaml").read_text("utf-8"))
_SLOT: Final = re.compile(r"\{(\w+)(?::(\d+))?\}")


@dataclass(frozen=True)
class SampleCustomer:
    """What is sent for one customer; dealings lack the customer's id, which is given on registration."""

    serial: str
    unit: str
    values: Mapping[str, Any]
    purchases: tuple[Mapping[str, Any], ...]
    violations: tuple[Mapping[str, Any], ...]
    photographs: Mapping[str, bytes]


def sample_customers(today: date) -> Iterator[SampleCustomer]:
    """All of them, in order of their serial numbers."""
    random = Random(RECIPES["seed"])  # noqa: S311 - sample data, the same each time
    shares = [each["share"] for each in RECIPES["units"]]
    for number in range(1, RECIPES["count"] + 1):
        serial = f"{number:04}"
        home = random.choices(RECIPES["units"], shares)[0]
        known = {"serial": serial, "unit": home["unit"], "manager": home["manager"]}
        values = {
            code: _cook(recipe, known, random)
            for code, recipe in RECIPES["items"].items()
            if random.randrange(100) < recipe.get("share", 100)
        }
        purchases = tuple(_purchases(serial, today, random))
        violations = tuple(_violations(serial, today, random))
        yield SampleCustomer(serial, home["unit"], values, purchases, violations, _photographs(number))


def sample_companies() -> tuple[Mapping[str, Any], ...]:
    """A registration of each other kind of customer, as it is sent."""
    return tuple(RECIPES["companies"])


def _cook(recipe: Mapping[str, Any], known: Mapping[str, str], random: Random) -> Any:
    if "choice" in recipe:
        return random.choice(recipe["choice"])
    if "range" in recipe:
        return random.randint(*recipe["range"])
    if "date" in recipe:
        first, last = recipe["date"]
        return (first + timedelta(days=random.randrange((last - first).days + 1))).isoformat()
    return _SLOT.sub(lambda slot: _fill(slot, known, random), recipe["text"])


def _fill(slot: re.Match[str], known: Mapping[str, str], random: Random) -> str:
    name, count = slot.groups()
    if name == "digits":
        return "".join(random.choices("0123456789", k=int(count)))
    return known[name] if name in known else str(random.choice(RECIPES["words"][name]))


def _purchases(serial: str, today: date, random: Random) -> Iterator[dict[str, Any]]:
    recipe = RECIPES["purchases"]
    size = random.choice(recipe["sizes"])
    spread = recipe["spread"]
    for back in range(recipe["months"], 0, -1):
        month = _month(today, back)
        quantity = size["quantity"] * random.randint(100 - spread, 100 + spread) // 100
        missed = sum(random.randrange(100) < recipe["missed_order_per_cent"] for _ in range(recipe["orders_planned"]))
        yield {
            "source_id": f"sample-{serial}-{month:%Y-%m}",
            "month": f"{month:%Y-%m}",
            "quantity": quantity,
            "amount_fen": quantity * size["price_fen"] * random.randint(90, 110) // 100,
            "varieties": size["varieties"] * random.randint(80, 120) // 100,
            "orders": recipe["orders_planned"] - missed,
            "orders_planned": recipe["orders_planned"],
            "payments_late": int(random.randrange(100) < recipe["late_payment_per_cent"]),
        }


def _violations(serial: str, today: date, random: Random) -> Iterator[dict[str, Any]]:
    recipe = RECIPES["violations"]
    if random.randrange(100) < recipe["share"]:
        found_on = today - timedelta(days=random.randint(20, 330))
        yield {
            "source_id": f"sample-violation-{serial}",
            "found_on": found_on.isoformat(),
            "kind": random.choice(recipe["kinds"]),
            "severity": random.choice(recipe["severities"]),
        }


def _photographs(number: int) -> dict[str, bytes]:
    recipe = RECIPES["photographs"]
    return {recipe["item"]: shop_front(number)} if number <= recipe["count"] else {}


def _month(today: date, back: int) -> date:
    index = today.year * 12 + today.month - 1 - back
    return date(index // 12, index % 12 + 1, 1)
