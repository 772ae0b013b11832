"""HTTP door of imports and templates."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from services.customer.exchange import errors, rules
from services.customer.exchange.imports import IMPORTING, Imports, Sent
from services.customer.exchange.rules import CellFault, Mode, OnFault
from services.customer.exchange.schemas import Applying, FaultView, ImportView
from services.customer.exchange.template import TEMPLATE, Templates
from shared.auth import Principal, may
from shared.clock import now
from shared.db import Record, Transaction
from shared.errors import Fault
from shared.web import Cursor, Later, Limit, Page, Router, Tx, allow_body, problem_responses
from shared.web.media import MULTIPART, media_of
from shared.web.pages import read_cursor, write_cursor

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
_MARGIN = 65_536  # of a form around its file
_FIELDS: Mapping[str, Any] = {
    "kind": {"type": "string", "maxLength": 60},
    "mode": {"enum": [mode.value for mode in Mode]},
    "key": {"type": "string", "description": "the item that tells customers apart; the number, if not given"},
    "dry_run": {"type": "boolean", "default": False, "description": "only check; store it by …/apply"},
    "on_fault": {"enum": [each.value for each in OnFault], "default": "stop"},
    "file": {"type": "string", "format": "binary", "description": "XLSX, or CSV in UTF-8 or GB18030; heading first"},
}
_FORM = {"type": "object", "properties": _FIELDS, "required": ["kind", "mode", "file"], "additionalProperties": False}
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
Importer = Annotated[Principal, may(IMPORTING)]


def build(imports: Imports, templates: Templates) -> Router:
    """The routes of imports and templates."""
    router = Router(prefix="/v1", tags=["exchange"])
    _template_route(router, templates)
    _import_routes(router, imports)
    _result_routes(router, imports)
    return router


def _template_route(router: Router, templates: Templates) -> None:
    @router.get(
        "/templates/{kind}.xlsx", summary="An empty workbook with the items that the caller may set",
        response_class=Response,
        responses={200: {"content": {XLSX: _BINARY}, "description": "A workbook"}, **problem_responses(404)},
    )  # fmt: skip
    async def get_template(
        kind: Annotated[str, Path(max_length=60, examples=["retail"])], who: Annotated[Principal, may(TEMPLATE)]
    ) -> Response:
        return attachment(templates.make(who, kind, now()), XLSX, f"{kind}.xlsx")


def _import_routes(router: Router, imports: Imports) -> None:
    @router.post(
        "/imports", status_code=202, summary="Bring customers in from a file, or try to with dry_run",
        openapi_extra={"requestBody": {"required": True, "content": {MULTIPART: {"schema": _FORM}}}},
        responses=problem_responses(400, 413, 415, 422),
    )  # fmt: skip
    async def create_import(request: Request, response: Response, work: Later, who: Importer) -> ImportView:
        moment = now()
        allow_body(request, imports.limits(moment).bytes + _MARGIN)
        sent, content = await _form(request)
        tx = await work.begin()
        row = await imports.receive(tx, who, sent, content, moment)
        response.headers["Location"] = f"/v1/imports/{row['id']}"
        return _view(row, [])

    @router.get("/imports", summary="The caller's own imports, newest first", responses=problem_responses(422))
    async def list_imports(tx: Tx, who: Importer, cursor: Cursor = None, limit: Limit = 50) -> Page[ImportView]:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        rows = await imports.page(tx, who, before, limit + 1)
        items = [_view(row, []) for row in rows[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(rows) > limit else None)

    @router.get("/imports/{import_id}", summary="How far an import is", responses=problem_responses(404, 422))
    async def get_import(import_id: UUID, tx: Tx, who: Importer) -> ImportView:
        return await _shown(tx, imports, await imports.get(tx, who, import_id))

    @router.post(
        "/imports/{import_id}/apply", status_code=202, summary="Store what a dry run found good",
        responses=problem_responses(404, 409, 422),
    )  # fmt: skip
    async def apply_import(import_id: UUID, body: Applying, tx: Tx, who: Importer) -> ImportView:
        return await _shown(tx, imports, await imports.apply(tx, who, import_id, body.on_fault, now()))

    @router.post(
        "/imports/{import_id}/cancel", summary="Go no further; what is stored stays",
        responses=problem_responses(404, 409, 422),
    )  # fmt: skip
    async def cancel_import(import_id: UUID, tx: Tx, who: Importer) -> ImportView:
        return await _shown(tx, imports, await imports.cancel(tx, who, import_id, now()))


def _result_routes(router: Router, imports: Imports) -> None:
    @router.get(
        "/imports/{import_id}/workbook", summary="The sender's own workbook with the result of each row",
        response_class=Response,
        responses={200: {"content": {XLSX: _BINARY}, "description": "It"}, **problem_responses(404, 409, 422)},
    )  # fmt: skip
    async def get_import_workbook(import_id: UUID, tx: Tx, who: Importer) -> Response:
        return attachment(await imports.workbook(tx, who, import_id, now()), XLSX, f"import-{import_id}.xlsx")

    @router.get(
        "/imports/{import_id}/faults.csv", summary="All that is wrong, a line each",
        response_class=Response,
        responses={200: {"content": {CSV: _BINARY}, "description": "It"}, **problem_responses(404, 409, 422)},
    )  # fmt: skip
    async def get_import_faults(import_id: UUID, tx: Tx, who: Importer) -> Response:
        _, faults = await imports.faults(tx, who, import_id)
        return attachment(_lines(faults), CSV, f"import-{import_id}.csv")


async def _shown(tx: Transaction, imports: Imports, row: Record) -> ImportView:
    return _view(row, await imports.first_faults(tx, row))


def _view(row: Record, faults: Sequence[CellFault]) -> ImportView:
    same = {name: row[name] for name in ImportView.model_fields if name not in ("sha256", "kept", "first_faults")}
    first = [FaultView(**fault._asdict()) for fault in faults]
    return ImportView(**same, sha256=row["sha256"].hex(), kept=row["kek"] is not None, first_faults=first)


async def _form(request: Request) -> tuple[Sent, bytes]:
    """What was sent, and the file. Raises: UnsupportedMedia, Malformed, Invalid (bad_import)"""
    if (media := media_of(request)) != MULTIPART:
        raise errors.not_a_form(media)
    try:
        async with request.form(max_files=1, max_fields=len(_FIELDS)) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            if len(files) != 1:
                raise errors.no_file()
            return _sent(fields), await files[0].read()
    except HTTPException:
        raise errors.no_file() from None


def _sent(fields: Mapping[str, str]) -> Sent:
    allowed = {
        "mode": [mode.value for mode in Mode],
        "dry_run": ["true", "false"],
        "on_fault": [each.value for each in OnFault],
    }
    given = {"dry_run": "false", "on_fault": OnFault.STOP.value, **fields}
    faults = [
        Fault(f"/{name}", "not_in_list", given.get(name, "")[:80] or None, values)
        for name, values in allowed.items()
        if given.get(name) not in values
    ]
    faults += [Fault(f"/{name}", "extra_forbidden", None, list(_FIELDS)) for name in fields if name not in _FIELDS]
    if not fields.get("kind") or "\0" in "".join(fields.values()):
        faults.append(Fault("/kind", "missing", None, "a kind of customer"))
    if faults:
        raise errors.bad_import(faults)
    kind, key = given["kind"], given.get("key")
    return Sent(kind, Mode(given["mode"]), given["dry_run"] == "true", OnFault(given["on_fault"]), key)


def _lines(faults: Sequence[CellFault]) -> bytes:
    """CSV that a spreadsheet reads, and computes nothing of."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CellFault._fields)
    for fault in faults:
        writer.writerow([rules.neutral(str(value)) if value is not None else "" for value in fault])
    return text.getvalue().encode("utf-8-sig")


def attachment(content: bytes, media: str, name: str) -> Response:
    """A file to keep."""
    return Response(content, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type=media)
