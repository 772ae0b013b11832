"""The migrations make exactly the tables that the models describe."""

import asyncio
from pathlib import Path

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

import services.identity.account.models
import services.identity.client.models
import services.identity.custody.models
import services.identity.line.models
import services.identity.org.models
import services.identity.sign_in.models
import services.identity.signing_key.models
import services.identity.staff.models  # noqa: F401 - tables register themselves
from services.identity.tables import METADATA
from shared.migrations import config_of
from tests.factories.identity import MIGRATIONS


async def differences(dsn: str) -> list[object]:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))

    def compare(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


def test_a_migrated_database_is_what_the_models_describe(identity_dsn: str) -> None:
    assert asyncio.run(differences(identity_dsn)) == []


def test_the_head_is_the_one_that_was_written_down() -> None:
    scripts = ScriptDirectory.from_config(config_of(MIGRATIONS, ""))
    assert scripts.get_heads() == [Path(MIGRATIONS / ".head").read_text().strip()]
