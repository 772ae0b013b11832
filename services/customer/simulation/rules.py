"""A simulation as it is stored, and its figures. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

UNKNOWN = "unknown"


class State(StrEnum):
    """How far a simulation has come."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Simulation:
    """`wording`: the policy as JSON. `counts`: customers by "before>after". The scope is its owner's when asked."""

    id: UUID
    owner: str
    unit: str
    policy: str
    kind: str
    wording: Mapping[str, Any]
    sample: int
    everything: bool
    units: list[str]
    names: list[str]
    state: State
    total: int
    checked: int
    last_id: UUID | None
    counts: Mapping[str, int]
    made_at: datetime
    done_at: datetime | None
    expires_at: datetime


def counted(counts: Mapping[str, int], outcomes: Iterable[tuple[str | None, str | None]]) -> dict[str, int]:
    """The counts with some more customers: grade before, grade after."""
    found = Counter(counts)
    found.update(f"{before or UNKNOWN}>{after or UNKNOWN}" for before, after in outcomes)
    return dict(found)


def matrix(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The counts as rows: from, to, how many customers."""
    rows = [(*pair.split(">"), number) for pair, number in sorted(counts.items())]
    return [{"before": before, "after": after, "customers": number} for before, after, number in rows]


def movers(counts: Mapping[str, int]) -> int:
    """How many would get another grade."""
    return sum(number for pair, number in counts.items() if len(set(pair.split(">"))) == 2)
