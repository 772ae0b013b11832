"""HTTP shapes of timelines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class LineView(BaseModel):
    """One thing that happened. `source` is the feature that tells it, `record` names what it is about there.

    For the versions of the file that is the version, and `facts.items` are the codes of the items.
    """

    at: datetime
    type: str = Field(examples=["customer.changed", "purchase.recorded", "photo.kept"])
    actor: str
    source: str
    record: str
    facts: dict[str, Any]
