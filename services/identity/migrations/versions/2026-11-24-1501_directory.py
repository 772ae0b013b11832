"""Units, people, posts, deputies, roles and lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "directory"
down_revision = "known"
branch_labels = None
depends_on = None

_FROZEN = ("unit_event", "staff_event")
_SAME = "int8range(hashtextextended(channel || ' ' || value, 0), hashtextextended(channel || ' ' || value, 0), '[]')"

# Whoever is there already is carried over at version 0; the service publishes them at its next start (`announce`).
_CARRY_OVER = (
    """
    INSERT INTO staff (name, full_name, unit, state, first_day, last_day, version, created_at)
    SELECT name, full_name, unit, CASE WHEN active THEN 'active' ELSE 'left' END,
      (created_at AT TIME ZONE 'Asia/Shanghai')::date,
      CASE WHEN active THEN NULL ELSE (now() AT TIME ZONE 'Asia/Shanghai')::date END, 0, created_at
    FROM account WHERE kind = 'person'
    """,
    """
    INSERT INTO post (id, staff, unit, main, from_on, until_on)
    SELECT uuidv7(), name, unit, true, first_day, last_day FROM staff
    """,
    """
    INSERT INTO role_grant (id, staff, role, unit, from_on, until_on, granted_by, granted_at)
    SELECT uuidv7(), s.name, role, s.unit, s.first_day, s.last_day, 'system', now()
    FROM staff s JOIN account a USING (name) CROSS JOIN LATERAL unnest(a.roles) role
    """,
    "INSERT INTO role_given (role, unit, staff) SELECT DISTINCT role, unit, staff FROM role_grant",
)


def upgrade() -> None:
    op.add_column("unit", sa.Column("kind", sa.Text(), nullable=True, comment="code of the list unit_kind"))
    op.execute("UPDATE unit SET kind = CASE WHEN parent IS NULL THEN 'company' ELSE 'department' END")
    op.alter_column("unit", "kind", nullable=False)
    version = sa.Column(
        "version", sa.Integer(), server_default="0", nullable=False, comment="0: carried over, not published yet"
    )
    op.add_column("unit", version)
    op.alter_column("unit", "version", server_default=None)
    op.add_column(
        "unit", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="none while it is open")
    )
    op.create_table(
        "unit_event",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "changes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="{item: {before, after}}; nothing personal",
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.PrimaryKeyConstraint("unit", "version"),
        comment="history: one row a version, never changed",
    )
    _people()
    _what_they_hold()
    op.execute("""
        CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
    """)
    for table in _FROZEN:
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
        """)
    for statement in _CARRY_OVER:
        op.execute(statement)


def _people() -> None:
    op.create_table(
        "staff",
        sa.Column("name", sa.Text(), nullable=False, comment="sign-in name; never given to anybody else"),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False, comment="of the main post in force"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("clearance", sa.Text(), nullable=True, comment="caps what the roles clear; none: it does not"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True, comment="known once leaving was announced"),
        sa.Column("successor", sa.Text(), nullable=True, comment="who takes over from a leaver"),
        sa.Column("version", sa.Integer(), nullable=False, comment="0: carried over, not published yet"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('expected', 'active', 'leaving', 'left')", name="staff_state"),
        sa.CheckConstraint("last_day >= first_day", name="staff_days"),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.ForeignKeyConstraint(["successor"], ["staff.name"]),
        sa.PrimaryKeyConstraint("name"),
        comment="people, those who left included",
    )
    op.create_index("staff_by_unit", "staff", ["unit", "name"], unique=False)
    op.create_table(
        "staff_key",
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("kek", sa.Text(), nullable=False, comment="name of the key-encryption key that wraps it"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.name"]),
        sa.PrimaryKeyConstraint("staff"),
        comment="one data key a person; it seals their history",
    )
    op.create_index("staff_key_by_kek", "staff_key", ["kek", "staff"], unique=False)
    op.create_table(
        "staff_event",
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="event type, as published"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="{item: {before, after}} under the person's key"),
        sa.ForeignKeyConstraint(["staff"], ["staff.name"]),
        sa.PrimaryKeyConstraint("staff", "version"),
        comment="history: one row a version, never changed",
    )


def _what_they_hold() -> None:
    op.create_table(
        "post",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("main", sa.Boolean(), nullable=False, comment="one main post at a time says where a person belongs"),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True, comment="last day; none: open"),
        sa.Column(
            "releases", sa.Text(), nullable=True, comment="roles over this unit end the day before the post begins"
        ),
        sa.CheckConstraint("until_on >= from_on", name="post_days"),
        sa.ForeignKeyConstraint(["staff"], ["staff.name"]),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.ForeignKeyConstraint(["releases"], ["unit.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="posts, also those to come",
    )
    op.create_index("ix_post_staff", "post", ["staff"], unique=False)
    op.create_index("ix_post_unit", "post", ["unit"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True, comment="last day; none: open"),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("until_on >= from_on", name="role_grant_days"),
        sa.ForeignKeyConstraint(["staff"], ["staff.name"]),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.PrimaryKeyConstraint("id"),
        comment="roles over units, also those to come",
    )
    op.create_index("ix_role_grant_staff", "role_grant", ["staff"], unique=False)
    op.create_index("ix_role_grant_unit", "role_grant", ["unit"], unique=False)
    op.create_table(
        "role_given",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"]),
        sa.ForeignKeyConstraint(["staff"], ["staff.name"]),
        sa.PrimaryKeyConstraint("role", "unit", "staff"),
        comment="who was ever given which role; a grant that was taken back on its first day leaves no other trace",
    )
    op.create_table(
        "deputy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("deputy", sa.Text(), nullable=False, comment="holds the roles of `staff`"),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False, comment="last day"),
        sa.Column("named_by", sa.Text(), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("until_on >= from_on", name="deputy_days"),
        sa.CheckConstraint("deputy <> staff", name="deputy_is_another"),
        sa.ForeignKeyConstraint(["staff"], ["staff.name"]),
        sa.ForeignKeyConstraint(["deputy"], ["staff.name"]),
        sa.PrimaryKeyConstraint("id"),
        comment="who stands in for whom",
    )
    op.create_index("ix_deputy_staff", "deputy", ["staff"], unique=False)
    op.create_index("ix_deputy_deputy", "deputy", ["deputy"], unique=False)
    op.create_table(
        "line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False, comment="code of the list line_channel"),
        sa.Column("value", sa.Text(), nullable=False, comment="normalised: rules.normal"),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True, comment="last day; none: open"),
        sa.Column("assigned_by", sa.Text(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ended_by",
            sa.Text(),
            nullable=True,
            comment="who took it back; none: it is held, or ended with its holder's leaving",
        ),
        sa.CheckConstraint("until_on >= from_on", name="line_days"),
        postgresql.ExcludeConstraint(
            (sa.text(_SAME), "&&"), (sa.text("daterange(from_on, until_on, '[]')"), "&&"), name="line_held_by_one"
        ),
        sa.ForeignKeyConstraint(["holder"], ["staff.name"]),
        sa.PrimaryKeyConstraint("id"),
        comment="numbers and accounts of the company, each with one holder at a time",
    )
    op.create_index("ix_line_holder", "line", ["holder"], unique=False)
    op.create_index("line_by_value", "line", ["channel", "value", "from_on"], unique=False)


def downgrade() -> None:
    for table in ("line", "deputy", "role_given", "role_grant", "post"):
        op.drop_table(table)
    for table in ("staff_event", "staff_key", "staff", "unit_event"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_rewriting()")
    for column in ("closed_at", "version", "kind"):
        op.drop_column("unit", column)
