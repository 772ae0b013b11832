"""Tables of the directory."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.identity.tables import METADATA

unit = sa.Table(
    "unit",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("parent", sa.ForeignKey("unit.id"), index=True, comment="none for the top"),
    sa.Column("title", JSONB, nullable=False, comment="{zh, en}"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    comment="organisation units, a tree",
)

account = sa.Table(
    "account",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("full_name", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False, comment="argon2id of the password or the client's secret"),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("unit", sa.ForeignKey("unit.id"), nullable=False, index=True),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("kind IN ('person', 'client')", name="account_kind"),
    comment="who can get a token: people by password, partner systems by client credentials",
)
