"""Table of lines."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from services.identity.tables import METADATA

_SAME = "int8range(hashtextextended(channel || ' ' || value, 0), hashtextextended(channel || ' ' || value, 0), '[]')"
_DAYS = "daterange(from_on, until_on, '[]')"

line = sa.Table(
    "line",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False, comment="code of the list line_channel"),
    sa.Column("value", sa.Text, nullable=False, comment="normalised: rules.normal"),
    sa.Column("holder", sa.ForeignKey("staff.name"), nullable=False, index=True),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("until_on", sa.Date, comment="last day; none: open"),
    sa.Column("assigned_by", sa.Text, nullable=False),
    sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_by", sa.Text, comment="who took it back; none: it is held, or ended with its holder's leaving"),
    sa.CheckConstraint("until_on >= from_on", name="line_days"),
    # Equality by a range of one hash: GiST has that built in, text would need an extension.
    ExcludeConstraint((sa.text(_SAME), "&&"), (sa.text(_DAYS), "&&"), name="line_held_by_one"),
    sa.Index("line_by_value", "channel", "value", "from_on"),
    comment="numbers and accounts of the company, each with one holder at a time",
)
