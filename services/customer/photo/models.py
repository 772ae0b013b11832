"""The table of photographs: a picture is kept once for each item, sealed, and never changed.

After a merge a customer may have the same picture twice: each is the value that its own history names.
"""

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid

from services.customer.tables import METADATA

PHOTO = Table(
    "photo",
    METADATA,
    Column("id", Uuid, primary_key=True, comment="the value of the item that it was taken for"),
    Column("customer_id", Uuid, ForeignKey("customer.id"), nullable=False),
    Column("item", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("width", Integer, nullable=False, comment="pixels, as the header of the picture says"),
    Column("height", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False, comment="of the picture as it was sent"),
    Column("sealed", LargeBinary, nullable=False, comment="the picture under the subject's key; its id is bound in"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Index("photo_by_content", "customer_id", "item", "sha256"),
    comment="photographs; gone when the customer is erased",
)
