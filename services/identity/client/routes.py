"""The HTTP door of client systems."""

from typing import Annotated

from fastapi import Header, Path, Request, Response

from services.identity.client.rules import Client, Entry, shown
from services.identity.client.schemas import ClientChange, ClientView, MadeClient, NewClient, NewSecret
from services.identity.client.service import CHANGE, READ, Clients
from shared.auth import Principal, may
from shared.clock import now
from shared.edits import etag_of, version_of
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses, shown_once
from shared.web.pages import read_cursor, write_cursor

Name = Annotated[str, Path(max_length=64, description="client_id")]
IfMatch = Annotated[str | None, Header(description="ETag of the state that is to be changed")]
Reader = Annotated[Principal, may(READ)]
Changer = Annotated[Principal, may(CHANGE)]


def build(clients: Clients) -> Router:
    router = Router(prefix="/v1/clients", tags=["clients"])

    @router.get("", summary="Client systems, by name", responses=problem_responses(422))
    async def list_clients(tx: Tx, who: Reader, cursor: Cursor = None, limit: Limit = 50) -> Page[ClientView]:
        after = read_cursor(cursor, str)[0] if cursor else ""
        found = await clients.page(tx, who.scope(READ), after, limit + 1)
        items = [ClientView(**shown(each)) for each in found[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].name) if len(found) > limit else None)

    @router.post(
        "",
        status_code=201,
        summary="Enter a client; the answer shows its secret, once",
        responses=problem_responses(409, 422),
    )
    async def create_client(body: NewClient, request: Request, tx: Tx, who: Changer) -> MadeClient:
        shown_once(request)
        entry = Entry(**{**body.model_dump(), "kind": body.kind})
        client, secret = await clients.create(tx, who, entry, now())
        return MadeClient(**shown(client), secret=secret)

    @router.get("/{name}", summary="A client system", responses=problem_responses(404))
    async def get_client(name: Name, response: Response, tx: Tx, who: Reader) -> ClientView:
        return _view(await clients.require(tx, who, READ, name, now()), response)

    @router.patch("/{name}", summary="Change a client", responses=problem_responses(404, 409, 412, 422, 428))
    async def change_client(
        name: Name, body: ClientChange, response: Response, tx: Tx, who: Changer, if_match: IfMatch = None
    ) -> ClientView:
        await clients.require(tx, who, CHANGE, name, now())
        changes = body.model_dump(exclude_unset=True)
        changed = await clients.change(tx, who, name, changes, version_of(if_match), now())
        return _view(changed, response)

    @router.post(
        "/{name}/secrets",
        status_code=201,
        summary="Make a further secret; the answer shows it, once",
        responses=problem_responses(404, 409),
    )
    async def rotate_client_secret(name: Name, request: Request, tx: Tx, who: Changer) -> NewSecret:
        shown_once(request)
        await clients.require(tx, who, CHANGE, name, now())
        secret, former_ends_at = await clients.rotate(tx, who, name, now())
        return NewSecret(secret=secret, former_ends_at=former_ends_at)

    @router.post("/{name}/closing", summary="Close a client", responses=problem_responses(404, 409))
    async def close_client(name: Name, response: Response, tx: Tx, who: Changer) -> ClientView:
        await clients.require(tx, who, CHANGE, name, now())
        return _view(await clients.close(tx, name, now(), actor=who.actor), response)

    return router


def _view(client: Client, response: Response) -> ClientView:
    response.headers["ETag"] = etag_of(client.version)
    return ClientView(**shown(client))
