"""Merges: files closed for another one that goes on; the indexes of the list know them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_LISTS = {
    "customer_by_name": ([], ["unit", "kind", "status", "grade"]),
    "customer_by_unit": (["unit"], ["kind", "status", "grade"]),
    "customer_by_unit_grade": (["unit", "grade"], ["kind"]),
    "customer_by_grade": (["grade"], ["unit", "kind", "status"]),
    "customer_by_status": (["status"], ["unit", "kind", "grade"]),
    "customer_by_manager": (["manager"], ["kind"]),
}
_IS_MERGED = sa.text("merged_into IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "customer",
        sa.Column("merged_into", sa.Uuid(), nullable=True, comment="the file that goes on; this one is closed since"),
    )
    op.create_foreign_key(None, "customer", "customer", ["merged_into"], ["id"])
    _list_indexes(["merged_into"])
    op.create_index("customer_merged", "customer", ["name_key", "id"], postgresql_where=_IS_MERGED)
    op.create_index("customer_by_survivor", "customer", ["merged_into"], postgresql_where=_IS_MERGED)
    op.create_table(
        "customer_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survivor", sa.Uuid(), nullable=False),
        sa.Column("loser", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("survivor_version", sa.Integer(), nullable=False, comment="of the file as the merge left it"),
        sa.Column("loser_version", sa.Integer(), nullable=False),
        sa.Column("items", sa.ARRAY(sa.Text()), nullable=False, comment="codes that were taken from the loser"),
        sa.Column(
            "moved",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="feature -> ids of the records that moved, to move them back",
        ),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="{values: {code: {before, after}}, reason} under the survivor's key; bound to the id of the merge",
        ),
        sa.Column("undo_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone", sa.LargeBinary(), nullable=True, comment="{reason} of undoing, sealed likewise"),
        sa.ForeignKeyConstraint(["survivor"], ["customer.id"]),
        sa.ForeignKeyConstraint(["loser"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="files that became one",
    )
    in_force = sa.text("undone_at IS NULL")
    op.create_index("customer_merge_in_force", "customer_merge", ["loser"], unique=True, postgresql_where=in_force)
    op.create_index("customer_merge_by_survivor", "customer_merge", ["survivor", "id"])
    op.create_index("customer_merge_by_loser", "customer_merge", ["loser", "id"])


def _list_indexes(more: list[str]) -> None:
    for name, (leading, included) in _LISTS.items():
        op.drop_index(name, "customer")
        op.create_index(name, "customer", [*leading, "name_key", "id"], postgresql_include=[*included, *more])


def downgrade() -> None:
    op.drop_table("customer_merge")
    for name in ("customer_by_survivor", "customer_merged"):
        op.drop_index(name, "customer")
    _list_indexes([])
    op.drop_column("customer", "merged_into")
