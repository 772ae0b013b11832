"""The migrations make exactly the tables that the models describe."""

from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from services.reporting.app import SERVICE
from shared.migrations import config_of, upgrade
from tests.conftest import FreshDatabase


def test_an_empty_database_becomes_what_the_models_describe(fresh_database: FreshDatabase) -> None:
    dsn = fresh_database("reporting")
    upgrade(SERVICE.migrations, dsn)
    upgrade(SERVICE.migrations, dsn)
    command.check(config_of(SERVICE.migrations, dsn))


def test_the_head_file_names_the_newest_revision() -> None:
    head = ScriptDirectory.from_config(config_of(SERVICE.migrations, "")).get_current_head()
    assert (Path(SERVICE.migrations) / ".head").read_text().split() == [head]
