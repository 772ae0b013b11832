"""HTTP door of exports."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from services.customer.exchange.exports import EXPORTING, FETCHING, Exports
from services.customer.exchange.schemas import ExportRequest, ExportView
from shared.auth import Principal, may
from shared.clock import now
from shared.db import Record
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

_MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_FILE: dict[str, Any] = {media: {"schema": {"type": "string", "format": "binary"}} for media in _MEDIA.values()}
Exporter = Annotated[Principal, may(EXPORTING)]


def build(exports: Exports) -> Router:
    """The routes of exports."""
    router = Router(prefix="/v1/exports", tags=["exchange"])

    @router.post("", status_code=202, summary="Ask for a file of customers", responses=problem_responses(422))
    async def create_export(body: ExportRequest, response: Response, tx: Tx, who: Exporter) -> ExportView:
        filters = {name: value for name, value in body.filters.model_dump().items() if value is not None}
        row = await exports.request(tx, who, body.kind, filters, body.items, body.format, now())
        response.headers["Location"] = f"/v1/exports/{row['id']}"
        return _view(row)

    @router.get("", summary="The caller's own exports, newest first", responses=problem_responses(422))
    async def list_exports(tx: Tx, who: Exporter, cursor: Cursor = None, limit: Limit = 50) -> Page[ExportView]:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        rows = await exports.page(tx, who, before, limit + 1)
        items = [_view(row) for row in rows[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(rows) > limit else None)

    @router.get("/{export_id}", summary="How far an export is", responses=problem_responses(404, 422))
    async def get_export(export_id: UUID, tx: Tx, who: Exporter) -> ExportView:
        return _view(await exports.get(tx, who, export_id))

    @router.get(
        "/{export_id}/file", summary="The file, for who asked for it", response_class=Response,
        responses={200: {"content": _FILE, "description": "It"}, **problem_responses(404, 409, 422)},
    )  # fmt: skip
    async def get_export_file(
        export_id: UUID, request: Request, tx: Tx, who: Annotated[Principal, may(FETCHING)]
    ) -> Response:
        row = await exports.fetch(tx, who, export_id, now())
        name = f"export-{export_id}.{row['format']}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(row["bytes"])}
        pieces = exports.pieces(request.app.state.database, row)
        return StreamingResponse(pieces, headers=headers, media_type=_MEDIA[row["format"]])

    return router


def _view(row: Record) -> ExportView:
    same = {name: row[name] for name in ExportView.model_fields if name not in ("sha256", "kept")}
    digest = row["sha256"]
    return ExportView(**same, sha256=None if digest is None else digest.hex(), kept=row["kek"] is not None)
