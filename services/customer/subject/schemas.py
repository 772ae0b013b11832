"""HTTP shapes of subject access."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from services.customer.file.schemas import HistoryEntry, ValueView
from shared.regime import Text


class DisclosedItem(ValueView):
    """An item with its value; `field_class` says what kind of thing it tells."""

    code: str
    label: Text
    personal: bool
    field_class: str


class Reader(BaseModel):
    """A role, what it may do, and which classes of fields it sees for that; null: all."""

    role: Text
    actions: list[str]
    field_classes: list[str] | None


class Purpose(BaseModel):
    """What data are read for, and by which roles."""

    purpose: str
    title: Text
    readers: list[Reader]


class DisclosureView(BaseModel):
    """All that is kept of one customer. `records`: of each feature, by its name; `withheld`: what was left out."""

    customer: dict[str, Any]
    items: list[DisclosedItem]
    withheld: list[str]
    history: list[HistoryEntry]
    records: dict[str, Any]
    purposes: list[Purpose]
    disclosed_at: datetime
    disclosed_by: str
