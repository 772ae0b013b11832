"""Facts about two files of one customer. Each is told twice, once of either file; values and reasons are in none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from shared.events.envelope import Event


class MergeEvent(Event):
    """What both say: which merge, of which file this is told, and which of the two it is.

    The file that closes or opens again gets a version by it (`sequence`); what changes in the other one is a
    `customer.changed` of its own. `moved`: how many records of each feature went along.
    """

    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    unit: str
    manager: str | None = None
    part: Literal["survivor", "loser"]
    other_id: str
    merge: str
    items: tuple[str, ...]
    moved: Mapping[str, int]


class CustomerMerged(MergeEvent):
    """Two files became one: the loser is closed, its records and the taken items are the survivor's."""

    type: ClassVar[str] = "customer.merged"


class CustomerUnmerged(MergeEvent):
    """A merge was undone: the loser is open again with its records, the survivor has its former values."""

    type: ClassVar[str] = "customer.unmerged"
