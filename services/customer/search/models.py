"""Tables of the search: what each customer is found by, as keyed hashes; and how the index was made.

The index lies in parts, so that a search for what many customers have ends in the first part that holds enough of them
(docs/decisions).
"""

from sqlalchemy import ARRAY, Column, DateTime, Index, Integer, LargeBinary, SmallInteger, Table, Text, Uuid

from services.customer.tables import METADATA

PARTS = 16


def _columns() -> list[Column[object]]:
    """`version`: of the file; an older one never replaces a newer. `unit`: its term. `terms`: rules.Terms, of what the
    file holds, its unit, manager and kind."""
    return [
        Column("customer_id", Uuid, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("unit", Integer, nullable=False),
        Column("terms", ARRAY(Integer), nullable=False),
    ]


CUSTOMER_SEARCH = Table(
    "customer_search",
    METADATA,
    *_columns(),
    Index("customer_search_by_term", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    comment="what customers are found by, as keyed hashes; nothing once erased",
    postgresql_partition_by="HASH (customer_id)",
)

CUSTOMER_SEARCH_PARTS = [
    Table(
        f"customer_search_{part}",
        METADATA,
        *_columns(),
        Index(f"customer_search_{part}_by_term", "terms", postgresql_using="gin"),
        comment="a part of customer_search",
    )
    for part in range(PARTS)
]

SEARCH_INDEX = Table(
    "search_index",
    METADATA,
    Column("id", SmallInteger, primary_key=True, comment="1: there is one index"),
    Column("fingerprint", Text, nullable=False, comment="rules.fingerprint that it is made by"),
    Column("kek", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False, comment="the key of the secret"),
    Column("secret", LargeBinary, nullable=False, comment="what terms are hashed with, sealed"),
    Column("last_id", Uuid, comment="customers up to here are in it"),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True), comment="all customers are in it"),
    comment="how the search index is made, and how far it is",
)
