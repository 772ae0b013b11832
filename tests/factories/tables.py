"""Tables: made as their models describe them, without a migration; and what they all hold."""

import asyncpg
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from shared.db import Database


async def create_tables(dsn: str, metadata: MetaData) -> None:
    """Create every table of `metadata` in an empty database."""
    dialect = postgresql.dialect()
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    statements += [
        str(CreateIndex(index).compile(dialect=dialect)) for table in metadata.sorted_tables for index in table.indexes
    ]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(";\n".join(statements))
    finally:
        await connection.close()


async def content(database: Database) -> dict[str, str]:
    """What every table holds, as a digest, so that a test can say that nothing changed."""
    async with database.reading() as tx:
        tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
        return {table: await tx.fetchval(rows.format(table)) for (table,) in tables}
