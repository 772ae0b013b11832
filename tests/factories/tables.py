"""Tables as their models describe them, without a migration."""

import asyncpg
from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable


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
