"""How an entry looks over HTTP and in the live stream."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class Entry(BaseModel):
    """One event of the suite, as it stands in the log."""

    index: int = Field(description="position in the log; proofs are about it")
    event_id: str
    type: str
    source: str
    subject: str
    sequence: int | None = Field(description="version of the subject that the event made")
    actor: str | None
    occurred_at: datetime
    received_at: datetime
    items: list[str] = Field(description="codes of the items that the event is about")
    data: dict[str, Any] = Field(
        description="the event's data; `values` by item code if you may see them, or `unavailable` (their owner is "
        "away), or `erased` (their key was destroyed)"
    )
    withheld: list[str] = Field(description="members of the data that you may not see, since they tell a value")
    leaf_hash: str = Field(description="hex; an inclusion proof starts from it")
