"""The pages about submissions."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.console.clients import Peers, panel
from services.console.pages import Pages
from services.console.visits import Visit, Visits
from shared.web import Router

_PAGE = 50
Text = Annotated[str | None, Query(max_length=500)]


def build(pages: Pages, visits: Visits, peers: Peers) -> Router:
    router = Router(prefix="/submissions", include_in_schema=False)
    Person = Annotated[Visit, Depends(visits.signed_in)]  # noqa: N806 - a type

    @router.get("")
    async def list_submissions(
        visit: Person,
        report: Text = None,
        period: Text = None,
        org: Text = None,
        verdict: Text = None,
        cursor: Text = None,
    ) -> Response:
        given = {"report": report, "period": period, "org": org, "verdict": verdict}
        filters = {field: (value or "").strip() or None for field, value in given.items()}
        asked = peers.get(visit, "reporting", "/v1/submissions", **filters, cursor=cursor, limit=_PAGE)
        found = await panel(asked)
        return pages.answer(visit, "submissions.html", filters=filters, found=found, is_first=cursor is None)

    @router.get("/{submission_id}")
    async def show_submission(visit: Person, submission_id: UUID, findings: Text = None) -> Response:
        """`findings`: the cursor of a further page of them."""
        path = f"/v1/submissions/{submission_id}"
        submission = await peers.get(visit, "reporting", path)
        listed = submission
        if findings is not None:
            listed = await peers.get(visit, "reporting", f"{path}/findings", cursor=findings)
        shown = {
            "findings": listed.get("findings", listed.get("items", [])),
            "next_cursor": listed.get("next_cursor"),
            "is_first": findings is None,
        }
        return pages.answer(visit, "submission.html", submission=submission, **shown)

    return router
