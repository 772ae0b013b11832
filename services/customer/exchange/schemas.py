"""HTTP shapes of exchange."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.customer.exchange.rules import Mode, OnFault

Name = Annotated[str, Field(min_length=1, max_length=100)]


class FaultView(BaseModel):
    """What is wrong, where: `row` as a spreadsheet counts it (0: the file), `column` an item; none: the whole row."""

    row: int
    column: str | None
    code: str
    seen: str | None
    expected: str | None


class ImportView(BaseModel):
    """An import: how far it is, its verdict, and the first faults.

    `faults`: how many there are in all; `kept`: whether its file, and the workbook with results, can still be had.
    """

    id: UUID
    kind: str
    mode: Mode
    dry_run: bool
    on_fault: OnFault
    state: str
    verdict: str | None
    sha256: str
    bytes: int
    rows: int
    valid: int
    refused: int
    applied: int
    unchanged: int
    faults: int
    kept: bool
    created_at: datetime
    ended_at: datetime | None
    kept_until: datetime
    first_faults: list[FaultView]


class Applying(BaseModel):
    """Whether the good rows are stored though others were refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"on_fault": "skip"}]})

    on_fault: OnFault = OnFault.STOP


class Filters(BaseModel):
    """Which customers, as in a list."""

    model_config = ConfigDict(extra="forbid")

    unit: Name | None = None
    manager: Name | None = None
    status: Name | None = None
    grade: Name | None = None
    number: Name | None = None
    name: Name | None = None


class ExportRequest(BaseModel):
    """What goes out: `items` are codes, in this order; all that the reader may see below a grant, if none is named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "retail", "items": ["customer_code", "shop_name"], "format": "csv"}]},
    )

    kind: str = Field(max_length=60)
    filters: Filters = Filters()
    items: list[Annotated[str, Field(max_length=80)]] | None = Field(None, min_length=1, max_length=500)
    format: Literal["xlsx", "csv"] = "xlsx"


class ExportView(BaseModel):
    """An export: `left_out` names the items above its requester's clearance."""

    id: UUID
    kind: str
    format: str
    state: str
    filters: dict[str, str]
    items: list[str]
    left_out: list[str]
    level: str
    rows: int
    bytes: int
    sha256: str | None
    fetched: int
    reason: str | None
    kept: bool
    created_at: datetime
    ended_at: datetime | None
    kept_until: datetime
