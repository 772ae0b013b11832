"""A row of the staff table as it must be, and the outcome of an import."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from services.identity.staff.schemas import Day, Label, Name, RoleId, UnitId

_SEPARATORS = re.compile(r"[;；,，、\s]+")


def _split(cell: Any) -> Any:
    return [each for each in _SEPARATORS.split(cell) if each] if isinstance(cell, str) else cell


class Row(BaseModel):
    """`roles`: ids, separated by semicolons; over the unit of the row, from today or the first day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    full_name: Label
    unit: UnitId
    first_day: Day | None = None
    title: Label | None = None
    roles: Annotated[tuple[RoleId, ...], BeforeValidator(_split)] = ()


class ImportOutcome(BaseModel):
    """How many rows there were, and what became of them; of a dry run, what would."""

    dry_run: bool
    rows: int
    joined: int
    changed: int
    unchanged: int
