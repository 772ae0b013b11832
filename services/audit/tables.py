"""All tables of the audit database: the log's own, and those of the outbox, the inbox, the roster and the HTTP door."""

from services.audit.log.models import metadata
from shared.auth import roster_table
from shared.inbox import inbox_tables
from shared.outbox import outbox_table
from shared.web import idempotency_table

outbox_table(metadata)
inbox_tables(metadata)
idempotency_table(metadata)
roster_table(metadata)

__all__ = ["metadata"]
