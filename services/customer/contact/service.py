"""Use cases of contacts: record, correct, show, say what the next one needs. Requirements R5.3–R5.6, R7.1, R7.4.

What cannot be right is refused; what happened against the rules is recorded, flagged and told. The row of the customer
is held meanwhile, so that of two who record a first visit at once only one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.contact import errors, repository, rules
from services.customer.contact.rules import Demands, Direction, Facts, Said, Wanted
from services.customer.contact.showing import Showing, Words, row
from services.customer.dictionary.importance import Importances
from services.customer.dictionary.importance import Standing as Importance
from services.customer.dictionary.service import Dictionaries
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.review.standing import Standings
from shared.auth import Principal
from shared.auth.roster import Roster
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.edits import version_ahead
from shared.events import ContactCorrected, ContactFlagged, ContactRecorded, ContactReported
from shared.events.contact import ContactEvent
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Codelist, Contact, Regimes
from shared.sealing import KeyRing, WrappedKey, to_text

READ, RECORD, REPORT = "contact.read", "contact.record", "contact.report"
_FEATURE = "contact"


@dataclass(frozen=True, slots=True)
class Judged:
    """A contact that is taken: by which definition, with what facts."""

    declared: Contact
    facts: Facts


class Contacts:
    """Keeps and shows contacts."""

    def __init__(
        self, regimes: Regimes, dictionaries: Dictionaries, importances: Importances, ring: KeyRing, outbox: Outbox,
        keys: Keys, reads: Reads, standings: Standings, roster: Roster,
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._importances = importances
        self._ring = ring
        self._outbox = outbox
        self._keys = keys
        self._reads = reads
        self._standings = standings
        self._roster = roster
        self.showing = Showing(regimes, ring)

    async def record(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID, said: Said, now: datetime
    ) -> dict[str, Any]:
        """Enter a contact; told to the responsible department if another one was in contact.

        Raises: NotFound, Invalid (bad_contact), Conflict (customer_erased, customer_merged)
        """
        _, key = await self._keys.hold(tx, who, action, customer_id)
        file = await repository.file(tx, customer_id)
        judged = await self._judge(tx, file, said, None, now)
        contact_id, facts = new_id(), judged.facts
        plain = contact_id, customer_id, said.kind, said.at, judged.declared.visit, bool(facts.flags)
        await repository.add(tx, (*plain, who.unit, who.actor, now))
        known = _known(file, contact_id, said, who.unit, 1)
        await self._keep(tx, who, key, known, facts, Words(said.record, said.number), now)
        if facts.flags:
            await self._tell(tx, who, ContactFlagged(**known, flags=facts.flags), now)
        if who.unit not in self._roster.below(file["unit"]):
            await self._tell(tx, who, ContactReported(**known), now)
        await self._follow(tx, customer_id, now, visit=judged.declared.visit)
        return await self._shown(tx, who, action, customer_id, contact_id, now)

    async def correct(
        self, tx: Transaction, who: Principal, customer_id: UUID, contact_id: UUID, base: int,
        given: Mapping[str, Any], reason: str, now: datetime, *, withdraw: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Another version with what was `given` (members of what is said; of the record, by particular, None takes one
        away), or without effect from now on. What stood before stays.

        Raises: as `record`, Conflict (contact_withdrawn), PreconditionFailed (contact_changed)
        """
        _, key = await self._keys.hold(tx, who, RECORD, customer_id)
        contact = await self._standing(tx, customer_id, contact_id, base)
        file = await repository.file(tx, customer_id)
        before = self._said(key, contact)
        said, was = _changed(before, given), tuple(contact["facts"]["flags"])
        if withdraw:
            said, facts = before, Facts(**{**contact["facts"], "withdrawn": True})
        elif said == before:
            return await self._shown(tx, who, RECORD, customer_id, contact_id, now)
        else:
            facts = (await self._judge(tx, file, said, contact_id, now)).facts
        await repository.change(tx, contact_id, said.at, flagged=bool(facts.flags), withdrawn=withdraw)
        known = _known(file, contact_id, said, contact["by_unit"], contact["version"] + 1)
        await self._keep(tx, who, key, known, facts, Words(said.record, said.number, reason), now)
        if not withdraw and set(facts.flags) - set(was):
            await self._tell(tx, who, ContactFlagged(**known, flags=facts.flags), now)
        await self._follow(tx, customer_id, now, visit=contact["visit"])
        return await self._shown(tx, who, RECORD, customer_id, contact_id, now)

    async def get(
        self, tx: Transaction, who: Principal, customer_id: UUID, contact_id: UUID, now: datetime
    ) -> dict[str, Any]:
        """A contact with every version. Raises: NotFound, Conflict (customer_erased)"""
        await self._keys.look(tx, who, READ, customer_id)
        return await self._shown(tx, who, READ, customer_id, contact_id, now)

    async def page(
        self, tx: Transaction, who: Principal, wanted: Wanted, limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """Contacts within reach, the latest first, without their words; whether there are more. Raises: NotFound"""
        if wanted.customer_id is not None:
            await self._keys.look(tx, who, READ, wanted.customer_id)
        rows = await repository.page(tx, replace(wanted, scope=who.scope(READ)), limit + 1)
        return [row(each) for each in rows[:limit]], len(rows) > limit

    async def demands(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> dict[str, Any]:
        """What a contact of each kind would need now; importance counts only for whoever sees what decides it.

        Raises: NotFound, Conflict (customer_erased)
        """
        _, _, sight = await self._keys.look(tx, who, READ, customer_id)
        file = await repository.file(tx, customer_id)
        catalogue, standing = self._dictionaries.catalogue(file["kind"], now), self._standing_of(file, now)
        is_told = self._reads.clear(sight, catalogue, standing.decides)[0] == standing.decides
        kinds = []
        for declared in self._regimes.all(Contact, on=day_of(now)):
            first = await repository.is_first(tx, customer_id, declared.id, now, None)
            wanted = _demands(declared, file, standing if is_told else Importance(), now, first=first)
            kinds.append(
                {
                    "kind": declared.id, "title": declared.title.model_dump(), "lines": list(declared.lines),
                    "first": first, "staff": wanted.staff, "care": wanted.care, "record": list(wanted.says),
                    "may_say": list(declared.record),
                }
            )  # fmt: skip
        return {"customer_id": customer_id, "important": standing.important if is_told else None, "kinds": kinds}

    def _declared(self, kind: str, now: datetime) -> Contact:
        found = self._regimes.find(Contact, kind, on=day_of(now))
        if found is None:
            raise errors.unknown_kind(kind, [each.id for each in self._regimes.all(Contact, on=day_of(now))])
        return found

    def _standing_of(self, file: Record, now: datetime) -> Importance:
        catalogue = self._dictionaries.catalogue(file["kind"], now)
        return self._importances.of(catalogue, file["values"], now)

    async def _judge(
        self, tx: Transaction, file: Record, said: Said, contact_id: UUID | None, now: datetime
    ) -> Judged:  # fmt: skip
        """Raises: Invalid (bad_contact)"""
        declared, people = self._declared(said.kind, now), self._roster.people
        first = await repository.is_first(tx, file["id"], said.kind, said.at, contact_id)
        wanted = _demands(declared, file, self._standing_of(file, now), said.at, first=first)
        care = declared.care
        levels = () if care is None else self._regimes.get(Codelist, care.levels, on=day_of(now)).codes
        if faults := list(rules.faults(declared, said, wanted, levels, people, now)):
            raise errors.bad_contact(faults)
        state = rules.line_state(declared, said, people)
        facts = Facts(
            at=said.at.isoformat(), staff=said.staff, direction=said.direction.value, first=first, line=said.line,
            line_state=state and state.value, care=said.care, flags=rules.flags(said, state, wanted), withdrawn=False,
            definition=declared.ref.as_json(),
        )  # fmt: skip
        return Judged(declared, facts)

    async def _standing(self, tx: Transaction, customer_id: UUID, contact_id: UUID, base: int) -> Record:
        contact = await repository.get(tx, customer_id, contact_id)
        if contact is None:
            raise errors.no_such_contact()
        if base > contact["version"]:
            raise version_ahead(contact["version"])
        if base < contact["version"]:
            raise errors.outdated(contact["version"])
        if contact["withdrawn"]:
            raise errors.withdrawn()
        return contact

    def _said(self, key: WrappedKey, contact: Record) -> Said:
        facts, words = contact["facts"], Words.opened(self._ring, key, contact["customer_id"], contact)
        return Said(
            contact["kind"], contact["held_at"], tuple(facts["staff"]), Direction(facts["direction"]), words.record,
            facts["line"], words.number, facts["care"],
        )  # fmt: skip

    async def _keep(
        self, tx: Transaction, who: Principal, key: WrappedKey, known: Mapping[str, Any], facts: Facts, words: Words,
        now: datetime,
    ) -> None:  # fmt: skip
        """A version, and the event that tells of it."""
        event_id, version = new_id(), known["version"]
        sealed = words.sealed(self._ring, key, UUID(known["customer_id"]), event_id)
        told = {
            "staff": facts.staff, "first": facts.first, "flags": facts.flags, "definition": facts.definition,
            "sealed": to_text(sealed),
        }  # fmt: skip
        event: ContactEvent = (
            ContactRecorded(**known, **told)
            if version == 1
            else ContactCorrected(**known, **told, withdrawn=facts.withdrawn)
        )
        noted = UUID(known["contact"]), version, event_id, event.type, now, who.actor, facts.as_json(), sealed
        await repository.note(tx, noted)
        await self._tell(tx, who, event, now, event_id)

    async def _tell(
        self, tx: Transaction, who: Principal, event: ContactEvent, now: datetime, event_id: UUID | None = None
    ) -> None:
        subject = f"customer/{event.customer_id}"
        envelope = self._outbox.envelope(
            event, feature=_FEATURE, subject=subject, actor=who.actor, at=now, event_id=event_id
        )
        await self._outbox.add(tx, envelope, event)

    async def _follow(self, tx: Transaction, customer_id: UUID, now: datetime, *, visit: bool) -> None:
        """A visit meets the cadence of visits; one that was withdrawn does so no more."""
        if visit:
            last = await repository.last_visit(tx, customer_id)
            await self._standings.follow(tx, {customer_id}, now, visited_at={customer_id: last})

    async def _shown(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID, contact_id: UUID, now: datetime
    ) -> dict[str, Any]:
        """A contact for a reader; that classified words of it left is recorded."""
        contact = await repository.get(tx, customer_id, contact_id)
        if contact is None:
            raise errors.no_such_contact()
        sight = who.sight(action, contact["unit"], contact["manager"])
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        versions = (await repository.versions(tx, [contact_id]))[contact_id]
        view, seen = self.showing.whole(sight, key, contact, versions, now)
        await self._reads.record(tx, who, sight, customer_id, seen, now)
        return view


def _demands(declared: Contact, file: Record, standing: Importance, at: datetime, *, first: bool) -> Demands:
    new = standing.is_new(day_of(file["created_at"]), day_of(at))
    return rules.demands(declared, first=first, important=standing.important, new=new, staff=standing.staff)


def _known(file: Record, contact_id: UUID, said: Said, by_unit: str, version: int) -> dict[str, Any]:
    """What every event of a contact says."""
    return {
        "contact": str(contact_id), "customer_id": str(file["id"]), "unit": file["unit"], "manager": file["manager"],
        "by_unit": by_unit, "kind": said.kind, "held_at": said.at, "version": version,
    }  # fmt: skip


def _changed(said: Said, given: Mapping[str, Any]) -> Said:
    record = {**said.record, **given.get("record", {})}
    kept = {code: text for code, text in record.items() if text is not None}
    return replace(said, **{**given, "record": kept})
