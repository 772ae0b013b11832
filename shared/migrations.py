"""Alembic for every service: its own history, its own database. Called by `python -m services.<name> migrate`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('kehu_migrate'))"


def config_of(folder: Path, url: str) -> Config:
    """The alembic configuration of a service whose migrations lie in `folder`."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s")
    config.attributes["url"] = url
    return config


def upgrade(folder: Path, url: str) -> None:
    """Bring the database to the newest version; several processes may try at once."""
    command.upgrade(config_of(folder, url), "head")


def run(metadata: MetaData) -> None:
    """What each service's `migrations/env.py` calls."""
    url: str = context.config.attributes["url"]
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )

    def migrate(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
        with context.begin_transaction():
            connection.execute(text(_LOCK))
            context.run_migrations()

    async def go() -> None:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
        await engine.dispose()

    asyncio.run(go())
