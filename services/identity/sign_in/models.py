"""Tables of signing in: what was asked for, who is signed in, and what was given for it."""

import sqlalchemy as sa

from services.identity.tables import METADATA

_MOMENT = sa.DateTime(timezone=True)

seed = sa.Table(
    "seed",
    METADATA,
    sa.Column("is_only", sa.Boolean, primary_key=True, server_default=sa.true(), comment="there is one"),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("kek", sa.Text, nullable=False, comment="name of the key in settings that wraps the data key"),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="256 random bits under the data key"),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.CheckConstraint("is_only", name="seed_is_only"),
    comment="what marks of failed sign-ins and refresh tokens are derived from",
)

authorization_request = sa.Table(
    "authorization_request",
    METADATA,
    sa.Column("mark", sa.LargeBinary, primary_key=True, comment="SHA-256 of what stands in the page's address"),
    sa.Column("query", sa.Text, nullable=False, comment="parameters as the app sent them, url-encoded"),
    sa.Column("asked_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT, nullable=False, index=True),
    comment="what an app asked for while a person signs in",
)

sign_in_session = sa.Table(
    "sign_in_session",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True, comment="the claim sid"),
    sa.Column("mark", sa.LargeBinary, nullable=False, unique=True, comment="SHA-256 of the cookie, which is not kept"),
    sa.Column("name", sa.ForeignKey("account.name"), nullable=False, index=True),
    sa.Column("stage", sa.Text, nullable=False, comment="what is still asked of the person; open: nothing"),
    sa.Column("method", sa.Text, nullable=False, comment="how the person proved who they are"),
    sa.Column("agent", sa.Text, nullable=False, comment="the browser as it calls itself"),
    sa.Column("authenticated_at", _MOMENT, nullable=False),
    sa.Column("seen_at", _MOMENT, nullable=False, comment="to the minute"),
    sa.Column("ends_at", _MOMENT, nullable=False, index=True, comment="in any case"),
    sa.Column("ended_at", _MOMENT, comment="before its time"),
    sa.CheckConstraint("stage IN ('second_factor', 'password', 'open')", name="sign_in_session_stage"),
    comment="people who are signed in, one row a browser",
)

authorization_code = sa.Table(
    "authorization_code",
    METADATA,
    sa.Column("mark", sa.LargeBinary, primary_key=True, comment="SHA-256 of the code"),
    sa.Column("client", sa.ForeignKey("client.name"), nullable=False),
    sa.Column("session", sa.ForeignKey("sign_in_session.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text),
    sa.Column("challenge", sa.Text, nullable=False, comment="PKCE, S256"),
    sa.Column("expires_at", _MOMENT, nullable=False),
    sa.Column("used_at", _MOMENT, comment="a second use ends what the first one gave"),
    comment="codes that apps turn into tokens",
)

refresh_token = sa.Table(
    "refresh_token",
    METADATA,
    sa.Column("mark", sa.LargeBinary, primary_key=True, comment="SHA-256 of the token"),
    sa.Column("client", sa.ForeignKey("client.name"), nullable=False),
    sa.Column("session", sa.ForeignKey("sign_in_session.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("issued_at", _MOMENT, nullable=False),
    sa.Column("used_at", _MOMENT, comment="from then on its successor is the good one"),
    comment="tokens that renew access, each used once; a second use ends the sign-in",
)
