"""The HTTP door of the directory's people: one call of a service each."""

from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import Header, Path, Query, Response

from services.identity.staff import history as histories
from services.identity.staff.access import GRANT
from services.identity.staff.deputies import Deputies
from services.identity.staff.grants import Grants
from services.identity.staff.history import Histories, Sealed
from services.identity.staff.leaving import ANNOUNCE, Leavings
from services.identity.staff.listing import Wanted
from services.identity.staff.posts import Post, Posts
from services.identity.staff.rules import Newcomer, Role, State
from services.identity.staff.schemas import (
    Clearance,
    DeputyView,
    HandOverView,
    HistoryEntry,
    LeavingView,
    NewDeputy,
    NewLeaving,
    NewPerson,
    NewPost,
    NewRole,
    PersonChange,
    PersonRow,
    PersonView,
    PostView,
    RoleView,
)
from services.identity.staff.service import CHANGE, READ, Staff
from shared.auth import Principal, may
from shared.clock import day_of, now
from shared.edits import etag_of, version_of
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor
from shared.web.sealed import OpenAnswer, OpenRequest

Named = Annotated[str, Path(max_length=64, description="sign-in name of a person")]
IfMatch = Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')]
Filter = Annotated[str | None, Query(min_length=1, max_length=64)]
Reader = Annotated[Principal, may(READ)]
Changer = Annotated[Principal, may(CHANGE)]
Granter = Annotated[Principal, may(GRANT)]
Announcer = Annotated[Principal, may(ANNOUNCE)]
_FIRST = 2**31 - 1
_REFUSED = problem_responses(404, 409, 422)


class Services(NamedTuple):
    """What this door calls."""

    staff: Staff
    posts: Posts
    grants: Grants
    deputies: Deputies
    leavings: Leavings
    histories: Histories


def build(services: Services) -> Router:
    router = Router(prefix="/v1", tags=["staff"])
    _people(router, services.staff)
    _posts(router, services.posts)
    _roles(router, services.grants)
    _deputies(router, services.deputies)
    _leaving(router, services.leavings)
    _history(router, services.histories)
    return router


def _people(router: Router, staff: Staff) -> None:
    @router.get("/staff", summary="People by name, as far as the caller's reach goes", responses=problem_responses(422))
    async def list_staff(
        tx: Tx,
        who: Reader,
        unit: Filter = None,
        state: State | None = None,
        role: Filter = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[PersonRow]:
        given = {"unit": unit, "state": state and state.value, "role": role}
        filters = {name: value for name, value in given.items() if value is not None}
        after = read_cursor(cursor, str)[0] if cursor else ""
        rows = await staff.page(tx, Wanted(who.scope(READ), filters, after), limit + 1, now())
        items = [PersonRow.model_validate(dict(row)) for row in rows[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].name) if len(rows) > limit else None)

    @router.post("/staff", status_code=201, summary="Enter a person who joins", responses=problem_responses(409, 422))
    async def join_staff(body: NewPerson, response: Response, tx: Tx, who: Changer) -> PersonView:
        newcomer = Newcomer(body.name, body.full_name, body.unit, body.first_day, body.title)
        view = await staff.join(tx, who, newcomer, now())
        response.headers["Location"] = f"/v1/staff/{body.name}"
        return _shown(view, response)

    @router.get("/staff/{name}", summary="One person, and what they hold", responses=problem_responses(404, 422))
    async def get_person(name: Named, response: Response, tx: Tx, who: Reader) -> PersonView:
        return _shown(await staff.read(tx, who, name, now()), response)

    @router.patch(
        "/staff/{name}",
        summary="Change a person's particulars; edits of different items are merged",
        responses=problem_responses(404, 409, 412, 422, 428),
    )
    async def change_person(
        name: Named, body: PersonChange, response: Response, tx: Tx, who: Changer, if_match: IfMatch = None
    ) -> PersonView:
        return _shown(await staff.change(tx, who, name, version_of(if_match), body.wanted, now()), response)


def _posts(router: Router, posts: Posts) -> None:
    @router.post(
        "/staff/{name}/posts", status_code=201, summary="Give a person a post: a transfer, if it is the main one",
        responses=_REFUSED,
    )  # fmt: skip
    async def add_post(name: Named, body: NewPost, tx: Tx, who: Changer) -> PostView:
        post = Post(body.unit, body.title, body.from_on, body.until_on, body.main, body.keep_roles)
        return PostView.model_validate(dict(await posts.take_up(tx, who, name, post, now())))

    @router.delete(
        "/staff/{name}/posts/{post_id}", status_code=204, responses=_REFUSED,
        summary="Call off a post to come, or end one beside the main post",
    )  # fmt: skip
    async def end_post(name: Named, post_id: UUID, tx: Tx, who: Changer) -> Response:
        await posts.end(tx, who, name, post_id, now())
        return Response(status_code=204)


