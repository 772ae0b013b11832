"""Items of a customer's file: what a dictionary says of one, of rules across them, and of taking them by reference.

Used by `shared.regime.dictionary`, which puts them together. Requirements R1.1, R1.3, R1.4, R5.1.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.expressions import ExpressionError, names
from shared.regime.definition import Json, Secrecy, Sentence, Shape, Slug, Snake, Text
from shared.regime.field import FieldType, ValueField

Condition = Annotated[str, Field(min_length=1, max_length=2000)]
TODAY = "today"
"""What rules call the day on which they are asked."""

GroupKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$", max_length=121)]


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


class SearchBy(StrEnum):
    """How an item is searched for."""

    TEXT = "text"  # by any part of it
    PINYIN = "pinyin"  # by how any part of it is read: first letters of the characters, or whole syllables
    NUMBER = "number"  # by any three or more of its digits and letters in a row


_SEARCHED = frozenset({FieldType.TEXT, FieldType.CODE, FieldType.PHONE})


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
    search: tuple[SearchBy, ...] = Field(default=(), description="How it is searched for; not at all, if empty")
    formula: Sentence | None = None

    @model_validator(mode="after")
    def _can_be_searched_for(self) -> Self:
        if self.search and (self.type not in _SEARCHED or self.maintenance is Maintenance.SYSTEM):
            raise ValueError(f"search: only {', '.join(sorted(_SEARCHED))} that people keep can be searched for")
        if len(set(self.search)) < len(self.search):
            raise ValueError("search: name each way once")
        return self


class Override(Shape):
    """What a kind of customer says otherwise of an item that it takes from another one.

    What the item is (type, limits, secrecy, use, search) stays the same wherever it is taken, so that it means one
    thing in lists, merges and grants.
    """

    label: Text | None = None
    definition: Text | None = None
    calibre: Text | None = None
    required: bool | None = None
    maintenance: Maintenance | None = None
    maintained_by: Slug | None = None
    origin: Origin | None = None

    def of(self, item: Item) -> Item:
        """The item as it is taken."""
        return item.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class Taken(Shape):
    """Items that a group takes from `group` of another kind, and the totals that system items among them need.

    Rules that read none but taken items come with them.
    """

    group: GroupKey = Field(description="<kind>.<id of the group>")
    items: tuple[Snake, ...] = Field(min_length=1)
    totals: tuple[Snake, ...] = ()
    overrides: Mapping[Snake, Override] = {}

    def resolve(self, code: str, item: Item) -> Item:
        """The item of a code as it is taken."""
        override = self.overrides.get(code)
        return item if override is None else override.of(item)


class ItemRuleExample(Shape):
    """Values of a file, on a day if the rule asks for it, and whether the rule lets them pass."""

    values: Mapping[Snake, Json]
    today: str | None = Field(default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    passes: bool


class ItemRule(Shape):
    """What must hold between items of one file: it is broken where `when` holds and `expression` is false.

    What cannot be told because a value is missing is not broken. `today` is the day. `items` are those at which a fault
    points; which items a rule reads, and so which changes ask it, is read off the expressions.
    """

    id: Slug
    label: Text
    when: Condition | None = None
    expression: Condition
    items: tuple[Snake, ...] = Field(min_length=1)
    message: Text = Field(description="What is expected, for who is refused")
    examples: tuple[ItemRuleExample, ...] = Field(min_length=2)

    @cached_property
    def reads(self) -> frozenset[str]:
        """The items that the rule reads; none for one that cannot be parsed, which is a flaw of its dictionary."""
        try:
            return frozenset[str]().union(*(names(text) for text in (self.when, self.expression) if text)) - {TODAY}
        except ExpressionError:
            return frozenset()
