"""A value as answers carry it: who set it, when, when it was last verified, how late it was learnt of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from services.customer.file.lateness import Learnt
from shared.db import Record

Row: TypeAlias = Mapping[str, Any] | Record


def stored(value: Any, meta: list[Any] | None, file: Row) -> dict[str, Any]:
    if meta is None:
        return shown_value(value, file["created_by"], file["created_at"], file["created_at"])
    return shown_value(value, *meta)


def shown_value(value: Any, by: str, at: Any, verified: Any, *learnt: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"value": value, "set_by": by, "set_at": at, "verified_at": verified}
    return {**shown, "learnt": learnt[0]} if learnt else shown


def beside(late: Mapping[str, Learnt], code: str) -> list[dict[str, Any]]:
    """What stands beside a value of which it is known when its change was learnt of."""
    return [late[code].as_json()] if code in late else []