def _roles(router: Router, grants: Grants) -> None:
    @router.post("/staff/{name}/roles", status_code=201, summary="Give a person a role over a unit", responses=_REFUSED)
    async def give_role(name: Named, body: NewRole, tx: Tx, who: Granter) -> RoleView:
        moment = now()
        role = Role(body.role, body.unit, body.from_on or day_of(moment), body.until_on)
        return RoleView.model_validate(dict(await grants.give(tx, who, name, role, moment)))

    @router.delete(
        "/staff/{name}/roles/{grant_id}", status_code=204, summary="Take a role away, at once", responses=_REFUSED
    )
    async def take_role(name: Named, grant_id: UUID, tx: Tx, who: Granter) -> Response:
        await grants.take(tx, who, name, grant_id, now())
        return Response(status_code=204)

    @router.put(
        "/staff/{name}/clearance", status_code=204, summary="Cap what a person's roles clear", responses=_REFUSED
    )
    async def set_clearance(name: Named, body: Clearance, tx: Tx, who: Granter) -> Response:
        await grants.clear(tx, who, name, body.clearance, now())
        return Response(status_code=204)


def _deputies(router: Router, deputies: Deputies) -> None:
    @router.post(
        "/staff/{name}/deputies", status_code=201, summary="Let somebody hold a person's roles in their place",
        responses=_REFUSED,
    )  # fmt: skip
    async def name_deputy(name: Named, body: NewDeputy, tx: Tx, who: Granter) -> DeputyView:
        row = await deputies.name(tx, who, name, body.deputy, body.from_on, body.until_on, now())
        return DeputyView.model_validate(dict(row))

    @router.delete("/staff/{name}/deputies/{deputy_id}", status_code=204, summary="End it at once", responses=_REFUSED)
    async def end_deputy(name: Named, deputy_id: UUID, tx: Tx, who: Granter) -> Response:
        await deputies.end(tx, who, name, deputy_id, now())
        return Response(status_code=204)


def _leaving(router: Router, leavings: Leavings) -> None:
    @router.post("/staff/{name}/leaving", summary="Announce that a person leaves, or another day", responses=_REFUSED)
    async def announce_leaving(name: Named, body: NewLeaving, tx: Tx, who: Announcer) -> LeavingView:
        return LeavingView.model_validate(await leavings.announce(tx, who, name, body.last_day, body.successor, now()))

    @router.delete("/staff/{name}/leaving", status_code=204, summary="The person stays", responses=_REFUSED)
    async def take_leaving_back(name: Named, tx: Tx, who: Announcer) -> Response:
        await leavings.take_back(tx, who, name, now())
        return Response(status_code=204)

    @router.get(
        "/staff/{name}/hand-over", summary="What a person has to hand over, and what is done",
        responses=problem_responses(404, 422),
    )  # fmt: skip
    async def get_hand_over(name: Named, tx: Tx, who: Reader) -> HandOverView:
        return HandOverView.model_validate(await leavings.hand_over(tx, who, name, now()))


def _history(router: Router, opener: Histories) -> None:
    @router.get(
        "/staff/{name}/history", summary="Who changed what, newest first", responses=problem_responses(404, 422)
    )
    async def get_person_history(
        name: Named, tx: Tx, who: Annotated[Principal, may(histories.READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Page[HistoryEntry]:
        below = read_cursor(cursor, int)[0] if cursor else _FIRST
        entries, more = await opener.page(tx, who, name, min(max(below, 0), _FIRST), limit)
        items = [HistoryEntry.model_validate(each) for each in entries]
        return Page(items=items, next_cursor=write_cursor(items[-1].version) if more else None)

    @router.post(
        "/values/open", summary="Open the sealed values of events, as far as the caller reaches",
        responses=problem_responses(422),
    )  # fmt: skip
    async def open_values(
        body: OpenRequest, tx: Tx, who: Annotated[Principal, may(histories.OPEN, peer=True)]
    ) -> OpenAnswer:
        wanted = [Sealed(each.event_id, each.subject, each.sealed) for each in body.items]
        return OpenAnswer.model_validate({"items": await opener.open(tx, who, wanted)})


def _shown(view: dict[str, Any], response: Response) -> PersonView:
    person = view.pop("person")
    response.headers["ETag"] = etag_of(person.version)
    lists = {name: [dict(row) for row in rows] for name, rows in view.items()}
    columns = {name: getattr(person, name) for name in PersonView.model_fields.keys() - lists.keys()}
    return PersonView.model_validate(columns | lists)
