"""Table of customers to hand over."""

import sqlalchemy as sa

from services.identity.tables import METADATA

outstanding = sa.Table(
    "outstanding",
    METADATA,
    sa.Column("person", sa.Text, primary_key=True, comment="who leaves; a name as the customer service knows it"),
    sa.Column("unit", sa.Text, primary_key=True, comment="of the customers"),
    sa.Column("done", sa.Boolean, nullable=False, comment="somebody else looks after all of them"),
    comment="whether leavers have customers of a unit to hand over, from events",
)
