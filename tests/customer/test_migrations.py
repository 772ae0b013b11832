"""The migrations make exactly the tables that the code describes."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.customer.app import SERVICE
from services.customer.tables import METADATA
from shared.migrations import config_of


async def test_a_migrated_database_is_what_the_models_say(dsn: str) -> None:
    import asyncpg

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))

    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection), METADATA)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_history_is_append_only(dsn: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(dsn)
    try:
        for statement in (
            "UPDATE customer_event SET actor = 'x'",
            "DELETE FROM grade_change",
            "TRUNCATE customer_event",
        ):
            try:
                await connection.execute(statement)
            except asyncpg.RestrictViolationError:
                continue
            raise AssertionError(f"{statement} went through")
    finally:
        await connection.close()


def test_there_is_one_head_and_it_is_named() -> None:
    script = ScriptDirectory.from_config(config_of(SERVICE.migrations, "postgresql://nowhere/none"))
    named = (Path(SERVICE.migrations) / ".head").read_text().strip()
    assert script.get_heads() == [named]
