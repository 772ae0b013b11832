"""HTTP door of contacts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header, Query, Response

from services.customer.contact.rules import Wanted
from services.customer.contact.schemas import ContactChange, ContactRow, ContactView, DemandsView, NewContact
from services.customer.contact.service import READ, RECORD, REPORT, Contacts
from services.customer.file.errors import bad_cursor
from shared.auth import Principal, Scope, may
from shared.clock import now
from shared.edits import etag_of, version_of
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

IfMatch = Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')]
Filter = Annotated[str | None, Query(min_length=1, max_length=80)]
Flagged = Annotated[bool | None, Query(description="only those with something that was not as the rules say, or none")]
Reader = Annotated[Principal, may(READ)]
_ONE = "/customers/{customer_id}/contacts"
_CHANGING = problem_responses(400, 404, 409, 412, 413, 422, 428)
_TAKING = problem_responses(400, 404, 409, 413, 422)


def build(contacts: Contacts) -> Router:
    """The routes of contacts."""
    router = Router(prefix="/v1", tags=["contacts"])

    @router.get("/contacts", summary="Contacts with customers, the latest first", response_model=Page[ContactRow],
                responses=problem_responses(422))  # fmt: skip
    async def list_contacts(
        tx: Tx, who: Reader, unit: Filter = None, manager: Filter = None, kind: Filter = None, staff: Filter = None,
        flagged: Flagged = None, cursor: Cursor = None, limit: Limit = 50,
    ) -> Response:  # fmt: skip
        wanted = Wanted(Scope(), None, unit, manager, kind, staff, flagged, _before(cursor))
        return _page(*await contacts.page(tx, who, wanted, limit))

    @router.get(_ONE, summary="Contacts with a customer, the latest first", response_model=Page[ContactRow],
                responses=problem_responses(404, 409, 422))  # fmt: skip
    async def list_customer_contacts(
        customer_id: UUID, tx: Tx, who: Reader, kind: Filter = None, flagged: Flagged = None, cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:  # fmt: skip
        wanted = Wanted(Scope(), customer_id, kind=kind, flagged=flagged, before=_before(cursor))
        return _page(*await contacts.page(tx, who, wanted, limit))

    @router.post(_ONE, status_code=201, summary="Record a contact with a customer", response_model=ContactView,
                 responses=_TAKING)  # fmt: skip
    async def record_customer_contact(
        customer_id: UUID, body: NewContact, tx: Tx, who: Annotated[Principal, may(RECORD)]
    ) -> Response:
        return _json(await contacts.record(tx, who, RECORD, customer_id, body.said, now()), 201)

    @router.post(_ONE + "/reports", status_code=201, summary="Report a contact to the department that is responsible",
                 response_model=ContactView, responses=_TAKING)  # fmt: skip
    async def report_customer_contact(
        customer_id: UUID, body: NewContact, tx: Tx, who: Annotated[Principal, may(REPORT)]
    ) -> Response:
        return _json(await contacts.record(tx, who, REPORT, customer_id, body.said, now()), 201)

    @router.get(_ONE + "/demands", summary="What the next contact of each kind needs", response_model=DemandsView,
                responses=problem_responses(404, 409))  # fmt: skip
    async def get_contact_demands(customer_id: UUID, tx: Tx, who: Reader) -> Response:
        return _json(await contacts.demands(tx, who, customer_id, now()))

    @router.get(_ONE + "/{contact_id}", summary="A contact with every version", response_model=ContactView,
                responses=problem_responses(404, 409))  # fmt: skip
    async def get_customer_contact(customer_id: UUID, contact_id: UUID, tx: Tx, who: Reader) -> Response:
        return _json(await contacts.get(tx, who, customer_id, contact_id, now()))

    @router.patch(_ONE + "/{contact_id}", summary="Correct or withdraw a contact, with a reason",
                  response_model=ContactView, responses=_CHANGING)  # fmt: skip
    async def correct_customer_contact(
        customer_id: UUID, contact_id: UUID, body: ContactChange, tx: Tx, who: Annotated[Principal, may(RECORD)],
        if_match: IfMatch = None,
    ) -> Response:  # fmt: skip
        base, given = version_of(if_match), body.given
        shown = await contacts.correct(
            tx, who, customer_id, contact_id, base, given, body.reason, now(), withdraw=body.withdrawn
        )
        return _json(shown)

    return router


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    at, contact_id = read_cursor(cursor, str, UUID)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise bad_cursor(cursor) from None
    if moment.tzinfo is None:
        raise bad_cursor(cursor)
    return moment, contact_id


def _page(items: list[dict[str, Any]], more: bool) -> Response:
    last = items[-1] if more else None
    return _json({"items": items, "next_cursor": last and write_cursor(last["at"], str(last["id"]))})


def _json(body: Any, status: int = 200) -> Response:
    headers = {"ETag": etag_of(body["version"])} if "version" in body else {}
    return Response(orjson.dumps(body, default=str), status, headers, "application/json")
