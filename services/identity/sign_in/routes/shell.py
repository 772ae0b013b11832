"""What every page of the site needs: its style, its icon, and the choice of a language."""

from fastapi import APIRouter, Response

from services.identity.sign_in.pages import ASSET_HEADERS, Pages
from services.identity.sign_in.routes.page_door import page_router
from services.identity.sign_in.rules import START
from services.identity.sign_in.visits import Visits
from shared.errors import NotFound
from shared.web.site import LANGUAGE_COOKIE, LANGUAGES, local_path

_YEAR_S = 365 * 86_400


def build(pages: Pages, visits: Visits) -> APIRouter:
    router = page_router(pages, visits)

    @router.get("/language/{language}")
    async def choose_language(language: str, next: str | None = None) -> Response:
        if language not in LANGUAGES:
            raise NotFound("not_found", "There are zh and en.")
        response = pages.onward(local_path(next, START))
        pages.set_cookie(response, LANGUAGE_COOKIE, language, seconds=_YEAR_S)
        return response

    @router.get("/static/{name}")
    async def get_asset(name: str) -> Response:
        if name not in pages.assets:
            raise NotFound("not_found", "There is no such file.")
        content, media_type = pages.assets[name]
        return Response(content, media_type=media_type, headers=ASSET_HEADERS)

    return router
