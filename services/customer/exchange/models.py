"""Tables of exchange: imports and exports under way, and their sealed parts, which go when the term is over."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.tables import METADATA

_NOUGHT = text("0")


def _requester() -> list[Column[object]]:
    return [
        Column("id", Uuid, primary_key=True),
        Column("kind", Text, nullable=False, comment="kind of customer"),
        Column("state", Text, nullable=False),
        Column("requester", Text, nullable=False, comment="directory name of who asked for it; nobody else sees it"),
        Column("actor", Text, nullable=False),
        Column("authority", JSONB, nullable=False, comment="what they may do, as they asked: it must still be so"),
        Column("kek", Text, comment="name of the key-encryption key that wraps its data key; none once it is over"),
        Column("wrapped", LargeBinary),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("ended_at", DateTime(timezone=True)),
        Column("kept_until", DateTime(timezone=True), nullable=False, comment="its parts and its key go then"),
    ]


def _counts(*names: str) -> list[Column[object]]:
    return [Column(name, Integer, nullable=False, server_default=_NOUGHT) for name in names]


IMPORT = Table(
    "import_job",
    METADATA,
    *_requester(),
    Column("mode", Text, nullable=False, comment="create, update, upsert"),
    Column("dry_run", Boolean, nullable=False),
    Column("on_fault", Text, nullable=False, comment="stop, skip"),
    Column("media", Text, nullable=False, comment="xlsx, csv"),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False, comment="of the file as it was sent"),
    Column("verdict", Text, comment="accepted, partly, refused"),
    *_counts("rows", "valid", "refused", "applied", "unchanged", "faults", "steps", "steps_applied", "tries"),
    Index("import_job_open", "id", postgresql_where=text("state IN ('checking', 'applying')")),
    Index("import_job_by_requester", "requester", "id"),
    Index("import_job_kept", "kept_until", postgresql_where=text("kek IS NOT NULL")),
    comment="imports of customers",
)

EXPORT = Table(
    "export_job",
    METADATA,
    *_requester(),
    Column("format", Text, nullable=False, comment="xlsx, csv"),
    Column("filters", JSONB, nullable=False),
    Column("items", ARRAY(Text), nullable=False, comment="those that were asked for and may leave"),
    Column("left_out", ARRAY(Text), nullable=False, comment="those above the requester's clearance"),
    Column("level", Text, nullable=False, comment="highest level of its items"),
    Column("bytes", BigInteger, nullable=False, server_default=_NOUGHT),
    Column("sha256", LargeBinary, comment="of the file"),
    Column("reason", Text, comment="why it was refused"),
    *_counts("rows", "fetched", "tries"),
    Index("export_job_open", "id", postgresql_where=text("state = 'waiting'")),
    Index("export_job_by_requester", "requester", "id"),
    Index("export_job_kept", "kept_until", postgresql_where=text("kek IS NOT NULL")),
    comment="exports of customers",
)

EXPORT_CUSTOMER = Table(
    "export_customer",
    METADATA,
    Column("export_id", Uuid, ForeignKey("export_job.id"), primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Index("export_customer_by_customer", "customer_id", "export_id"),
    comment="which version of whom went out in an export; stays when the file is gone",
)

PART = Table(
    "exchange_part",
    METADATA,
    Column("owner", Uuid, primary_key=True, comment="an import or export"),
    Column("part", Text, primary_key=True, comment="file, rows, faults"),
    Column("number", Integer, primary_key=True),
    Column(
        "sealed", LargeBinary, nullable=False, comment="under the owner's data key; owner, part and number are bound in"
    ),
    comment="files and staged rows",
)
