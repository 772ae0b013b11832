"""The log's tables. One log per database: a second organisation's log is a second database.

`leaf`, `tile` and `checkpoint` are kept for ever and hold no personal data. `entry` holds what people read, in monthly
partitions that retention can drop whole without breaking a proof.

Each index of `entry` is paid at every append, so there are few: a subject is found by the partitions' unique natural
index, a rare type by a bloom filter per block range (a frequent one soon turns up in the order of the log).
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

head = sa.Table(
    "head",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True, comment="name of the log in its checkpoints"),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("peaks", sa.LargeBinary, nullable=False, comment="roots of the perfect subtrees, largest first"),
    sa.Column("root", sa.LargeBinary, nullable=False),
)

leaf = sa.Table(
    "leaf",
    metadata,
    sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False, comment="index of the first of them"),
    sa.Column("data", sa.LargeBinary, nullable=False, comment="a run of leaves, as in an entry bundle"),
)

tile = sa.Table(
    "tile",
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False, comment="up to 256 hashes of 32 bytes"),
)

checkpoint = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
)

entry = sa.Table(
    "entry",
    metadata,
    sa.Column("event_id", pg.UUID, primary_key=True, comment="UUIDv7: its month is the partition"),
    sa.Column("index", sa.BigInteger, nullable=False),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("actor", sa.Text),
    sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False, comment="the event as canonical CloudEvents JSON"),
    sa.Index("entry_index", "index"),
    sa.Index("entry_actor", "actor", "index"),
    sa.Index("entry_type", "type", postgresql_using="brin", postgresql_ops={"type": "text_bloom_ops"}),
    sa.Index("entry_occurred_at", "occurred_at", postgresql_using="brin"),
    postgresql_partition_by="RANGE (event_id)",
)
