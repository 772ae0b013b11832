"""Files attached to customers, and their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OF_PHOTOGRAPHS, _OF_ALL = "sealed content of photographs, wherever it lies", "sealed content, wherever it lies"


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secrecy", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("end_event", sa.Uuid(), nullable=True),
        sa.Column("end_reason", sa.LargeBinary(), nullable=True, comment="sealed under the subject's key"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="attachments; gone when the customer is erased",
    )
    op.create_index("attachment_by_customer", "attachment", ["customer_id", "id"], unique=False)
    op.create_table(
        "attachment_version",
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="bytes, as it is kept"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="of the content as it was sent"),
        sa.Column("content_id", sa.Uuid(), nullable=False, comment="stored object, sealed under the subject's key"),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="its name under the subject's key"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachment.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("attachment_id", "version"),
        comment="what an attachment was, version by version",
    )
    op.create_table_comment("stored_object", _OF_ALL, existing_comment=_OF_PHOTOGRAPHS)


def downgrade() -> None:
    op.create_table_comment("stored_object", _OF_PHOTOGRAPHS, existing_comment=_OF_ALL)
    op.drop_table("attachment_version")
    op.drop_table("attachment")
