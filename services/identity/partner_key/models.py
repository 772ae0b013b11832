"""The table of keys of partner systems."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.identity.tables import METADATA

_MOMENT = sa.DateTime(timezone=True)

partner_key = sa.Table(
    "partner_key",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("client", sa.ForeignKey("client.name"), nullable=False, index=True),
    sa.Column("prefix", sa.Text, nullable=False, unique=True, comment="public; tells keys apart"),
    sa.Column("digest", sa.Text, nullable=False, unique=True, comment="SHA-256 of the key, hex; the key is not kept"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("reports", ARRAY(sa.Text), comment="report types that it is for; none: all"),
    sa.Column("units", ARRAY(sa.Text), comment="institutions that it is for; none: all that the client reaches"),
    sa.Column("addresses", ARRAY(sa.Text), comment="networks (CIDR) that it works from; none: all"),
    sa.Column("rate", sa.Integer, comment="requests a minute; none: as the measures say"),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("expires_at", _MOMENT, nullable=False),
    sa.Column("replaces", sa.ForeignKey("partner_key.id"), comment="the one that it takes over from"),
    sa.Column("revoked_at", _MOMENT),
    sa.Column("revoked_by", sa.Text),
    sa.Column("last_used_at", _MOMENT, comment="to the hour, as the services tell"),
    sa.Column("version", sa.Integer, nullable=False),
    comment="keys of partner systems",
)
