"""Imports and exports of customers, and their sealed parts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _imports()
    _exports()
    op.create_table(
        "exchange_part",
        sa.Column("owner", sa.Uuid(), nullable=False, comment="an import or export"),
        sa.Column("part", sa.Text(), nullable=False, comment="file, rows, faults"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="under the owner's data key; owner, part and number are bound in",
        ),
        sa.PrimaryKeyConstraint("owner", "part", "number"),
        comment="files and staged rows",
    )


def _requester() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="kind of customer"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "requester", sa.Text(), nullable=False, comment="directory name of who asked for it; nobody else sees it"
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "authority",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what they may do, as they asked: it must still be so",
        ),
        sa.Column(
            "kek",
            sa.Text(),
            nullable=True,
            comment="name of the key-encryption key that wraps its data key; none once it is over",
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False, comment="its parts and its key go then"),
    ]


def _counts(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False) for name in names]


def _imports() -> None:
    op.create_table(
        "import_job",
        *_requester(),
        sa.Column("mode", sa.Text(), nullable=False, comment="create, update, upsert"),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("on_fault", sa.Text(), nullable=False, comment="stop, skip"),
        sa.Column("media", sa.Text(), nullable=False, comment="xlsx, csv"),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="of the file as it was sent"),
        sa.Column("verdict", sa.Text(), nullable=True, comment="accepted, partly, refused"),
        *_counts("rows", "valid", "refused", "applied", "unchanged", "faults", "steps", "steps_applied", "tries"),
        sa.PrimaryKeyConstraint("id"),
        comment="imports of customers",
    )
    _indexes("import_job", "state IN ('checking', 'applying')")


def _exports() -> None:
    op.create_table(
        "export_job",
        *_requester(),
        sa.Column("format", sa.Text(), nullable=False, comment="xlsx, csv"),
        sa.Column("filters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "items", postgresql.ARRAY(sa.Text()), nullable=False, comment="those that were asked for and may leave"
        ),
        sa.Column(
            "left_out", postgresql.ARRAY(sa.Text()), nullable=False, comment="those above the requester's clearance"
        ),
        sa.Column("level", sa.Text(), nullable=False, comment="highest level of its items"),
        sa.Column("bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True, comment="of the file"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was refused"),
        *_counts("rows", "fetched", "tries"),
        sa.PrimaryKeyConstraint("id"),
        comment="exports of customers",
    )
    _indexes("export_job", "state = 'waiting'")
    op.create_table(
        "export_customer",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["export_id"], ["export_job.id"]),
        sa.PrimaryKeyConstraint("export_id", "customer_id"),
        comment="which version of whom went out in an export; stays when the file is gone",
    )
    op.create_index("export_customer_by_customer", "export_customer", ["customer_id", "export_id"])


def _indexes(table: str, is_open: str) -> None:
    op.create_index(f"{table}_open", table, ["id"], postgresql_where=sa.text(is_open))
    op.create_index(f"{table}_by_requester", table, ["requester", "id"])
    op.create_index(f"{table}_kept", table, ["kept_until"], postgresql_where=sa.text("kek IS NOT NULL"))


def downgrade() -> None:
    for table in ("exchange_part", "export_customer", "export_job", "import_job"):
        op.drop_table(table)
