"""The table of sessions."""

from sqlalchemy import Column, DateTime, LargeBinary, Table, Text, Uuid

from services.console.tables import METADATA

session = Table(
    "session",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("mark", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the cookie, which is not kept"),
    Column("kek", Text, nullable=False, comment="name of the key in settings that wraps this one's data key"),
    Column("wrapped", LargeBinary, nullable=False, comment="data key under the kek"),
    Column("sealed", LargeBinary, nullable=False, comment="the person's tokens under the data key"),
    Column("seen_at", DateTime(timezone=True), nullable=False, comment="of late, to the minute"),
    Column("ends_at", DateTime(timezone=True), nullable=False, index=True, comment="however busy it is"),
    Column("renewing_until", DateTime(timezone=True), comment="somebody is renewing the tokens, until then at most"),
    comment="browsers that are signed in",
)
