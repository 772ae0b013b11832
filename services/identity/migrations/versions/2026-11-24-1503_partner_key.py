"""Keys of partner systems."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "partner_key"
down_revision = "sign_in"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def moment(name: str, comment: str | None = None, *, nullable: bool = False) -> sa.Column[object]:
        return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)

    def names(name: str, comment: str) -> sa.Column[object]:
        return sa.Column(name, postgresql.ARRAY(sa.Text()), nullable=True, comment=comment)

    op.create_table(
        "partner_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False, comment="public; tells keys apart"),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the key, hex; the key is not kept"),
        sa.Column("title", sa.Text(), nullable=False),
        names("reports", "report types that it is for; none: all"),
        names("units", "institutions that it is for; none: all that the client reaches"),
        names("addresses", "networks (CIDR) that it works from; none: all"),
        sa.Column("rate", sa.Integer(), nullable=True, comment="requests a minute; none: as the measures say"),
        moment("made_at"),
        sa.Column("made_by", sa.Text(), nullable=False),
        moment("expires_at"),
        sa.Column("replaces", sa.Uuid(), nullable=True, comment="the one that it takes over from"),
        moment("revoked_at", nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        moment("last_used_at", "to the hour, as the services tell", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["client.name"]),
        sa.ForeignKeyConstraint(["replaces"], ["partner_key.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prefix"),
        sa.UniqueConstraint("digest"),
        comment="keys of partner systems",
    )
    op.create_index("ix_partner_key_client", "partner_key", ["client"], unique=False)


def downgrade() -> None:
    op.drop_table("partner_key")
