"""HTTP door of merges."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.customer.merge.reading import READ, Merged, Shown
from services.customer.merge.schemas import MergeView, Merging, Undoing
from services.customer.merge.service import PERFORM, UNDO, Merges, Wish
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor


def build(merges: Merges, merged: Merged) -> Router:
    """The routes of merges."""
    router = Router(prefix="/v1", tags=["merges"])

    @router.post(
        "/merges", status_code=201, summary="Make one file of two of the same customer",
        responses=problem_responses(400, 404, 409, 412, 413, 422),
    )  # fmt: skip
    async def merge_customers(
        body: Merging, tx: Tx, who: Annotated[Principal, may(PERFORM)], response: Response
    ) -> MergeView:
        files = (body.survivor.id, body.survivor.version), (body.loser.id, body.loser.version)
        merge_id = await merges.perform(tx, who, Wish(*files, body.take, body.reason), now())
        response.headers["Location"] = f"/v1/merges/{merge_id}"
        return _shown(await merged.get(tx, who, merge_id))

    @router.get("/merges/{merge_id}", summary="One merge", responses=problem_responses(404, 422))
    async def get_merge(merge_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)]) -> MergeView:
        return _shown(await merged.get(tx, who, merge_id))

    @router.post(
        "/merges/{merge_id}/undo", summary="Take two merged files apart as they were",
        responses=problem_responses(400, 404, 409, 422),
    )  # fmt: skip
    async def undo_merge(merge_id: UUID, body: Undoing, tx: Tx, who: Annotated[Principal, may(UNDO)]) -> MergeView:
        await merges.undo(tx, who, merge_id, body.reason, frozenset(body.keep), now())
        return _shown(await merged.get(tx, who, merge_id))

    @router.get(
        "/customers/{customer_id}/merges", summary="Merges of a file, the latest first",
        responses=problem_responses(404, 422),
    )  # fmt: skip
    async def list_customer_merges(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Page[MergeView]:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        found = await merged.of(tx, who, customer_id, before, limit + 1)
        items = [_shown(each) for each in found[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(found) > limit else None)

    return router


def _shown(merge: Shown) -> MergeView:
    names = ("id", "survivor", "loser", "survivor_version", "loser_version", "items", "at", "actor", "undo_until")
    plain = {name: merge.row[name] for name in (*names, "undone_at", "undone_by")}
    moved = {name: len(records) for name, records in merge.row["moved"].items() if records}
    return MergeView(**plain, moved=moved, reason=merge.reason, undo_reason=merge.undo_reason)
