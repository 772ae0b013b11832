"""Alembic's entry: all tables of the reporting database."""

from services.reporting.submission import models
from shared.migrations import run

run(models.METADATA)
