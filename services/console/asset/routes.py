"""The files that pages are made with; open to everybody."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Response

from services.console.asset.service import Asset
from shared.errors import NotFound
from shared.web import Router

_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def build(assets: Mapping[str, Asset]) -> Router:
    router = Router(prefix="/static", include_in_schema=False)

    @router.get("/{name:path}")
    async def get_asset(name: Annotated[str, Path(max_length=100)]) -> Response:
        asset = assets.get(name)
        if asset is None:
            raise NotFound("not_found", "There is no such file.")
        return Response(asset.content, media_type=asset.media_type, headers=_HEADERS)

    return router
