"""Keyset pages: an opaque cursor that names the last row seen, so that a page costs the same at any depth."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from fastapi import Query
from pydantic import BaseModel

from shared.errors import Fault, Invalid
from shared.ids import parse_id

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=200, description="rows of a page")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")]


class Page(BaseModel, Generic[T]):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None


def write_cursor(*keys: Any) -> str:
    """An opaque cursor for the sort keys of the last row of a page."""
    return base64.urlsafe_b64encode(orjson.dumps(keys, default=str)).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The sort keys back, an id as UUID; Invalid if it is not one of our cursors for this list."""
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        keys = None
    found = keys if isinstance(keys, list) and len(keys) == len(kinds) else None
    if found is not None:
        found = [parse_id(key) if kind is UUID else key for key, kind in zip(found, kinds, strict=True)]
    if found is None or not all(map(_fits, found, kinds)):
        fault = Fault("query:cursor", "bad_cursor", cursor[:80], "next_cursor of the page before, unchanged")
        raise Invalid("bad_cursor", "Start again without a cursor.", [fault])
    return found


def _fits(key: Any, kind: type) -> bool:
    """Of its kind, and such that PostgreSQL can compare with it."""
    if type(key) is not kind:
        return False
    return "\0" not in key if isinstance(key, str) else not isinstance(key, int) or abs(key) < 2**63
