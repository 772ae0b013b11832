"""Credentials, clients, browser sessions, codes and refresh tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sign_in"
down_revision = "directory"
branch_labels = None
depends_on = None

# Clients that are there already become partners; their secret goes on. Nothing tells when a password was set: now.
_CARRY_OVER = (
    """
    INSERT INTO client (name, kind, title, unit, roles, redirect_uris, sign_out_uris, closed_at, version, created_at)
    SELECT name, 'partner', jsonb_build_object('zh', full_name, 'en', full_name), unit, roles, '{}', '{}',
      CASE WHEN active THEN NULL ELSE now() END, 0, created_at
    FROM account WHERE kind = 'client'
    """,
    """
    INSERT INTO client_secret (id, client, hash, made_at)
    SELECT uuidv7(), name, secret_hash, created_at FROM account WHERE kind = 'client' AND active
    """,
    "DELETE FROM account WHERE kind = 'client'",
)
_OLD = ("kind", "full_name", "roles", "unit", "active")


def _moment(name: str, comment: str | None = None, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def upgrade() -> None:
    _clients()
    for statement in _CARRY_OVER:
        op.execute(statement)
    _accounts()
    _sessions()


def _clients() -> None:
    op.create_table(
        "client",
        sa.Column("name", sa.Text(), nullable=False, comment="the client_id"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="{zh, en}"),
        sa.Column("unit", sa.Text(), nullable=True, comment="none for an app"),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False, comment="what it may do in its own name"),
        sa.Column(
            "redirect_uris", postgresql.ARRAY(sa.Text()), nullable=False, comment="of an app: where codes may go"
        ),
        sa.Column(
            "sign_out_uris",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="of an app: where people go after signing out",
        ),
        _moment("closed_at", "none while it may ask", nullable=True),
        _moment("revoked_at", "tokens from before are over", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, comment="0: carried over, not published yet"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('app', 'partner', 'service')", name="client_kind"),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.PrimaryKeyConstraint("name"),
        comment="OAuth clients",
    )
    op.create_index("ix_client_unit", "client", ["unit"], unique=False)
    op.create_table(
        "client_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column(
            "hash", sa.Text(), nullable=False, comment="sha256$ of one that we made, argon2id of one that was given"
        ),
        _moment("made_at"),
        _moment("expires_at", "none: until it is rotated away", nullable=True),
        sa.ForeignKeyConstraint(["client"], ["client.name"]),
        sa.PrimaryKeyConstraint("id"),
        comment="secrets of confidential clients; two are alive during a rotation",
    )
    op.create_index("ix_client_secret_client", "client_secret", ["client"], unique=False)


def _accounts() -> None:
    op.drop_constraint("account_kind", "account")
    op.drop_index("ix_account_unit", table_name="account")
    for column in _OLD:
        op.drop_column("account", column)
    op.alter_column(
        "account",
        "secret_hash",
        nullable=True,
        comment="argon2id of the password; none until an invitation is used",
        existing_comment="argon2id of the password or the client's secret",
    )
    since = _moment("set_at", "since when it is the password")
    since.server_default = sa.DefaultClause(sa.text("now()"))
    op.add_column("account", since)
    op.add_column("account", _moment("locked_at", "by an administrator; none: not locked", nullable=True))
    op.add_column("account", _moment("revoked_at", "sign-ins and tokens from before are over", nullable=True))
    op.create_table_comment(
        "account",
        "how people prove who they are",
        existing_comment="who can get a token: people by password, partner systems by client credentials",
    )
    op.create_table(
        "former_secret",
        sa.Column("name", sa.Text(), nullable=False),
        _moment("retired_at"),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["account.name"]),
        sa.PrimaryKeyConstraint("name", "retired_at"),
        comment="passwords that may not return for a while",
    )
    op.create_table(
        "second_factor",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kek", sa.Text(), nullable=False, comment="name of the key in settings that wraps the data key"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="TOTP secret under the data key"),
        _moment("made_at"),
        _moment("confirmed_at", "in force from here on; none: shown, not yet confirmed", nullable=True),
        sa.Column(
            "last_step",
            sa.BigInteger(),
            nullable=False,
            comment="newest time step that was used; none is used twice",
        ),
        sa.ForeignKeyConstraint(["name"], ["account.name"]),
        sa.PrimaryKeyConstraint("name"),
        comment="authenticators of people (TOTP, RFC 6238)",
    )
    op.create_table(
        "recovery_code",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="SHA-256 of the code"),
        _moment("used_at", nullable=True),
        sa.ForeignKeyConstraint(["name"], ["second_factor.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name", "mark"),
        comment="one-time codes for whoever lost the authenticator",
    )
    op.create_table(
        "invitation",
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="SHA-256 of the code in the link"),
        sa.Column("name", sa.Text(), nullable=False, comment="a new one replaces it"),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("clears", sa.Text(), nullable=False, comment="what its maker is cleared for"),
        _moment("made_at"),
        _moment("expires_at"),
        sa.ForeignKeyConstraint(["name"], ["account.name"]),
        sa.PrimaryKeyConstraint("mark"),
        sa.UniqueConstraint("name"),
        comment="one-time links with which people set a password",
    )
    op.create_index("ix_invitation_expires_at", "invitation", ["expires_at"], unique=False)


def _sessions() -> None:
    op.create_table(
        "seed",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="there is one"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kek", sa.Text(), nullable=False, comment="name of the key in settings that wraps the data key"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="256 random bits under the data key"),
        _moment("made_at"),
        sa.CheckConstraint("is_only", name="seed_is_only"),
        sa.PrimaryKeyConstraint("is_only"),
        comment="what marks of failed sign-ins and refresh tokens are derived from",
    )
    op.create_table(
        "authorization_request",
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="SHA-256 of what stands in the page's address"),
        sa.Column("query", sa.Text(), nullable=False, comment="parameters as the app sent them, url-encoded"),
        _moment("asked_at"),
        _moment("expires_at"),
        sa.PrimaryKeyConstraint("mark"),
        comment="what an app asked for while a person signs in",
    )
    op.create_index("ix_authorization_request_expires_at", "authorization_request", ["expires_at"], unique=False)
    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.Uuid(), nullable=False, comment="the claim sid"),
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="SHA-256 of the cookie, which is not kept"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False, comment="what is still asked of the person; open: nothing"),
        sa.Column("method", sa.Text(), nullable=False, comment="how the person proved who they are"),
        sa.Column("agent", sa.Text(), nullable=False, comment="the browser as it calls itself"),
        _moment("authenticated_at"),
        _moment("seen_at", "to the minute"),
        _moment("ends_at", "in any case"),
        _moment("ended_at", "before its time", nullable=True),
        sa.CheckConstraint("stage IN ('second_factor', 'password', 'open')", name="sign_in_session_stage"),
        sa.ForeignKeyConstraint(["name"], ["account.name"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mark"),
        comment="people who are signed in, one row a browser",
    )
    op.create_index("ix_sign_in_session_name", "sign_in_session", ["name"], unique=False)
    op.create_index("ix_sign_in_session_ends_at", "sign_in_session", ["ends_at"], unique=False)
    op.create_table(
        "authorization_code",
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="SHA-256 of the code"),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("session", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("challenge", sa.Text(), nullable=False, comment="PKCE, S256"),
        _moment("expires_at"),
        _moment("used_at", "a second use ends what the first one gave", nullable=True),
        sa.ForeignKeyConstraint(["client"], ["client.name"]),
        sa.ForeignKeyConstraint(["session"], ["sign_in_session.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mark"),
        comment="codes that apps turn into tokens",
    )
    op.create_index("ix_authorization_code_session", "authorization_code", ["session"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("mark", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token"),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("session", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        _moment("issued_at"),
        _moment("used_at", "from then on its successor is the good one", nullable=True),
        sa.ForeignKeyConstraint(["client"], ["client.name"]),
        sa.ForeignKeyConstraint(["session"], ["sign_in_session.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mark"),
        comment="tokens that renew access, each used once; a second use ends the sign-in",
    )
    op.create_index("ix_refresh_token_session", "refresh_token", ["session"], unique=False)


def downgrade() -> None:
    for table in ("refresh_token", "authorization_code", "sign_in_session", "authorization_request", "seed"):
        op.drop_table(table)
    for table in ("invitation", "recovery_code", "second_factor", "former_secret"):
        op.drop_table(table)
    for column in ("revoked_at", "locked_at", "set_at"):
        op.drop_column("account", column)
    op.execute("DELETE FROM account WHERE secret_hash IS NULL")
    op.alter_column("account", "secret_hash", nullable=False)
    op.add_column("account", sa.Column("kind", sa.Text(), server_default="person", nullable=False))
    op.add_column("account", sa.Column("full_name", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("account", sa.Column("unit", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.execute("UPDATE account SET full_name = s.full_name, unit = s.unit FROM staff s WHERE s.name = account.name")
    op.execute(
        """
        INSERT INTO account (name, kind, full_name, secret_hash, roles, unit, active, created_at)
        SELECT c.name, 'client', c.title->>'zh', s.hash, c.roles, c.unit, c.closed_at IS NULL, c.created_at
        FROM client c JOIN LATERAL (
          SELECT hash FROM client_secret WHERE client = c.name AND hash LIKE '$argon2id$%' ORDER BY made_at DESC LIMIT 1
        ) s ON true
        """
    )
    op.alter_column("account", "full_name", nullable=False)
    op.alter_column("account", "unit", nullable=False)
    op.alter_column("account", "kind", server_default=None)
    op.alter_column("account", "roles", server_default=None)
    op.create_foreign_key("account_unit_fkey", "account", "unit", ["unit"], ["id"])
    op.create_check_constraint("account_kind", "account", "kind IN ('person', 'client')")
    op.create_index("ix_account_unit", "account", ["unit"], unique=False)
    op.drop_table("client_secret")
    op.drop_table("client")
