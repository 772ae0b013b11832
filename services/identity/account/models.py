"""Tables of people's credentials."""

import sqlalchemy as sa

from services.identity.tables import METADATA

_MOMENT = sa.DateTime(timezone=True)

account = sa.Table(
    "account",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("secret_hash", sa.Text, comment="argon2id of the password; none until an invitation is used"),
    sa.Column("set_at", _MOMENT, nullable=False, server_default=sa.func.now(), comment="since when it is the password"),
    sa.Column("locked_at", _MOMENT, comment="by an administrator; none: not locked"),
    sa.Column("revoked_at", _MOMENT, comment="sign-ins and tokens from before are over"),
    sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    comment="how people prove who they are",
)

former_secret = sa.Table(
    "former_secret",
    METADATA,
    sa.Column("name", sa.ForeignKey("account.name"), primary_key=True),
    sa.Column("retired_at", _MOMENT, primary_key=True),
    sa.Column("secret_hash", sa.Text, nullable=False),
    comment="passwords that may not return for a while",
)

second_factor = sa.Table(
    "second_factor",
    METADATA,
    sa.Column("name", sa.ForeignKey("account.name"), primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("kek", sa.Text, nullable=False, comment="name of the key in settings that wraps the data key"),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="TOTP secret under the data key"),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("confirmed_at", _MOMENT, comment="in force from here on; none: shown, not yet confirmed"),
    sa.Column("last_step", sa.BigInteger, nullable=False, comment="newest time step that was used; none is used twice"),
    comment="authenticators of people (TOTP, RFC 6238)",
)

recovery_code = sa.Table(
    "recovery_code",
    METADATA,
    sa.Column("name", sa.ForeignKey("second_factor.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("mark", sa.LargeBinary, primary_key=True, comment="SHA-256 of the code"),
    sa.Column("used_at", _MOMENT),
    comment="one-time codes for whoever lost the authenticator",
)

invitation = sa.Table(
    "invitation",
    METADATA,
    sa.Column("mark", sa.LargeBinary, primary_key=True, comment="SHA-256 of the code in the link"),
    sa.Column("name", sa.ForeignKey("account.name"), nullable=False, unique=True, comment="a new one replaces it"),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("clears", sa.Text, nullable=False, comment="what its maker is cleared for"),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT, nullable=False, index=True),
    comment="one-time links with which people set a password",
)

sign_in_failure = sa.Table(
    "sign_in_failure",
    METADATA,
    sa.Column(
        "mark", sa.LargeBinary, primary_key=True, comment="HMAC of a name or an address: neither stands in clear"
    ),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("forgotten_at", _MOMENT, nullable=False, index=True, comment="from then on it is counted afresh"),
    sa.Column("locked_until", _MOMENT, comment="none while failures are still free"),
    comment="how often a name (existing or not) or an address failed of late",
)
