"""Records of a customer can be given to another: purchases and violations remember whom the feed names, and a customer
may have a picture twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DEALINGS = ("purchase", "violation")


def upgrade() -> None:
    for table in _DEALINGS:
        op.add_column(table, sa.Column("recorded_for", sa.Uuid(), nullable=True, comment="whom the feed names"))
        op.execute(f"UPDATE {table} SET recorded_for = customer_id")  # noqa: S608 - our own names
        op.alter_column(table, "recorded_for", nullable=False)
        op.alter_column(table, "customer_id", comment="whose it is", existing_type=sa.Uuid())
        op.create_foreign_key(f"{table}_recorded_for_fkey", table, "customer", ["recorded_for"], ["id"])
    op.drop_constraint("purchase_pkey", "purchase")
    op.drop_constraint("purchase_source_id_key", "purchase")
    op.create_primary_key("purchase_pkey", "purchase", ["source_id"])
    op.create_unique_constraint("purchase_recorded_for_month_key", "purchase", ["recorded_for", "month"])
    op.create_index("purchase_by_customer", "purchase", ["customer_id", "month"])
    op.create_index("photo_by_content", "photo", ["customer_id", "item", "sha256"])
    op.drop_constraint("photo_customer_id_item_sha256_key", "photo")


def downgrade() -> None:
    op.create_unique_constraint("photo_customer_id_item_sha256_key", "photo", ["customer_id", "item", "sha256"])
    op.drop_index("photo_by_content", "photo")
    op.drop_index("purchase_by_customer", "purchase")
    op.drop_constraint("purchase_recorded_for_month_key", "purchase")
    op.drop_constraint("purchase_pkey", "purchase")
    op.create_primary_key("purchase_pkey", "purchase", ["customer_id", "month"])
    op.create_unique_constraint("purchase_source_id_key", "purchase", ["source_id"])
    for table in _DEALINGS:
        op.alter_column(table, "customer_id", comment=None, existing_type=sa.Uuid())
        op.drop_column(table, "recorded_for")
