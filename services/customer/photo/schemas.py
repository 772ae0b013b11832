"""HTTP shapes of photographs."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from services.customer.file.schemas import ValueView


class PhotoView(BaseModel):
    """A stored photograph; `values` holds every item that differs from the version named in If-Match."""

    id: UUID
    item: str
    media_type: str
    width: int
    height: int
    version: int
    values: dict[str, ValueView]
