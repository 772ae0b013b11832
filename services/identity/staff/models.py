"""Tables of staff. What happened to a person is sealed under their own key; what holds now stands in clear."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.identity.tables import METADATA

_MOMENT = sa.DateTime(timezone=True)

staff = sa.Table(
    "staff",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True, comment="sign-in name; never given to anybody else"),
    sa.Column("full_name", sa.Text, nullable=False),
    sa.Column("unit", sa.ForeignKey("unit.id"), nullable=False, comment="of the main post in force"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("clearance", sa.Text, comment="caps what the roles clear; none: it does not"),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, comment="known once leaving was announced"),
    sa.Column("successor", sa.ForeignKey("staff.name"), comment="who takes over from a leaver"),
    sa.Column("version", sa.Integer, nullable=False, comment="0: carried over, not published yet"),
    sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("state IN ('expected', 'active', 'leaving', 'left')", name="staff_state"),
    sa.CheckConstraint("last_day >= first_day", name="staff_days"),
    sa.Index("staff_by_unit", "unit", "name"),
    comment="people, those who left included",
)

staff_key = sa.Table(
    "staff_key",
    METADATA,
    sa.Column("staff", sa.ForeignKey("staff.name"), primary_key=True),
    sa.Column("kek", sa.Text, nullable=False, comment="name of the key-encryption key that wraps it"),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Index("staff_key_by_kek", "kek", "staff"),
    comment="one data key a person; it seals their history",
)

post = sa.Table(
    "post",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("staff", sa.ForeignKey("staff.name"), nullable=False, index=True),
    sa.Column("unit", sa.ForeignKey("unit.id"), nullable=False, index=True),
    sa.Column("title", sa.Text),
    sa.Column("main", sa.Boolean, nullable=False, comment="one main post at a time says where a person belongs"),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("until_on", sa.Date, comment="last day; none: open"),
    sa.Column("releases", sa.ForeignKey("unit.id"), comment="roles over this unit end the day before the post begins"),
    sa.CheckConstraint("until_on >= from_on", name="post_days"),
    comment="posts, also those to come",
)

role_grant = sa.Table(
    "role_grant",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("staff", sa.ForeignKey("staff.name"), nullable=False, index=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("unit", sa.ForeignKey("unit.id"), nullable=False, index=True),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("until_on", sa.Date, comment="last day; none: open"),
    sa.Column("granted_by", sa.Text, nullable=False),
    sa.Column("granted_at", _MOMENT, nullable=False),
    sa.CheckConstraint("until_on >= from_on", name="role_grant_days"),
    comment="roles over units, also those to come",
)

role_given = sa.Table(
    "role_given",
    METADATA,
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("unit", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("staff", sa.ForeignKey("staff.name"), primary_key=True),
    comment="who was ever given which role; a grant that was taken back on its first day leaves no other trace",
)

deputy = sa.Table(
    "deputy",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("staff", sa.ForeignKey("staff.name"), nullable=False, index=True),
    sa.Column("deputy", sa.ForeignKey("staff.name"), nullable=False, index=True, comment="holds the roles of `staff`"),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("until_on", sa.Date, nullable=False, comment="last day"),
    sa.Column("named_by", sa.Text, nullable=False),
    sa.Column("named_at", _MOMENT, nullable=False),
    sa.CheckConstraint("until_on >= from_on", name="deputy_days"),
    sa.CheckConstraint("deputy <> staff", name="deputy_is_another"),
    comment="who stands in for whom",
)

staff_event = sa.Table(
    "staff_event",
    METADATA,
    sa.Column("staff", sa.ForeignKey("staff.name"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False, comment="event type, as published"),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("items", ARRAY(sa.Text), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="{item: {before, after}} under the person's key"),
    comment="history: one row a version, never changed",
)
