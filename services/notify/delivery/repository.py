"""All SQL of the delivery spine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from services.notify.delivery.models import delivery, message
from shared.db import Record, Transaction


async def add_message(tx: Transaction, row: dict[str, Any]) -> bool:
    """Add it; False, and nothing added, if this event has sent this message before."""
    return await tx.execute(insert(message).values(row).on_conflict_do_nothing()) == 1


async def add_delivery(tx: Transaction, row: dict[str, Any]) -> None:
    await tx.execute(insert(delivery).values(row).on_conflict_do_nothing())


async def due(tx: Transaction, channel: str, now: datetime, limit: int) -> list[Record]:
    """Queued deliveries whose time has come, with their messages; nobody else gets them until the transaction ends."""
    is_due = (delivery.c.state == "queued") & (delivery.c.not_before <= now) & (delivery.c.channel == channel)
    columns = [each for each in message.c if each.name not in ("id", "created_at")]
    statement = (
        select(delivery.c.id, delivery.c.message_id, delivery.c.recipient, *columns)
        .join(message, message.c.id == delivery.c.message_id)
        .where(is_due)
        .order_by(delivery.c.not_before, delivery.c.id)
        .limit(limit)
        .with_for_update(of=delivery, skip_locked=True)
    )
    return await tx.fetch(statement)


async def set_delivered(tx: Transaction, ids: Sequence[UUID], now: datetime) -> None:
    done = update(delivery).where(delivery.c.id.in_(ids)).values(state="delivered", delivered_at=now)
    await tx.execute(done)
