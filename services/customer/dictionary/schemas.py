"""HTTP shapes of the dictionary."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.regime import FieldType, Maintenance, Secrecy, Text


class Reference(BaseModel):
    """Which text of the measure this is."""

    id: str
    version: str
    hash: str


class GroupView(BaseModel):
    """One group of items."""

    id: str
    label: Text


class ItemView(BaseModel):
    """One item: what it means, what it may hold, who keeps it, who may read it."""

    code: str
    label: Text
    group: str
    definition: Text
    calibre: Text
    type: FieldType
    maintenance: Maintenance
    source: str
    secrecy: Secrecy
    required: bool
    personal: bool
    maintained_by: str | None
    origin: str
    unit: Text | None = None
    codes: dict[str, Text] | None = None
    codelist: str | None = None
    pattern: str | None = None
    check: str | None = None
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    scale: int | None = None
    formula: str | None = None
    use: str | None = None
    search: list[str] = Field(default=[], description="How it is searched for")


class RuleView(BaseModel):
    """What must hold between items of one file; a fault points at `items`, `reads` are all that it looks at."""

    id: str
    label: Text
    items: list[str]
    reads: list[str]
    message: Text


class DictionaryView(BaseModel):
    """All items of a kind of customer, in the order of their groups."""

    kind: str
    dictionary: Reference
    groups: list[GroupView]
    items: list[ItemView]
    rules: list[RuleView]
