"""Dictionaries: the items of a kind of customer. Read by the customer service and by the console.

A file holds one group; the groups of one kind of customer together are its `Catalogue`. Values are read by
`shared.regime.field`; who may set one is decided by the customer service. Requirements R1.1, R1.3.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Json, Secrecy, Sentence, Shape, Slug, Snake, Text
from shared.regime.field import FieldType, ValueField


class Maintenance(StrEnum):
    """How often an item changes, hence how it is kept: looked through, adjusted each quarter, at once, or computed."""

    STATIC = "static"
    QUARTERLY = "quarterly"
    REALTIME = "realtime"
    SYSTEM = "system"


class Source(StrEnum):
    """Where the value of an item comes from."""

    REGISTRATION = "registration"
    STAFF_COLLECTION = "staff_collection"
    ANALYSIS = "analysis"
    SALES_RECORDS = "sales_records"


class Origin(StrEnum):
    """Whether the measure itself names the item, or this suite added it."""

    MEASURE = "measure"
    EXTENSION = "extension"


class Item(ValueField):
    """One item of a customer's file. `formula` computes a system item from totals; nobody sets such an item."""

    definition: Text
    calibre: Text = Field(description="How the value is counted or taken, so that two people get the same one")
    maintenance: Maintenance
    source: Source
    secrecy: Secrecy = Secrecy.INTERNAL
    maintained_by: Slug | None = Field(default=None, description="The role that keeps it; none for system items")
    origin: Origin = Origin.MEASURE
    formula: Sentence | None = None


class Facts(StrEnum):
    """The records that totals are taken from; the customer service owns them."""

    PURCHASES = "purchases"  # one row a month: quantity, amount, varieties, orders, orders_planned, payments_late
    VIOLATIONS = "violations"  # one row each: severity minor or serious


class Aggregate(StrEnum):
    """How rows become one figure. Over no rows a count is 0, every other figure is unknown."""

    SUM = "sum"
    COUNT = "count"
    AVERAGE = "average"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"


class Total(Shape):
    """A figure about a customer over the last `months` calendar months, the month of the reckoning day included.

    Expressions call it `total.<code>`. `of` is the column to aggregate, `severity` keeps only such violations.
    """

    code: Snake
    label: Text
    facts: Facts
    aggregate: Aggregate
    of: Snake | None = None
    severity: Snake | None = None
    type: FieldType
    months: int = Field(ge=1, le=120)


class ItemsExample(Shape):
    """Values of a file, and the fault code that each refused item gets; no faults means all are accepted."""

    values: Mapping[Snake, Json]
    faults: Mapping[Snake, Snake] = {}


class Dictionary(Definition):
    """One group of items of a kind of customer."""

    kind_name: ClassVar[str] = "dictionary"

    kind: Slug = Field(description="The kind of customer")
    label: Text = Field(description="Name of the group")
    position: int = Field(ge=1, description="Place of the group among the groups of its kind")
    totals: tuple[Total, ...] = ()
    items: tuple[Item, ...] = Field(min_length=1)
    examples: tuple[ItemsExample, ...] = Field(min_length=1)

    @property
    def key(self) -> str:
        """Groups of different kinds may share a name."""
        return f"{self.kind}.{self.id}"


class Catalogue:
    """All items and totals of one kind of customer on one day, by code, in the order of the groups."""

    def __init__(self, kind: str, groups: Iterable[Dictionary]) -> None:
        self.kind = kind
        self.groups = tuple(sorted(groups, key=lambda group: group.position))
        self.items: Mapping[str, Item] = {item.code: item for group in self.groups for item in group.items}
        self.totals: Mapping[str, Total] = {total.code: total for group in self.groups for total in group.totals}

    @cached_property
    def group_of(self) -> Mapping[str, str]:
        """Item code -> id of its group."""
        return {item.code: group.id for group in self.groups for item in group.items}

    @cached_property
    def system_items(self) -> tuple[Item, ...]:
        """The items that the system computes."""
        return tuple(item for item in self.items.values() if item.maintenance is Maintenance.SYSTEM)

    @cached_property
    def required(self) -> frozenset[str]:
        """Codes that a complete file must have."""
        return frozenset(item.code for item in self.items.values() if item.required)
