"""Tables of the organisation: units as they are, and what happened to each."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.identity.tables import METADATA

unit = sa.Table(
    "unit",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("parent", sa.ForeignKey("unit.id"), index=True, comment="none for the top"),
    sa.Column("kind", sa.Text, nullable=False, comment="code of the list unit_kind"),
    sa.Column("title", JSONB, nullable=False, comment="{zh, en}"),
    sa.Column("version", sa.Integer, nullable=False, comment="0: carried over, not published yet"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("closed_at", sa.DateTime(timezone=True), comment="none while it is open"),
    comment="organisation units, a tree",
)

unit_event = sa.Table(
    "unit_event",
    METADATA,
    sa.Column("unit", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("changes", JSONB, nullable=False, comment="{item: {before, after}}; nothing personal"),
    comment="history: one row a version, never changed",
)
