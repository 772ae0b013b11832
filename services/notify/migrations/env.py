"""Alembic's entry: all tables of the notify database."""

import services.notify.delivery.models
import services.notify.inbox.models  # noqa: F401 - tables register themselves with METADATA
from services.notify.tables import METADATA
from shared.migrations import run

run(METADATA)
