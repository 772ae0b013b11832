"""Examples of requests in the OpenAPI document, taken from the dictionaries in force: one for each kind of customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.customer.dictionary.service import Dictionaries
from shared.regime import Use


def registrations(dictionaries: Dictionaries, now: datetime) -> dict[str, Any]:
    """A whole file of each kind."""
    return _body({kind: {"kind": kind, "values": values} for kind, values in dictionaries.examples(now).items()})


def changes(dictionaries: Dictionaries, now: datetime) -> dict[str, Any]:
    """A change of what customers of each kind are called."""
    found = {}
    for kind, values in dictionaries.examples(now).items():
        item = dictionaries.catalogue(kind, now).used_as(Use.NAME)
        if item is not None and item.code in values:
            found[kind] = {"values": {item.code: values[item.code]}}
    return _body(found)


def _body(bodies: dict[str, Any]) -> dict[str, Any]:
    """What FastAPI adds to the operation."""
    examples = {kind: {"value": body} for kind, body in bodies.items()}
    return {"requestBody": {"content": {"application/json": {"examples": examples}}}}
