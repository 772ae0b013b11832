"""All tables of the audit database: the log's own, and those of the outbox, the inbox and the HTTP door."""

from services.audit.log.models import metadata
from shared.inbox import inbox_tables
from shared.outbox import outbox_table
from shared.web import idempotency_table

outbox_table(metadata)
inbox_tables(metadata)
idempotency_table(metadata)

__all__ = ["metadata"]
