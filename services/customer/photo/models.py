"""The table of photographs: a picture is kept once for each item, and never changed; its bytes are stored objects.

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
    Column("width", Integer, nullable=False, comment="pixels, as it is kept"),
    Column("height", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False, comment="of the picture as it was sent"),
    Column("content_id", Uuid, nullable=False, comment="stored object: the clean picture under the subject's key"),
    Column("thumbnail_id", Uuid, comment="the same for its thumbnail; none of photographs from before there were any"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Index("photo_by_content", "customer_id", "item", "sha256"),
    comment="photographs; gone when the customer is erased",
)
