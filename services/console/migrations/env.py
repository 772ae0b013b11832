"""Alembic's entry: all tables of the console database."""

import services.console.session.models  # noqa: F401 - tables register themselves with METADATA
from services.console.tables import METADATA
from shared.migrations import run

run(METADATA)
