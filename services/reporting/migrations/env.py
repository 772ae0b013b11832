"""Alembic's entry: all tables of the reporting database."""

from services.reporting.submission.models import submission
from shared.migrations import run

run(submission.metadata)
