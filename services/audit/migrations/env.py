"""Alembic's entry: all tables of the audit database."""

from services.audit.tables import metadata
from shared.migrations import run

run(metadata)
