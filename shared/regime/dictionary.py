"""Dictionaries: the items of a kind of customer. Read by the customer service and by the console.

A file holds one group; the groups of one kind of customer together are its `Catalogue`. Values are read by
`shared.regime.field`; who may set one is decided by the customer service. Requirements R1.1, R1.3.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import ClassVar

from pydantic import Field

from shared.expressions import Schema, Type
from shared.regime.codelist import Codelist, field_flaws, known_lists
from shared.regime.definition import (
    Definition,
    Flaw,
    Json,
    Library,
    Path,
    Ref,
    Secrecy,
    Sentence,
    Shape,
    Slug,
    Snake,
    Text,
    doubled,
)
from shared.regime.field import FieldType, ValueField
from shared.regime.role import FIELD_CLASSES, Role
from shared.regime.vocabulary import TYPES, expression_flaws, types_of


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


class Use(StrEnum):
    """What an item is to the services, so that none of them has to know its code."""

    NUMBER = "number"  # the customer's number in business, unique among those of its kind
    NAME = "name"  # what people call the customer
    MANAGER = "manager"  # the member of staff who answers for the customer
    STATUS = "status"  # whether the customer trades at present


class Item(ValueField):
    """One item of a customer's file. `formula` computes a system item from totals; nobody sets such an item."""

    definition: Text
    calibre: Text = Field(description="How the value is counted or taken, so that two people get the same one")
    maintenance: Maintenance
    source: Source
    secrecy: Secrecy = Secrecy.INTERNAL
    field_class: Snake = Field(default="general", description="What kind of thing it tells; roles grant classes")
    maintained_by: Slug | None = Field(default=None, description="The role that keeps it; none for system items")
    origin: Origin = Origin.MEASURE
    use: Use | None = None
    formula: Sentence | None = None


class Dealings(StrEnum):
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
    dealings: Dealings
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

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield codes used twice, values that nothing allows, keepers that nobody is, formulas that do not hold."""
        on = self.effective_from
        groups = [group for group in library.all(Dictionary, on=on) if group.kind == self.kind]
        catalogue = Catalogue(self.kind, groups)
        yield from self._doubles(groups)
        for position, total in enumerate(self.totals):
            if (total.of is None) is not (total.aggregate is Aggregate.COUNT):
                yield Flaw(
                    ("totals", position), f"{total.aggregate} of {total.of}", "count has no `of`; others need it"
                )
        for position, item in enumerate(self.items):
            path: Path = ("items", position)
            yield from field_flaws(item, path, library, on=on)
            yield from _keeper_flaws(item, path, library, on=on)
            yield from _class_flaws(item, path, library, on=on)
            if item.formula is not None:
                schema = Schema(catalogue.total_types, known_lists(library, on=on))
                yield from expression_flaws(item.formula, schema, (*path, "formula"), *_computes(item))

    def _doubles(self, groups: Iterable["Dictionary"]) -> Iterator[Flaw]:
        yield from doubled([item.code for item in self.items], "items", "code")
        yield from doubled([total.code for total in self.totals], "totals", "code")
        others = [group for group in groups if group.id != self.id]
        taken = {item.code: group.id for group in others for item in group.items}
        uses = {item.use: item.code for group in groups for item in group.items}
        for position, item in enumerate(self.items):
            if item.use is not None and uses[item.use] != item.code:
                yield Flaw(("items", position, "use"), f"{uses[item.use]!r} serves as {item.use} too", "keep one")
            if item.code in taken:
                yield Flaw(("items", position, "code"), f"{taken[item.code]} has {item.code!r}", "choose another code")


def _keeper_flaws(item: Item, path: Path, library: Library, *, on: date) -> Iterator[Flaw]:
    if item.maintenance is Maintenance.SYSTEM:
        if item.formula is None or item.maintained_by is not None:
            yield Flaw(
                path, f"system item {item.code!r} has a formula and no keeper", "add formula, drop maintained_by"
            )
        return
    if item.formula is not None:
        yield Flaw((*path, "formula"), f"{item.code!r} is kept by people", "only system items have a formula")
    if item.maintained_by is None or library.find(Role, item.maintained_by, on=on) is None:
        yield Flaw(path, f"{item.code!r} is kept by {item.maintained_by}", "maintained_by names a role")


def _class_flaws(item: Item, path: Path, library: Library, *, on: date) -> Iterator[Flaw]:
    listed = library.find(Codelist, FIELD_CLASSES, on=on)
    if listed is None or item.field_class not in listed.codes:
        yield Flaw((*path, "field_class"), f"no field class {item.field_class!r}", f"see the code list {FIELD_CLASSES}")


def _computes(item: Item) -> tuple[Type, ...]:
    """Return the types that a formula of the item may have; a literal code is a text to the type checker."""
    wanted = TYPES[item.type]
    return (wanted, Type.TEXT) if wanted is Type.CODE else (wanted,)


class Catalogue:
    """All items and totals of one kind of customer on one day, by code, in the order of the groups."""

    def __init__(self, kind: str, groups: Iterable[Dictionary]) -> None:
        self.kind = kind
        self.groups = tuple(sorted(groups, key=lambda group: group.position))
        self.items: Mapping[str, Item] = {item.code: item for group in self.groups for item in group.items}
        self.totals: Mapping[str, Total] = {total.code: total for group in self.groups for total in group.totals}

    @cached_property
    def ref(self) -> Ref:
        """One identity for all groups together: the latest day, and a hash over theirs."""
        measure = self.groups[0].measure
        digest = sha256("".join(group.ref.hash for group in self.groups).encode()).hexdigest()
        return Ref(f"{measure}/dictionary/{self.kind}", max(group.ref.version for group in self.groups), digest)

    @cached_property
    def total_types(self) -> Mapping[str, Type]:
        """The totals as expressions see them: `total.<code>`."""
        return {f"total.{total.code}": TYPES[total.type] for total in self.totals.values()}

    @cached_property
    def types(self) -> Mapping[str, Type]:
        """Items and totals as expressions see them."""
        return {**types_of(self.items.values()), **self.total_types}

    @cached_property
    def group_of(self) -> Mapping[str, str]:
        """Item code -> id of its group."""
        return {item.code: group.id for group in self.groups for item in group.items}

    @cached_property
    def uses(self) -> Mapping[str, Use]:
        """Item code -> what the item serves as, for those that serve as something."""
        return {item.code: item.use for item in self.items.values() if item.use is not None}

    @cached_property
    def system_items(self) -> tuple[Item, ...]:
        """The items that the system computes."""
        return tuple(item for item in self.items.values() if item.maintenance is Maintenance.SYSTEM)

    def used_as(self, use: Use) -> Item | None:
        """Return the item that serves as something, if the kind has one."""
        return next((item for item in self.items.values() if item.use is use), None)

    @cached_property
    def required(self) -> frozenset[str]:
        """Codes that a complete file must have."""
        return frozenset(item.code for item in self.items.values() if item.required)
