"""The metadata of the notify database, with the tables of the outbox, the inbox, the roster and the HTTP door."""

from sqlalchemy import MetaData

from shared.auth import roster_table
from shared.inbox import inbox_tables
from shared.outbox import outbox_table
from shared.web import idempotency_table

METADATA = MetaData()
outbox_table(METADATA)
inbox_tables(METADATA)
idempotency_table(METADATA)
roster_table(METADATA)
