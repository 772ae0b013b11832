"""Units as the other features see them. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Unit:
    """An organisation unit; `parent` is none for the top, `title` is {zh, en}."""

    id: str
    parent: str | None
    kind: str
    title: dict[str, str]
    version: int = 0
    closed_at: datetime | None = None

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    @property
    def items(self) -> dict[str, Any]:
        """What a change can touch."""
        return {"kind": self.kind, "title": self.title, "parent": self.parent, "closed": self.is_closed}
