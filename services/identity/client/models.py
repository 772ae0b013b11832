"""Tables of client systems."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.identity.tables import METADATA

_MOMENT = sa.DateTime(timezone=True)

client = sa.Table(
    "client",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True, comment="the client_id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", JSONB, nullable=False, comment="{zh, en}"),
    sa.Column("unit", sa.ForeignKey("unit.id"), index=True, comment="none for an app"),
    sa.Column("roles", ARRAY(sa.Text), nullable=False, comment="what it may do in its own name"),
    sa.Column("redirect_uris", ARRAY(sa.Text), nullable=False, comment="of an app: where codes may go"),
    sa.Column("sign_out_uris", ARRAY(sa.Text), nullable=False, comment="of an app: where people go after signing out"),
    sa.Column("closed_at", _MOMENT, comment="none while it may ask"),
    sa.Column("revoked_at", _MOMENT, comment="tokens from before are over"),
    sa.Column("version", sa.Integer, nullable=False, comment="0: carried over, not published yet"),
    sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("kind IN ('app', 'partner', 'service')", name="client_kind"),
    comment="OAuth clients",
)

client_secret = sa.Table(
    "client_secret",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("client", sa.ForeignKey("client.name"), nullable=False, index=True),
    sa.Column("hash", sa.Text, nullable=False, comment="sha256$ of one that we made, argon2id of one that was given"),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT, comment="none: until it is rotated away"),
    comment="secrets of confidential clients; two are alive during a rotation",
)
