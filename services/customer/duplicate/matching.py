"""Files as they are compared: by the rules in force, under the keys from settings. Used by whoever shows or indexes."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.customer.duplicate import repository, rules
from services.customer.duplicate.rules import Comparer, Finding, Forms
from shared.clock import day_of
from shared.db import Transaction
from shared.regime import DuplicateRules, Regimes
from shared.sealing import KeyRing

_PURPOSE = "duplicate"
Seen = Callable[[str], bool]
"""Whether an item may be seen."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared of a customer, by definition; a closed file is like nobody."""

    kind: str
    forms: Mapping[str, Forms]
    id: UUID | None = None
    unit: str = ""
    manager: str | None = None
    name: str = ""
    closed: bool = False


class Matching:
    """The rules in force, at work."""

    def __init__(self, regimes: Regimes, ring: KeyRing) -> None:
        self._regimes = regimes
        self._secrets = ring.derived(_PURPOSE)
        self._on = lru_cache(maxsize=8)(self._comparers)

    def _comparers(self, day: date) -> Mapping[str, Comparer]:
        return {each.id: Comparer(each) for each in self._regimes.all(DuplicateRules, on=day)}

    def comparers(self, now: datetime) -> Mapping[str, Comparer]:
        """The definitions in force, by id."""
        return self._on(day_of(now))

    def codes(self, now: datetime) -> frozenset[str]:
        """The items that any rule compares."""
        return frozenset[str]().union(*(each.codes for each in self.comparers(now).values()))

    def most(self, now: datetime) -> int:
        """How many customers of one key are looked at."""
        return max((each.declared.most for each in self.comparers(now).values()), default=0)

    def occasion(self, now: datetime) -> str:
        """What all keys depend on: another one makes all of them due."""
        texts = [each.declared.ref.hash for each in self.comparers(now).values()]
        return sha256("".join([*texts, sha256(self._secrets[0]).hexdigest()]).encode()).hexdigest()

    def compared(self, kind: str, values: Mapping[str, Any], now: datetime, **file: Any) -> Compared:
        """Some values as they are compared."""
        covering = {name: each for name, each in self.comparers(now).items() if each.declared.covers(kind)}
        return Compared(kind, {name: each.forms(values) for name, each in covering.items()}, **file)

    async def files(self, tx: Transaction, customer_ids: Iterable[UUID], now: datetime) -> dict[UUID, Compared]:
        """Files as they are compared, by id."""
        rows = await repository.files(tx, customer_ids, self.codes(now))
        names = ("id", "unit", "manager", "name", "closed")
        return {
            row["id"]: self.compared(row["kind"], row["present"] or {}, now, **{name: row[name] for name in names})
            for row in rows
        }

    def reference(self, customer_id: UUID) -> str:
        """What stands for a customer towards those who may not know the id; always the same."""
        return hmac.digest(self._secrets[0], customer_id.bytes, sha256).hex()[:32]

    def keys(self, one: Compared, now: datetime) -> set[int]:
        """The keys by which a customer is found; none of a closed file."""
        return set() if one.closed else self._keys(one, now, self._secrets[:1])

    def asked(self, one: Compared, now: datetime) -> set[int]:
        """The keys to look for: also those that were made before the key of the settings changed."""
        return self._keys(one, now, self._secrets)

    def _keys(self, one: Compared, now: datetime, secrets: Iterable[bytes]) -> set[int]:
        comparers = self.comparers(now)
        return {
            key
            for secret in secrets
            for name, forms in one.forms.items()
            for key in comparers[name].keys(forms, secret)
        }

    def judge(
        self, one: Compared, other: Compared, now: datetime, sees: tuple[Seen, Seen] | None = None
    ) -> Finding | None:
        """What the rules say about two customers, judged by the items of each that somebody sees."""
        if one.closed or other.closed:
            return None
        found = []
        for name, comparer in self.comparers(now).items():
            forms = [each.forms.get(name, {}) for each in (one, other)]
            if sees is not None:
                forms = [rules.only(each, seen) for each, seen in zip(forms, sees, strict=True)]
            found.append(comparer.compare(*forms))
        return rules.strongest(found)
