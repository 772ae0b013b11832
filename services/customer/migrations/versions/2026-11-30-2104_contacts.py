"""Contacts of staff with customers, and when each customer was visited last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    visited = sa.Column("visited_at", moment, nullable=True, comment="when the customer was visited last")
    op.add_column("review_file", visited)
    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="a declared way of contact"),
        sa.Column("held_at", moment, nullable=False),
        sa.Column("visit", sa.Boolean(), nullable=False, comment="it counts as a visit"),
        sa.Column("flagged", sa.Boolean(), nullable=False, comment="something was not as the rules say"),
        sa.Column("withdrawn", sa.Boolean(), nullable=False, comment="there was no such contact"),
        sa.Column("by_unit", sa.Text(), nullable=False, comment="the department of whoever recorded it"),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="contacts of staff with customers, as they stand now",
    )
    op.create_index("contact_by_customer", "contact", ["customer_id", "held_at", "id"])
    op.create_index("contact_by_time", "contact", ["held_at", "id"])
    op.create_index("contact_flagged", "contact", ["held_at", "id"], postgresql_where=sa.text("flagged"))
    stands = sa.text("visit AND NOT withdrawn")
    op.create_index("contact_visit", "contact", ["customer_id", "held_at"], postgresql_where=stands)
    op.create_table(
        "contact_version",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="event type, as published"),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="rules.Facts: nothing personal of the customer",
        ),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="showing.Words under the subject's key; the event id is bound in",
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"]),
        sa.PrimaryKeyConstraint("contact_id", "version"),
        comment="what was said of each contact, from its first version on; nothing is ever taken away",
    )


def downgrade() -> None:
    op.drop_table("contact_version")
    op.drop_table("contact")
    op.drop_column("review_file", "visited_at")
