"""Queues the messages that an event sends, and delivers what is due. Called by consumers and jobs.

Exactly once: the event's id is marked in the same transaction (shared.inbox), a message is unique by (event, template),
a delivery by (message, recipient, channel), an inbox entry by its delivery.
"""

from datetime import datetime
from typing import Any

from services.notify.delivery import repository, rules
from services.notify.inbox import service as inbox
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.events import Envelope, Event, MessageDelivered, RegimeRef
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Message, Regimes
from shared.telemetry import span

_BATCH = 500


class Deliveries:
    def __init__(self, outbox: Outbox, regimes: Regimes) -> None:
        self._outbox = outbox
        self._regimes = regimes

    async def on_event(self, tx: Transaction, envelope: Envelope, event: Event) -> None:
        """Queue every message declared for the event, in the wording that was in force on its day.

        Raises: Unfillable
        """
        on = day_of(envelope.time)
        known = rules.facts(envelope, event)
        for message in self._regimes.messages(envelope.type, on=on):
            await self._queue(tx, envelope, message, known)

    async def _queue(self, tx: Transaction, envelope: Envelope, message: Message, known: dict[str, Any]) -> None:
        text = rules.render(message, known)
        ref = message.ref.as_json()
        row = {
            "id": new_id(),
            "cause": envelope.id,
            "event_type": envelope.type,
            "about": envelope.subject,
            "template_id": ref["id"],
            "template_version": ref["version"],
            "template_hash": ref["hash"],
            "shown_by": message.shown_by,
            "unit": known["data"].get("unit"),
            "manager": known["data"].get("manager"),
            "secrecy": message.secrecy.value,
            "subject": text.subject,
            "body": text.body,
            "traceparent": envelope.traceparent,
        }
        recipient = rules.recipient_of(message, known)
        if await repository.add_message(tx, row):
            delivery = {"id": new_id(), "message_id": row["id"], "recipient": recipient, "channel": rules.INBOX}
            await repository.add_delivery(tx, delivery)

    async def deliver_due(self, tx: Transaction, now: datetime) -> int:
        """Put what is due into the inboxes and publish that it stands there; how many."""
        rows = await repository.due(tx, rules.INBOX, now, _BATCH)
        if not rows:
            return 0
        await inbox.put(tx, [_entry(row, now) for row in rows])
        await repository.set_delivered(tx, [row["id"] for row in rows], now)
        for row in rows:
            with span("notify deliver", parent=row["traceparent"]):
                await self._publish(tx, row, now)
        return len(rows)

    async def _publish(self, tx: Transaction, row: Record, now: datetime) -> None:
        event = MessageDelivered(
            message_id=str(row["message_id"]),
            recipient=row["recipient"],
            channel=rules.INBOX,
            template=RegimeRef(**_template(row)),
            cause=str(row["cause"]),
        )
        subject = f"message/{row['message_id']}"
        envelope = self._outbox.envelope(event, feature="delivery", subject=subject, actor="system/notify", at=now)
        await self._outbox.add(tx, envelope, event)


def _template(row: Record) -> dict[str, str]:
    return {"id": row["template_id"], "version": row["template_version"], "hash": row["template_hash"]}


def _entry(row: Record, now: datetime) -> dict[str, Any]:
    carried = ("id", "recipient", "about", "event_type", "shown_by", "unit", "manager", "secrecy", "subject", "body")
    return {**{name: row[name] for name in carried}, "template": _template(row), "delivered_at": now}
