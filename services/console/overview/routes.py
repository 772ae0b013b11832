"""The start page."""

from typing import Annotated

from fastapi import Depends, Response

from services.console.overview.service import Overview
from services.console.pages import Pages
from services.console.visits import Visit, Visits
from shared.web import Router


def build(pages: Pages, visits: Visits, overview: Overview) -> Router:
    router = Router(include_in_schema=False)

    @router.get("/")
    async def show_start(visit: Annotated[Visit, Depends(visits.signed_in)]) -> Response:
        return pages.answer(visit, "start.html", **await overview.gather(visit))

    return router
