"""Table of the signing keys."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.identity.tables import METADATA

signing_key = sa.Table(
    "signing_key",
    METADATA,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("public", JSONB, nullable=False, comment="JWK, as published"),
    sa.Column("kek", sa.Text, nullable=False, comment="name of the key in settings that wraps this one's data key"),
    sa.Column("wrapped", sa.LargeBinary, nullable=False, comment="data key under the kek"),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="private JWK under the data key"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("active_from", sa.DateTime(timezone=True), nullable=False, unique=True, comment="signs from here on"),
    sa.Column("retires_at", sa.DateTime(timezone=True), comment="its last token has expired; none while it signs"),
    comment="ES256 keys: published before they sign and for as long as their tokens live",
)
