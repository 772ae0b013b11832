"""HTTP door of duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.customer.duplicate.schemas import (
    Asked,
    Dismissal,
    HeldRuleView,
    MatchesView,
    MatchView,
    PairView,
    SideView,
)
from services.customer.duplicate.service import CHECK, DISMISS, READ, Duplicates, HeldRule, Match, OpenPair, Side
from shared.auth import Principal, may
from shared.clock import now
from shared.regime import Verdict
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor


def build(duplicates: Duplicates) -> Router:
    """The routes of duplicates."""
    router = Router(prefix="/v1", tags=["duplicates"])

    @router.post(
        "/duplicates/check", summary="Whether a customer has a file already, in whatever unit",
        responses=problem_responses(400, 413, 422),
    )  # fmt: skip
    async def check_duplicates(body: Asked, tx: Tx, who: Annotated[Principal, may(CHECK)]) -> MatchesView:
        return _matches(await duplicates.check(tx, who, body.kind, body.values, now()))

    @router.get(
        "/customers/{customer_id}/duplicates", summary="Files that may be of the same customer",
        responses=problem_responses(404, 422),
    )  # fmt: skip
    async def get_customer_duplicates(customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)]) -> MatchesView:
        return _matches(await duplicates.of(tx, who, customer_id, now()))

    @router.get(
        "/duplicates", summary="Open pairs of which a file is within reach, the latest first",
        responses=problem_responses(422),
    )  # fmt: skip
    async def list_duplicates(
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        verdict: Annotated[Verdict | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[PairView]:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        found, after = await duplicates.page(tx, who, verdict, before, limit, now())
        items = [_pair(each) for each in found]
        return Page(items=items, next_cursor=write_cursor(after) if after is not None else None)

    @router.post(
        "/duplicates/{pair_id}/dismissal", status_code=204, summary="Say that two files are of two customers",
        responses=problem_responses(400, 404, 409, 422),
    )  # fmt: skip
    async def dismiss_duplicate(
        pair_id: UUID, body: Dismissal, tx: Tx, who: Annotated[Principal, may(DISMISS)]
    ) -> None:
        await duplicates.dismiss(tx, who, pair_id, body.reason, now())

    return router


def _matches(found: Sequence[Match]) -> MatchesView:
    items = [
        MatchView(
            customer=_side(each.other), verdict=each.verdict, rules=_rules(each.rules), pair_id=each.pair,
            dismissed=each.dismissed,
        )
        for each in found
    ]  # fmt: skip
    return MatchesView(items=items)


def _pair(pair: OpenPair) -> PairView:
    older, newer = map(_side, pair.sides)
    return PairView(
        id=pair.id, found_at=pair.found_at, files=(older, newer), verdict=pair.verdict, rules=_rules(pair.rules)
    )


def _rules(rules: Sequence[HeldRule]) -> list[HeldRuleView]:
    return [HeldRuleView.model_validate(rule) for rule in rules]


def _side(side: Side) -> SideView:
    row = side.row or {}
    shown = {name: row.get(name) for name in ("kind", "unit", "manager", "number")}
    return SideView(customer_id=row.get("id"), **shown, name=side.name, within_reach=side.row is not None)
