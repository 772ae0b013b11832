"""Use cases of drafts: open, change, delete, look at, list. Called by routes, and by what happens to a form later.

A draft keeps whatever its items were given, and shows all that is wrong with it; only handing it in needs it whole.
Values are sealed under the form's own key. Nothing here commits. Requirement R7.2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.rules import pointer
from services.customer.dictionary.service import Dictionaries
from services.customer.file.reads import Reads
from services.customer.registration import errors, repository, rules, view
from services.customer.registration.judging import Judging
from services.customer.registration.repository import Closed
from services.customer.registration.rules import APPROVE, DRAFT, READ, WITH_PROPOSER, Asked, Form, Outcome, State
from shared.auth import Principal, Sight, within
from shared.db import Transaction
from shared.errors import Fault, NotFound
from shared.events import RegistrationChanged, RegistrationDeleted, RegistrationLapsed, RegistrationOpened
from shared.events.registration import RegistrationEvent
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Catalogue, Maintenance
from shared.sealing import KeyRing, WrappedKey

_FEATURE = "registration"
_BATCH = 500
_SYSTEM = "system/customer"


@dataclass(frozen=True, slots=True)
class Shown:
    """A version of a form and what its reader sees of it."""

    version: int
    body: dict[str, Any]


class Forms:
    """Registration forms."""

    def __init__(
        self, dictionaries: Dictionaries, ring: KeyRing, outbox: Outbox, reads: Reads, judging: Judging
    ) -> None:
        self._dictionaries = dictionaries
        self._ring = ring
        self._outbox = outbox
        self._reads = reads
        self._judging = judging

    async def open(
        self, tx: Transaction, who: Principal, kind: str, given: Mapping[str, Any], staff: Sequence[str],
        unit: str | None, now: datetime,
    ) -> Shown:  # fmt: skip
        """Begin a draft. Raises: Invalid (unknown_kind, unit_missing, bad_form), Forbidden (unit, clearance)"""
        catalogue = self._catalogue_of(kind, now)
        unit = who.unit if unit is None else unit
        if not unit:
            raise errors.unit_missing()
        if not who.scope(DRAFT).reaches(unit, who.name):
            raise errors.unit_out_of_reach(unit)
        values = rules.changed({}, given)
        self._require_fillable(who.sight(DRAFT, unit, who.name), catalogue, given)
        form_id = new_id()
        key, sealed_by = self._ring.new_key(str(form_id)), new_id()
        form = Form(
            id=form_id, kind=kind, unit=unit, state=State.DRAFT, version=1, proposer=who.name, created_by=who.actor,
            created_at=now, updated_at=now, round=0, submitted_at=None, expires_at=None, items=sorted(values),
            staff=list(dict.fromkeys(staff)), customer_id=None, key=key, sealed_by=sealed_by,
            sealed=self._ring.seal(key, str(form_id), sealed_by, values),
        )  # fmt: skip
        await repository.add(tx, form)
        await repository.note_hand(tx, form.id, who.actor, DRAFT)
        await self.publish(tx, RegistrationOpened(**facts(form), items=tuple(form.items)), form, who.actor, now)
        return await self.show(tx, who, form, now)

    def _catalogue_of(self, kind: str, now: datetime) -> Catalogue:
        try:
            return self._dictionaries.catalogue(kind, now)
        except NotFound:
            raise errors.unknown_kind(kind, self._dictionaries.kinds(now)) from None

    def _require_fillable(self, sight: Sight, catalogue: Catalogue, given: Collection[str]) -> None:
        """Items of the dictionary, which people fill in, and this one may see. Raises: Invalid, Forbidden"""
        faults = []
        for code in given:
            item = catalogue.items.get(code)
            if item is None:
                expected = f"an item of the dictionary of kind {catalogue.kind}"
                faults.append(Fault(pointer(code), "unknown_item", code[:80], expected))
            elif item.maintenance is Maintenance.SYSTEM:
                expected = "no value: the system computes this item, nobody sets it"
                faults.append(Fault(pointer(code), "system_item", code, expected))
        if faults:
            raise errors.not_items(faults)
        _, hidden = self._reads.clear(sight, catalogue, given)
        if hidden:
            raise errors.not_readable(sorted(hidden))

    async def lock(self, tx: Transaction, who: Principal, action: str, form_id: UUID) -> Form:
        """A form that `action` reaches, to change it. Raises: NotFound"""
        form = await repository.lock(tx, form_id)
        if form is None:
            raise errors.no_such_form()
        within(who, action, form.unit, form.proposer)
        return form

    async def lock_own(
        self, tx: Transaction, who: Principal, action: str, form_id: UUID, base: int, now: datetime
    ) -> Form:
        """One that is with its proposer, read at version `base`. Raises: NotFound, Conflict, PreconditionFailed"""
        form = await self.lock(tx, who, action, form_id)
        rules.require(form, base, WITH_PROPOSER, now)
        return await self.lapse(tx, form, now) if form.state is State.SUBMITTED else form

    async def lapse(self, tx: Transaction, form: Form, now: datetime) -> Form:
        """Note that nobody decided in time."""
        form = await self.give_back(tx, form, State.RETURNED, Closed(Outcome.LAPSED, now, _SYSTEM))
        await self.publish(tx, RegistrationLapsed(**facts(form)), form, _SYSTEM, now)
        return form

    async def give_back(self, tx: Transaction, form: Form, state: State, closed: Closed) -> Form:
        """A round ends and its proposer has the form again."""
        await repository.close_round(tx, form, closed)
        return await self.store(tx, replace(form, state=state, submitted_at=None, expires_at=None), closed.at)

    async def change(
        self, tx: Transaction, who: Principal, form_id: UUID, base: int, given: Mapping[str, Any],
        staff: Sequence[str] | None, now: datetime,
    ) -> Shown:  # fmt: skip
        """Change a draft or what was returned; None takes a value away. Nothing to change: the same version again.

        Raises: NotFound, Conflict, PreconditionFailed (form_changed), Invalid (bad_form), Forbidden (clearance)
        """
        form = await self.lock_own(tx, who, DRAFT, form_id, base, now)
        catalogue = self._dictionaries.catalogue(form.kind, now)
        self._require_fillable(who.sight(DRAFT, form.unit, form.proposer), catalogue, given)
        before = self.values_of(form)
        values = rules.changed(before, given)
        items, people = rules.differing(before, values), list(form.staff)
        if staff is not None:
            people = list(dict.fromkeys(staff))
        if items or people != list(form.staff):
            is_other = people != list(form.staff)
            form = self.sealed_anew(replace(form, items=sorted(values), staff=people), values)
            form = await self.store(tx, form, now)
            await repository.note_hand(tx, form.id, who.actor, DRAFT)
            event = RegistrationChanged(**facts(form), items=tuple(items), staff=is_other)
            await self.publish(tx, event, form, who.actor, now)
        return await self.show(tx, who, form, now)

    async def delete(self, tx: Transaction, who: Principal, form_id: UUID, base: int, now: datetime) -> None:
        """Remove a draft or what was returned, and its key with it. Raises: NotFound, Conflict, PreconditionFailed"""
        form = await self.lock_own(tx, who, DRAFT, form_id, base, now)
        await repository.remove(tx, form.id)
        form = replace(form, version=form.version + 1)
        await self.publish(tx, RegistrationDeleted(**facts(form)), form, who.actor, now)

    def values_of(self, form: Form) -> dict[str, Any]:
        """What its items were given, opened; nothing once its customer was erased."""
        if form.key is None:
            return {}
        opened: dict[str, Any] = self._ring.open(form.key, form.subject, form.sealed_by, form.sealed)
        return opened

    def sealed_anew(self, form: Form, values: Mapping[str, Any]) -> Form:
        """The form with other values."""
        assert form.key is not None
        sealed_by = new_id()
        return replace(form, sealed_by=sealed_by, sealed=self._ring.seal(form.key, form.subject, sealed_by, values))

    async def store(self, tx: Transaction, form: Form, now: datetime) -> Form:
        """The form as its next version."""
        form = replace(form, version=form.version + 1, updated_at=now)
        await repository.store(tx, form)
        return form

    def hidden(self, who: Principal, form: Form, now: datetime, action: str = READ) -> set[str]:
        """The items of a form that `action` does not show."""
        sight, catalogue = who.sight(action, form.unit, form.proposer), self._dictionaries.catalogue(form.kind, now)
        return self._reads.clear(sight, catalogue, form.items)[1]

    async def read(self, tx: Transaction, who: Principal, form_id: UUID, now: datetime) -> Shown:
        """A form as far as its reader is cleared. Raises: NotFound"""
        form = await repository.get(tx, form_id)
        if form is None:
            raise errors.no_such_form()
        within(who, READ, form.unit, form.proposer)
        return await self.show(tx, who, form.at(now), now)

    async def show(self, tx: Transaction, who: Principal, form: Form, now: datetime) -> Shown:
        """What a reader sees of a form: its values, all that is wrong with it, and what became of it so far."""
        catalogue = self._dictionaries.catalogue(form.kind, now)
        values = self.values_of(form)
        sight = who.sight(READ, form.unit, form.proposer)
        seen, withheld = self._reads.clear(sight, catalogue, form.items)
        judged = None
        if form.state is not State.APPROVED:
            judged = await self._judging.judge(tx, who, form, values, now)
        rounds = await repository.rounds(tx, form.id)
        said = {row["round"]: self._said(form, row["sealed_by"], row["sealed"]) for row in rounds}
        agreed = await repository.agreed(tx, form.id)
        body = view.body(form, values, seen, withheld, judged, self._decider(sight, catalogue))
        body["rounds"] = [
            view.round_of(row, said[row["round"]], agreed, self._decider(sight, catalogue)) for row in rounds
        ]
        await self._reads.note(tx, who, sight, catalogue, form.id, seen & values.keys(), now)
        return Shown(form.version, body)

    def _decider(self, sight: Sight, catalogue: Catalogue) -> view.Clears:
        return lambda codes: self._reads.clear(sight, catalogue, codes)[0]

    def _said(self, form: Form, sealed_by: UUID | None, sealed: bytes | None) -> dict[str, Any]:
        if form.key is None or sealed is None or sealed_by is None:
            return {}
        said: dict[str, Any] = self._ring.open(form.key, form.subject, sealed_by, sealed)
        return said

    async def page(
        self, tx: Transaction, who: Principal, asked: Asked, limit: int, now: datetime
    ) -> tuple[list[dict[str, Any]], bool]:
        """Forms within reach, newest first, and whether there are more."""
        forms = await repository.page(tx, who.scope(READ), asked, limit + 1)
        return await self._rows(tx, who, forms[:limit], now), len(forms) > limit

    async def waiting(
        self, tx: Transaction, who: Principal, after: tuple[datetime, UUID] | None, limit: int, now: datetime
    ) -> tuple[list[dict[str, Any]], bool]:
        """Forms that wait for an approver's word and were never in the caller's hands, the longest waiting first."""
        forms = await repository.waiting(tx, who.scope(APPROVE), who.actor, after, limit + 1, now)
        return await self._rows(tx, who, forms[:limit], now), len(forms) > limit

    async def _rows(
        self, tx: Transaction, who: Principal, forms: Sequence[Form], now: datetime
    ) -> list[dict[str, Any]]:
        rows = []
        for form in forms:
            catalogue = self._dictionaries.catalogue(form.kind, now)
            sight = who.sight(READ, form.unit, form.proposer)
            used = catalogue.uses.keys() & set(form.items)
            seen, _ = self._reads.clear(sight, catalogue, used)
            values = self.values_of(form)
            named = {catalogue.uses[code].value: values.get(code) for code in seen}
            rows.append(view.row(form.at(now), named))
            await self._reads.note(tx, who, sight, catalogue, form.id, seen & values.keys(), now)
        return rows

    async def rewrap_due(self, tx: Transaction, _now: datetime) -> int:
        """Wrap a batch of the keys of forms by the active key-encryption key; how many. A job."""
        rows = await repository.lock_old_keys(tx, self._ring.active, _BATCH)
        fresh = {row["id"]: self._ring.rewrap(WrappedKey(row["kek"], row["wrapped"]), str(row["id"])) for row in rows}
        keys = {found: key.wrapped for found, key in fresh.items()}
        return await repository.rewrap(tx, self._ring.active, keys) if keys else 0

    async def publish(self, tx: Transaction, event: RegistrationEvent, form: Form, actor: str, now: datetime) -> None:
        """Tell of it; the version of the form is the event's sequence."""
        envelope = self._outbox.envelope(
            event, feature=_FEATURE, subject=f"registration/{form.id}", actor=actor, sequence=form.version, at=now
        )
        await self._outbox.add(tx, envelope, event)


def facts(form: Form) -> dict[str, Any]:
    """What every event says of a form."""
    plain = {"kind": form.kind, "unit": form.unit, "proposer": form.proposer, "round": form.round}
    return {"registration": str(form.id), **plain}
