"""Indexes of the customer list hold all that its filters look at; one by grade and one by status, in its order."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ORDER = ["name_key", "id"]


def upgrade() -> None:
    for name in ("customer_by_name", "customer_by_unit", "customer_by_unit_grade", "customer_by_manager"):
        op.drop_index(name, "customer")
    _create("customer_by_name", [], ["unit", "kind", "status", "grade"])
    _create("customer_by_unit", ["unit"], ["kind", "status", "grade"])
    _create("customer_by_unit_grade", ["unit", "grade"], ["kind"])
    _create("customer_by_manager", ["manager"], ["kind"])
    _create("customer_by_grade", ["grade"], ["unit", "kind", "status"])
    _create("customer_by_status", ["status"], ["unit", "kind", "grade"])


def _create(name: str, leading: list[str], included: list[str]) -> None:
    op.create_index(name, "customer", [*leading, *_ORDER], postgresql_include=included)


def downgrade() -> None:
    changed = ("customer_by_unit_grade", "customer_by_manager", "customer_by_unit", "customer_by_name")
    for name in ("customer_by_status", "customer_by_grade", *changed):
        op.drop_index(name, "customer")
    op.create_index("customer_by_name", "customer", _ORDER)
    op.create_index("customer_by_unit", "customer", ["unit", *_ORDER])
    op.create_index("customer_by_unit_grade", "customer", ["unit", "grade", *_ORDER])
    op.create_index("customer_by_manager", "customer", ["manager", *_ORDER])
