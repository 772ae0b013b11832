"""What an export asks of features above it: whether classified items may leave, and how a copy is known again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.customer.exchange import errors
from shared.auth import Principal
from shared.db import Transaction

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is to leave: for whom, which customers, and the items that need a grant with their levels."""

    export_id: UUID
    recipient: str
    kind: str
    filters: Mapping[str, str]
    items: Mapping[str, str]


class Grants(Protocol):
    """Whoever keeps grants of bulk reading (R2.2)."""

    async def require(self, tx: Transaction, who: Principal, leaving: Leaving, now: datetime) -> None:
        """Use up the grant for this export. Raises: Forbidden (grant_needed), which names the items that need one"""
        ...


class NoGrants:
    """Nobody gives grants yet: what needs one does not leave."""

    async def require(self, tx: Transaction, who: Principal, leaving: Leaving, now: datetime) -> None:  # noqa: ARG002
        """Refuse. Raises: Forbidden (grant_needed)"""
        raise errors.grant_needed(leaving.items)


class Fingerprint(Protocol):
    """Whoever marks copies, so that a leaked one tells which export it came from (R2.4)."""

    def marked(self, export_id: UUID, recipient: str, rows: Sequence[Row]) -> Sequence[Row]:
        """Some of the rows, by item code, as this copy bears them; called in order, for all rows of the export."""
        ...

    def name(self, export_id: UUID, recipient: str) -> str | None:
        """What stands in the manifest of the mark; none if the copy bears none."""
        ...


class Unmarked:
    """Copies as they are: the manifest alone tells who got which rows."""

    def marked(self, export_id: UUID, recipient: str, rows: Sequence[Row]) -> Sequence[Row]:  # noqa: ARG002
        """The rows."""
        return rows

    def name(self, export_id: UUID, recipient: str) -> str | None:  # noqa: ARG002
        """None."""
        return None
