"""Facts about customers that came in from files and went out into them; the customer service publishes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event, RegimeRef


class ImportReceived(Event):
    """A file was sent for an import. Each customer that it opens or changes has an event of its own."""

    type: ClassVar[str] = "exchange.import_received"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    kind: str
    mode: str
    dry_run: bool
    bytes: int = Field(ge=0)
    sha256: str


class ImportEnded(Event):
    """An import is over: checked only, applied, refused, cancelled, or halted as its sender's authority changed."""

    type: ClassVar[str] = "exchange.import_ended"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    state: str
    rows: int
    valid: int
    refused: int
    applied: int
    unchanged: int
    dictionary: RegimeRef


class Exported(Event):
    """Customers went out into a file: the manifest. Which ones, at which version, the customer service keeps.

    `customers_sha256`: over a line "<id> <version>" for each, in order. `sha256`: of the file. `mark`: what this copy
    is known again by, if it bears one.
    """

    type: ClassVar[str] = "exchange.exported"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    kind: str
    format: str
    filters: Mapping[str, str]
    items: tuple[str, ...]
    left_out: tuple[str, ...]
    level: str
    purpose: str | None
    personal: bool
    rows: int
    bytes: int
    sha256: str
    customers_sha256: str
    mark: str | None = None


class ExportFetched(Event):
    """Who asked for an export fetched its file."""

    type: ClassVar[str] = "exchange.fetched"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    sha256: str
    times: int = Field(ge=1)
