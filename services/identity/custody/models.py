"""Tables of change-overs."""

import sqlalchemy as sa

from services.identity.tables import METADATA

_MOMENT = sa.DateTime(timezone=True)

custody_change = sa.Table(
    "custody_change",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("unit", sa.ForeignKey("unit.id"), nullable=False, index=True),
    sa.Column("leaver", sa.ForeignKey("staff.name"), comment="none: nobody keeps the role"),
    sa.Column("successor", sa.ForeignKey("staff.name"), nullable=False),
    sa.Column("supervisor", sa.ForeignKey("staff.name"), nullable=False),
    sa.Column("proposed_by", sa.Text, nullable=False),
    sa.Column("proposed_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("closed_at", _MOMENT),
    sa.Column("closed_by", sa.Text),
    sa.Column("reason", sa.Text, comment="why it was withdrawn or refused"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("state IN ('open', 'done', 'withdrawn', 'refused', 'expired')", name="custody_change_state"),
    sa.CheckConstraint(
        "successor <> supervisor AND leaver IS DISTINCT FROM successor AND leaver IS DISTINCT FROM supervisor",
        name="custody_change_is_of_three",
    ),
    sa.Index("custody_change_open", "role", "unit", unique=True, postgresql_where=sa.text("state = 'open'")),
    comment="custodians who hand over, one open change a role and unit",
)

custody_confirmation = sa.Table(
    "custody_confirmation",
    METADATA,
    sa.Column("change", sa.ForeignKey("custody_change.id"), primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("secret_hash", sa.Text, comment="argon2id of the password to come; gone once the change is over"),
    sa.CheckConstraint("part IN ('leaver', 'successor', 'supervisor')", name="custody_confirmation_part"),
    comment="who has confirmed a change-over",
)
