"""A registration form: what state it is in, what can be done with it then, what a reader sees of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.customer.dictionary.rules import pointer
from services.customer.registration import errors
from shared.errors import Fault
from shared.sealing import WrappedKey

READ, DRAFT, SUBMIT = "registration.read", "registration.draft", "registration.submit"
APPROVE, RETURN = "registration.approve", "registration.return"
APPROVAL = "registration"
"""The approval that is declared for forms."""


class State(StrEnum):
    """Where a form is: with its proposer (draft, returned), with the approvers (submitted), done (approved)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"


class Outcome(StrEnum):
    """What came of a form that was handed in."""

    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


_ACROSS_ITEMS = "inconsistent"
"""The fault of a rule that reads several items, of which a reader may not see some."""
WITH_PROPOSER = frozenset({State.DRAFT, State.RETURNED})
WITH_APPROVERS = frozenset({State.SUBMITTED})


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is stored. `key`: None once its customer was erased; `staff`, `proposer`: names of the directory."""

    id: UUID
    kind: str
    unit: str
    state: State
    version: int
    proposer: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    round: int
    submitted_at: datetime | None
    expires_at: datetime | None
    items: Sequence[str]
    staff: Sequence[str]
    customer_id: UUID | None
    key: WrappedKey | None
    sealed_by: UUID
    sealed: bytes

    @property
    def subject(self) -> str:
        """Whose key it is: the customer's, who is the form's own until files are merged."""
        return str(self.customer_id or self.id)

    def at(self, now: datetime) -> Form:
        """The form as it is at a moment, also before the job has noted that its time is up."""
        if self.state is State.SUBMITTED and self.expires_at is not None and now >= self.expires_at:
            return replace(self, state=State.RETURNED)
        return self


@dataclass(frozen=True, slots=True)
class Asked:
    """Which forms of a list: by state, unit, kind and proposer, older than `before`."""

    state: State | None = None
    unit: str | None = None
    kind: str | None = None
    proposer: str | None = None
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """A customer who is likely the same, by these rules; `certain`: nobody would take the two for different ones.

    `id` is what an approver acknowledges; of a customer out of reach it is all there is, with perhaps a name.
    """

    id: str
    customer_id: UUID | None
    name: str | None
    certain: bool
    rules: Sequence[str]


@dataclass(frozen=True, slots=True)
class Judged:
    """What there is to say of a form. `decides`: the items by which it is important; `staff`: how many have to know
    the customer."""

    faults: Sequence[Fault]
    important: bool
    decides: frozenset[str]
    staff: int
    likenesses: Sequence[Likeness]


def require(form: Form, base: int, states: Collection[State], now: datetime) -> None:
    """Whether something may be done with a form that was read at version `base`.

    What is decided already is said first, whatever version was read: another one would not help.
    Raises: Conflict (form_decided, form_state), PreconditionFailed (form_changed)
    """
    form = form.at(now)
    decided = form.state is State.APPROVED or (form.state is State.RETURNED and State.RETURNED not in states)
    if decided:
        raise errors.decided(form.state.value, form.version)
    if form.version != base:
        raise errors.changed(form.state.value, form.version, base)
    if form.state not in states:
        raise errors.wrong_state(form.state.value, sorted(each.value for each in states))


def changed(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values with what was given; None takes one away."""
    return {code: value for code, value in {**values, **given}.items() if value is not None}


def differing(values: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[str]:
    """The codes under which two sets of values are not the same."""
    return sorted(code for code in {*values, *fresh} if values.get(code) != fresh.get(code))


def shown(faults: Sequence[Fault], withheld: Collection[str]) -> list[Fault]:
    """Faults without what was seen in items that the reader may not see, and without what tells of several items."""
    if not withheld:
        return list(faults)
    hidden = {pointer(code) for code in withheld}
    told = (fault for fault in faults if fault.code != _ACROSS_ITEMS)
    return [replace(fault, seen=None) if fault.pointer in hidden else fault for fault in told]
