"""What the file asks of photographs. The value of an image item is an id, good only for the customer's own picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol
from uuid import UUID

from services.customer.dictionary.rules import pointer
from shared.db import Transaction
from shared.errors import Fault
from shared.regime import Catalogue, FieldType


class Pictures(Protocol):
    """Whoever keeps the pictures; the feature above gives it at composition."""

    async def items_of(self, tx: Transaction, customer_id: UUID, photo_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """The item that each of these photographs was taken for; those of other customers are missing."""
        ...


def named(catalogue: Catalogue, values: Mapping[str, Any]) -> dict[str, UUID]:
    """The photographs that these values name, by item."""
    return {
        code: UUID(value)
        for code, value in values.items()
        if value is not None and catalogue.items[code].type is FieldType.PHOTO
    }


def too_early(wanted: Mapping[str, UUID]) -> list[Fault]:
    """Nobody has photographs before the file is open."""
    expected = "no value: upload photographs after registration, by PUT /v1/customers/{{customer_id}}/photos/{code}"
    return [
        Fault(pointer(code), "not_uploaded", str(photo_id), expected.format(code=code))
        for code, photo_id in wanted.items()
    ]


def foreign(wanted: Mapping[str, UUID], items: Mapping[UUID, str]) -> list[Fault]:
    """Ids that are no photograph of this customer for the item that they are given to."""
    return [
        Fault(
            pointer(code), "not_uploaded", str(photo_id), "a photograph that was uploaded for this item of the customer"
        )
        for code, photo_id in wanted.items()
        if items.get(photo_id) != code
    ]
