"""Every input from the bus: all events of all producers go into the log."""

from collections.abc import Sequence

from services.audit.log import service
from services.audit.settings import AuditSettings
from shared.bus import Delivery
from shared.clock import now
from shared.db import Transaction
from shared.inbox import Consumer
from shared.process import Parts

GROUP = "audit"
_GATHER_S = 0.01


def table(parts: Parts, settings: AuditSettings) -> list[Consumer]:
    async def log_events(tx: Transaction, batch: Sequence[Delivery]) -> None:
        await service.receive(tx, settings.origin, GROUP, batch, now())

    return [
        Consumer(
            GROUP,
            parts.topics(),
            log_events,
            database=parts.database,
            transport=parts.transport,
            batch=settings.append_batch,
            gather_s=_GATHER_S,
        )
    ]
