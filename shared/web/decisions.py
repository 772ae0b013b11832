"""The route that explains authority: why somebody may do something in this service, or why not (R2.2).

About a person of the roster, taken as if they had just signed in; the door's steps and the record's, in one decision.
What a subject holds is not told, only where it belongs, and that only to who reaches it by this very action.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import Query
from pydantic import BaseModel, Field

from shared.auth import Authenticator, Matter, Principal, Subject, decide, may, within
from shared.auth.doors import no_such_record
from shared.clock import now
from shared.db import Transaction
from shared.errors import Fault, Invalid, NotFound
from shared.web.door import Router, Tx
from shared.web.problems import problem_responses

Look: TypeAlias = Callable[[Transaction, str, datetime], Awaitable[Subject | None]]
"""Finds the subject with an id; None if there is none."""
EXPLAIN = "authority.explain"


class Words(BaseModel):
    zh: str
    en: str


class ReasonView(BaseModel):
    """One step of a decision."""

    code: str
    text: Words


class DecisionView(BaseModel):
    """Yes or no, and why: the last reason decided."""

    name: str
    action: str
    subject: str | None
    field_name: str | None = Field(serialization_alias="field")
    roles: list[str]
    allowed: bool
    reasons: list[ReasonView]


def build(authenticator: Authenticator, subjects: Mapping[str, Look]) -> Router:
    """The route of a service that keeps these kinds of subjects ("customer" -> how to find one)."""
    router = Router(prefix="/v1/decisions", tags=["operations"])

    @router.get("", summary="Why somebody may do something here, or not", responses=problem_responses(404, 422))
    async def explain_decision(
        tx: Tx,
        asker: Annotated[Principal, may(EXPLAIN)],
        name: Annotated[str, Query(max_length=64, description="a person or client of the directory")],
        action: Annotated[str, Query(max_length=80, examples=["customer.read"])],
        subject: Annotated[str | None, Query(max_length=120, description="<kind>/<id>")] = None,
        field: Annotated[str | None, Query(max_length=60, description="one field of the subject")] = None,
    ) -> DecisionView:
        moment = now()
        who = authenticator.stand_in(name, moment)
        if who is None or not asker.scope(EXPLAIN).reaches(who.unit):
            raise NotFound("unknown_person", f"The directory knows no {name} whom you reach.")
        if authenticator.authority.action(action) is None:
            raise Invalid("unknown_action", "No resource declares this action.", [_fault("action", action)])
        found = await _found(tx, subjects, subject, moment)
        if found is not None:
            within(asker, EXPLAIN, found.unit, found.assignee)  # before its fields are looked at: they would tell of it
        matter = _matter(found, field)
        decision = decide(authenticator.authority, who, action, matter, moment.timestamp())
        reasons = [ReasonView(code=r.code, text=Words(zh=r.text.zh, en=r.text.en)) for r in decision.reasons]
        return DecisionView(
            name=name, action=action, subject=subject, field_name=field, roles=list(who.roles),
            allowed=decision.allowed, reasons=reasons,
        )  # fmt: skip

    return router


async def _found(
    tx: Transaction, subjects: Mapping[str, Look], subject: str | None, moment: datetime
) -> Subject | None:
    """The subject, if the question is about one. Raises: NotFound"""
    if subject is None:
        return None
    kind, _, key = subject.partition("/")
    if kind not in subjects:
        raise NotFound("unknown_subject", f"This service keeps {', '.join(sorted(subjects)) or 'no subjects'}.")
    found = await subjects[kind](tx, key, moment)
    if found is None:
        raise no_such_record()
    return found


def _matter(found: Subject | None, field: str | None) -> Matter:
    """What the question is about. Raises: Invalid"""
    if found is None:
        if field is not None:
            raise Invalid("no_subject", "A field belongs to a subject.", [_fault("subject", None)])
        return Matter()
    place = Matter(unit=found.unit, assignee=found.assignee, is_record=True)
    if field is None:
        return place
    if field not in found.fields:
        raise Invalid("unknown_field", "The subject has no such field.", [_fault("field", field)])
    return place.about(*found.fields[field], found.keepers.get(field))


def _fault(name: str, seen: str | None) -> Fault:
    return Fault(f"query:{name}", f"unknown_{name}", seen, f"a known {name}")
