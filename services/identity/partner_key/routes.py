"""The HTTP door of partners' keys."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response

from services.identity.partner_key.rules import Key, State
from services.identity.partner_key.schemas import KeyView, MadeKey, NewKey, RotatedKey, Rotation, shown
from services.identity.partner_key.service import CHANGE, READ, PartnerKeys
from shared.auth import Principal, SignedIn, may
from shared.clock import now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses, shown_once
from shared.web.pages import read_cursor, write_cursor

Name = Annotated[str, Path(max_length=64, description="client_id of a partner's system")]
Reader = Annotated[Principal, may(READ)]
Changer = Annotated[Principal, may(CHANGE)]


def build(keys: PartnerKeys) -> Router:
    router = Router(prefix="/v1", tags=["partner keys"])

    @router.get("/keys", summary="Keys of the client that asks, newest first", responses=problem_responses(422))
    async def list_own_keys(tx: Tx, who: SignedIn, cursor: Cursor = None, limit: Limit = 50) -> Page[KeyView]:
        return _page(await keys.own(tx, who, _before(cursor), limit + 1, now()), limit)

    @router.get("/clients/{name}/keys", summary="Keys of a client, newest first", responses=problem_responses(404, 422))
    async def list_keys(name: Name, tx: Tx, who: Reader, cursor: Cursor = None, limit: Limit = 50) -> Page[KeyView]:
        return _page(await keys.page(tx, who, name, _before(cursor), limit + 1, now()), limit)

    @router.post(
        "/clients/{name}/keys",
        status_code=201,
        summary="Make a key; the answer shows it, once",
        responses=problem_responses(404, 409, 422),
    )
    async def issue_key(name: Name, body: NewKey, request: Request, tx: Tx, who: Changer) -> MadeKey:
        shown_once(request)
        key, secret = await keys.issue(tx, who, name, body.wish, now())
        return MadeKey(**shown(key, State.ACTIVE), key=secret)

    @router.post(
        "/keys/{key_id}/rotation",
        status_code=201,
        summary="Make a key that takes over from one, which goes on for a while",
        responses=problem_responses(404, 409, 422),
    )
    async def rotate_key(
        key_id: UUID, request: Request, tx: Tx, who: Changer, body: Rotation | None = None
    ) -> RotatedKey:
        shown_once(request)
        ends_at = body.ends_at if body is not None else None
        key, secret, former = await keys.rotate(tx, who, key_id, ends_at, now())
        return RotatedKey(**shown(key, State.ACTIVE), key=secret, former_ends_at=former.expires_at)

    @router.delete("/keys/{key_id}", status_code=204, summary="End a key at once", responses=problem_responses(404))
    async def revoke_key(key_id: UUID, tx: Tx, who: Changer) -> Response:
        await keys.revoke(tx, who, key_id, now())
        return Response(status_code=204)

    return router


def _before(cursor: str | None) -> UUID | None:
    return read_cursor(cursor, UUID)[0] if cursor else None


def _page(found: list[tuple[Key, State]], limit: int) -> Page[KeyView]:
    items = [KeyView(**shown(key, state)) for key, state in found[:limit]]
    return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(found) > limit else None)
