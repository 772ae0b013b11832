"""Sessions hold all tokens of a sign-in, and who renews them. Those from before held one: people sign in again."""

import sqlalchemy as sa
from alembic import op

revision = "tokens"
down_revision = "known"
branch_labels = None
depends_on = None

_BEFORE, _AFTER = "the person's bearer token under the data key", "the person's tokens under the data key"


def upgrade() -> None:
    op.execute("DELETE FROM session")
    op.alter_column("session", "sealed", comment=_AFTER, existing_comment=_BEFORE)
    op.add_column(
        "session",
        sa.Column(
            "renewing_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="somebody is renewing the tokens, until then at most",
        ),
    )


def downgrade() -> None:
    op.execute("DELETE FROM session")
    op.drop_column("session", "renewing_until")
    op.alter_column("session", "sealed", comment=_BEFORE, existing_comment=_AFTER)
