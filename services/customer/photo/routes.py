"""HTTP door of photographs: bytes in, bytes out. One path, which a change addresses by item and a read by id."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import Header, Path, Query, Request, Response

from services.customer.file.service import CHANGE, READ
from services.customer.photo.rules import JPEG, PNG
from services.customer.photo.schemas import PhotoView
from services.customer.photo.service import Photos
from shared.auth import Principal, may
from shared.clock import now
from shared.edits import etag_of, version_of
from shared.errors import KehuError
from shared.web import Later, Router, Tx, allow_body, problem_responses
from shared.web.problems import render

_PATH = "/customers/{customer_id}/photos/{photo}"
_BYTES: dict[str, Any] = {media: {"schema": {"type": "string", "format": "binary"}} for media in (JPEG, PNG)}


def build(photos: Photos, limit: int) -> Router:
    """The routes of photographs, of `limit` bytes at most."""
    router = Router(prefix="/v1", tags=["photographs"])

    @router.put(
        _PATH, summary="Make a picture the value of an image item", response_model=PhotoView,
        openapi_extra={"requestBody": {"required": True, "content": _BYTES}},
        responses=problem_responses(400, 404, 409, 412, 413, 415, 422, 428),
    )  # fmt: skip
    async def put_customer_photo(
        customer_id: UUID,
        item: Annotated[str, Path(alias="photo", max_length=80, description="code of an image item")],
        request: Request,
        work: Later,
        who: Annotated[Principal, may(CHANGE)],
        if_match: Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')] = None,
    ) -> Response:
        base = version_of(if_match)
        allow_body(request, limit)
        prepared = await photos.prepare(await request.body())
        answer = await photos.put(await work.begin(), who, customer_id, item, base, prepared, now())
        if isinstance(answer, KehuError):
            return render(request, answer)
        body = orjson.dumps(answer.body, default=str)
        return Response(body, headers={"ETag": etag_of(answer.version)}, media_type="application/json")

    @router.get(
        _PATH, summary="A photograph or its thumbnail, as far as the caller is cleared", response_class=Response,
        responses={200: {"content": _BYTES, "description": "The picture"}, **problem_responses(404, 409, 422)},
    )  # fmt: skip
    async def get_customer_photo(
        customer_id: UUID,
        photo_id: Annotated[UUID, Path(alias="photo", description="id of a photograph: the value of its item")],
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        size: Annotated[
            Literal["full", "thumbnail"], Query(description="thumbnail: a JPEG of 320 pixels at most a side")
        ] = "full",
    ) -> Response:
        shown = await photos.show(tx, who, customer_id, photo_id, now(), thumbnail=size == "thumbnail")
        return Response(shown.content, headers={"Content-Disposition": "inline"}, media_type=shown.media_type)

    return router
