"""HTTP door of the dictionary."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Annotated

from fastapi import Header, Query, Response

from services.customer.dictionary.schemas import DictionaryView, GroupView, ItemView, Reference, RuleView
from services.customer.dictionary.service import Dictionaries
from shared.auth import Principal, may
from shared.clock import day_of, now
from shared.regime import Catalogue, FieldType, Item
from shared.web import Router, problem_responses

_TEXTS = (FieldType.TEXT, FieldType.CODE, FieldType.PHONE)
_FRACTIONS = (FieldType.DECIMAL, FieldType.MONEY)
_SAME = ("code", "label", "definition", "calibre", "type", "maintenance", "source", "secrecy", "required", "personal")
_ALSO = ("maintained_by", "origin", "unit", "pattern", "check", "codelist", "formula", "use", "search")


def build(dictionaries: Dictionaries) -> Router:
    """The route of the dictionary."""
    router = Router(prefix="/v1/dictionary", tags=["dictionary"])

    @lru_cache(maxsize=32)
    def written(catalogue: Catalogue, day: date) -> bytes:
        """The answer, made once a day: code lists may be long."""
        return _dictionary(dictionaries, catalogue, day).model_dump_json().encode()

    @router.get(
        "", summary="The items of a kind of customer (R1.1)", response_model=DictionaryView,
        responses=problem_responses(404, 422) | {304: {"description": "Still that text"}},
    )  # fmt: skip
    async def get_dictionary(
        _who: Annotated[Principal, may("dictionary.read")],
        kind: Annotated[str, Query(max_length=60, examples=["retail"])],
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        moment = now()
        catalogue = dictionaries.catalogue(kind, moment)
        tag = f'"{dictionaries.identity(catalogue, moment)}"'
        if if_none_match == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(written(catalogue, day_of(moment)), headers={"ETag": tag}, media_type="application/json")

    return router


def _dictionary(dictionaries: Dictionaries, catalogue: Catalogue, day: date) -> DictionaryView:
    views = [
        _view(item, catalogue, None if item.codelist is None else dictionaries.codes(item, day))
        for item in catalogue.items.values()
    ]
    groups = [GroupView(id=group.id, label=group.label) for group in catalogue.groups if group.codes]
    rules = [
        RuleView(id=rule.id, label=rule.label, items=list(rule.items), reads=sorted(rule.reads), message=rule.message)
        for rule in catalogue.rules.values()
    ]
    reference = Reference(**catalogue.ref.as_json())
    return DictionaryView(kind=catalogue.kind, dictionary=reference, groups=groups, items=views, rules=rules)


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
