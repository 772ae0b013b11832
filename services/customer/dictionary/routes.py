"""HTTP door of the dictionary."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from services.customer.dictionary.schemas import DictionaryView, GroupView, ItemView, Reference
from services.customer.dictionary.service import Dictionaries
from shared.auth import Principal, may
from shared.clock import day_of, now
from shared.regime import Catalogue, FieldType, Item
from shared.web import Router, problem_responses

_TEXTS = (FieldType.TEXT, FieldType.CODE, FieldType.PHONE)
_FRACTIONS = (FieldType.DECIMAL, FieldType.MONEY)
_SAME = ("code", "label", "definition", "calibre", "type", "maintenance", "source", "secrecy", "required", "personal")
_ALSO = ("maintained_by", "origin", "unit", "pattern", "formula", "use")


def build(dictionaries: Dictionaries) -> Router:
    """The route of the dictionary."""
    router = Router(prefix="/v1/dictionary", tags=["dictionary"])

    @router.get("", summary="The items of a kind of customer (R1.1)", responses=problem_responses(404, 422))
    async def get_dictionary(
        _who: Annotated[Principal, may("dictionary.read")],
        kind: Annotated[str, Query(max_length=60, examples=["retail"])],
    ) -> DictionaryView:
        moment = now()
        catalogue = dictionaries.catalogue(kind, moment)
        views = [
            _view(item, catalogue, None if item.codelist is None else dictionaries.codes(item, day_of(moment)))
            for item in catalogue.items.values()
        ]
        groups = [GroupView(id=group.id, label=group.label) for group in catalogue.groups]
        reference = Reference(**catalogue.ref.as_json())
        return DictionaryView(kind=kind, dictionary=reference, groups=groups, items=views)

    return router


def _view(item: Item, catalogue: Catalogue, listed: object) -> ItemView:
    same = {name: getattr(item, name) for name in (*_SAME, *_ALSO)}
    return ItemView.model_validate(
        {
            **same,
            "group": catalogue.group_of[item.code],
            "codes": listed or item.choices,
            "max_length": item.max_length if item.type in _TEXTS else None,
            "minimum": None if item.minimum is None else str(item.minimum),
            "maximum": None if item.maximum is None else str(item.maximum),
            "scale": item.scale if item.type in _FRACTIONS else None,
        }
    )
