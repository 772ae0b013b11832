"""HTTP door of attachments: bytes in, bytes out. What the body is, its content says; the query says what it is for."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Header, Query, Request, Response

from services.customer.attachment.rules import MEDIA
from services.customer.attachment.schemas import AttachmentEnd, AttachmentHistory, AttachmentView
from services.customer.attachment.service import END, KEEP, READ, Attachments, Wish
from shared.auth import Principal, may
from shared.clock import now
from shared.edits import etag_of, version_of
from shared.errors import KehuError
from shared.regime import Secrecy
from shared.web import Cursor, Later, Limit, Page, Router, Tx, allow_body, problem_responses
from shared.web.pages import read_cursor, write_cursor
from shared.web.problems import render

_LAST = UUID(int=2**128 - 1)
_BYTES: dict[str, Any] = {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()}
_BODY = {"requestBody": {"required": True, "content": _BYTES}}
_CHANGING = problem_responses(400, 404, 409, 412, 413, 415, 422, 428)
IfMatch = Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')]
Name = Annotated[str, Query(max_length=400, description="what the file is called; its ending follows its content")]


def build(attachments: Attachments, limit: int) -> Router:
    """The routes of attachments, of `limit` bytes at most."""
    router = Router(prefix="/v1/customers/{customer_id}/attachments", tags=["attachments"])
    _reading(router, attachments)

    @router.post("", status_code=201, summary="Keep a file; the same bytes of a kind again are the same attachment",
                 response_model=AttachmentView, openapi_extra=_BODY,
                 responses={200: {"model": AttachmentView, "description": "It was there already"},
                            **problem_responses(400, 404, 409, 413, 415, 422)})  # fmt: skip
    async def keep_customer_attachment(
        customer_id: UUID,
        request: Request,
        work: Later,
        who: Annotated[Principal, may(KEEP)],
        kind: Annotated[str, Query(max_length=60, description="kind of attachment, as declared")],
        name: Name,
        secrecy: Annotated[Secrecy | None, Query(description="a higher level than that of the kind")] = None,
    ) -> Response:
        allow_body(request, limit)
        prepared = await attachments.prepare(await request.body())
        wish = Wish(kind, name, secrecy)
        answer = await attachments.keep(await work.begin(), who, customer_id, wish, prepared, now())
        if isinstance(answer, KehuError):
            return render(request, answer)
        view, is_new = answer
        return _json(view, 201 if is_new else 200)

    @router.put("/{attachment_id}", summary="Keep another version of a file", response_model=AttachmentView,
                openapi_extra=_BODY, responses=_CHANGING)  # fmt: skip
    async def replace_customer_attachment(
        customer_id: UUID,
        attachment_id: UUID,
        request: Request,
        work: Later,
        who: Annotated[Principal, may(KEEP)],
        name: Name | None = None,
        if_match: IfMatch = None,
    ) -> Response:
        base = version_of(if_match)
        allow_body(request, limit)
        prepared = await attachments.prepare(await request.body())
        found = (customer_id, attachment_id, base, name, prepared)
        answer = await attachments.replace(await work.begin(), who, *found, now())
        return render(request, answer) if isinstance(answer, KehuError) else _json(answer)

    @router.post("/{attachment_id}/end", summary="Let a file hold no more; it stays to be read",
                 response_model=AttachmentView, responses=_CHANGING)  # fmt: skip
    async def end_customer_attachment(
        customer_id: UUID, attachment_id: UUID, body: AttachmentEnd, tx: Tx, who: Annotated[Principal, may(END)],
        if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        found = (customer_id, attachment_id, version_of(if_match))
        return _json(await attachments.end(tx, who, *found, body.reason, now()))

    return router


def _reading(router: Router, attachments: Attachments) -> None:
    @router.get("", summary="Files attached to a customer, newest first", response_model=Page[AttachmentView],
                responses=problem_responses(404, 409, 422))  # fmt: skip
    async def list_customer_attachments(
        customer_id: UUID,
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        cursor: Cursor = None,
        limit: Limit = 50,
        kind: Annotated[str | None, Query(max_length=60, description="only those of a kind")] = None,
        ended: Annotated[bool | None, Query(description="only those that ended, or that go on")] = None,
    ) -> Page[AttachmentView]:
        below = read_cursor(cursor, UUID)[0] if cursor else _LAST
        found = await attachments.page(tx, who, customer_id, below, limit + 1, kind, ended, now())
        items = [AttachmentView(**each) for each in found[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(found) > limit else None)

    @router.get("/{attachment_id}", summary="A file with its versions", response_model=AttachmentHistory,
                responses=problem_responses(404, 409, 422))  # fmt: skip
    async def get_customer_attachment(
        customer_id: UUID, attachment_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)]
    ) -> Response:
        return _json(await attachments.history(tx, who, customer_id, attachment_id, now()), history=True)

    @router.get("/{attachment_id}/content", summary="The bytes of a file, as far as the caller is cleared",
                response_class=Response, responses={200: {"content": _BYTES, "description": "The content"},
                                                    **problem_responses(404, 409, 422)})  # fmt: skip
    async def get_customer_attachment_content(
        customer_id: UUID,
        attachment_id: UUID,
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        version: Annotated[int | None, Query(ge=1, lt=2**31, description="of an earlier version")] = None,
    ) -> Response:
        found = await attachments.download(tx, who, customer_id, attachment_id, version, now())
        disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
        headers = {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox"}
        return Response(found.content, headers=headers, media_type=found.media_type)


def _json(view: dict[str, Any], status: int = 200, *, history: bool = False) -> Response:
    shape = AttachmentHistory if history else AttachmentView
    body = shape.model_validate(view).model_dump_json().encode()
    return Response(body, status, headers={"ETag": etag_of(view["version"])}, media_type="application/json")
