"""Table of failed sign-ins."""

import sqlalchemy as sa

from services.identity.tables import METADATA

sign_in_failure = sa.Table(
    "sign_in_failure",
    METADATA,
    sa.Column(
        "mark", sa.LargeBinary, primary_key=True, comment="HMAC of a name or an address: neither stands in clear"
    ),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("locked_until", sa.DateTime(timezone=True), comment="none while failures are still free"),
    comment="how often a name (existing or not) or an address failed of late",
)
