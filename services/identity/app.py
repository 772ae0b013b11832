"""Composition root of the identity service: settings become parts, nothing else happens here."""

from pathlib import Path
from typing import NamedTuple

from services.identity import consumers, jobs
from services.identity.account.service import Accounts
from services.identity.client.service import Clients
from services.identity.custody import routes as custody_routes
from services.identity.custody.confirming import Confirmations
from services.identity.custody.kept import Kept
from services.identity.custody.parties import Parties
from services.identity.custody.service import ChangeOvers
from services.identity.directory import document
from services.identity.directory import routes as directory_routes
from services.identity.directory.restating import Restating
from services.identity.directory.service import Directory
from services.identity.intake import routes as intake_routes
from services.identity.intake.service import Intake
from services.identity.line import routes as line_routes
from services.identity.line.service import Lines
from services.identity.org import routes as org_routes
from services.identity.org.service import Org
from services.identity.outstanding.service import Customers
from services.identity.partner_key import routes as partner_key_routes
from services.identity.partner_key.service import PartnerKeys
from services.identity.settings import IdentitySettings
from services.identity.sign_in.assembly import assemble, doors
from services.identity.signing_key import routes as signing_key_routes
from services.identity.signing_key.service import OwnKeys, SigningKeys
from services.identity.staff import routes as staff_routes
from services.identity.staff.access import Access
from services.identity.staff.chronicle import Chronicle
from services.identity.staff.deputies import Deputies
from services.identity.staff.due import Due
from services.identity.staff.grants import Grants
from services.identity.staff.handing import Holdings
from services.identity.staff.history import Histories
from services.identity.staff.leaving import Leavings
from services.identity.staff.posts import Posts
from services.identity.staff.recheck import Recheck
from services.identity.staff.routes import Services as StaffServices
from services.identity.staff.service import Names, Staff
from shared.auth import Authenticator
from shared.clock import now
from shared.db import Database
from shared.process import Parts, Service, standard_parts
from shared.web.decisions import Look


def compose(settings: IdentitySettings) -> Parts:
    parts = standard_parts("identity", settings)
    people = _people(parts, settings)
    keys = SigningKeys(
        parts.outbox, settings.key_ring, lifetime=settings.token_lifetime, prepublish=settings.key_prepublish
    )
    way_in = assemble(parts, settings, people.org, people.staff.staff, keys)
    people.taken.append(way_in.clients)
    custody = _custody(parts, people, way_in.accounts)
    partner_keys = PartnerKeys(way_in.clients, people.org, parts.outbox, parts.regimes)
    directory = Directory(
        people.org, people.staff.staff, people.staff.deputies, way_in.accounts, way_in.clients, parts.regimes
    )
    file = document.read(settings.directory_file) if settings.directory_file else None

    async def begin() -> None:
        async with parts.database.transaction() as tx:
            await keys.ensure(tx, now())
            await way_in.seed.ensure(tx, now())
            await directory.announce(tx, now())
        if file is not None:
            await directory.load(parts.database, file, now())

    async def end() -> None:
        way_in.passwords.close()

    apart = Database(settings.database_url.get_secret_value(), pool=1, application="kehu-identity-keys")
    own, roster = OwnKeys(apart, keys, now), parts.authenticator.roster
    parts.authenticator = Authenticator(settings, parts.regimes, roster=roster, keys=own)
    parts.routers += [
        signing_key_routes.build(keys),
        *doors(way_in, settings),
        directory_routes.build(directory, Restating(people.org, people.staff.staff, way_in.clients, partner_keys)),
        org_routes.build(people.org),
        staff_routes.build(people.staff),
        line_routes.build(people.lines),
        partner_key_routes.build(partner_keys),
        intake_routes.build(people.intake),
        custody_routes.build(*custody),
    ]
    parts.subjects |= _subjects(people, way_in.clients)
    parts.consumers += consumers.table(parts, partner_keys, people.customers)
    parts.jobs += jobs.build(keys, way_in, people.due, people.staff.histories, custody.changes)
    parts.on_start += [apart.start, begin]
    parts.on_stop += [end, apart.close]
    return parts


class People(NamedTuple):
    """The part of the service that knows units, people and lines."""

    org: Org
    staff: StaffServices
    lines: Lines
    customers: Customers
    intake: Intake
    due: Due
    taken: list[Names]


def _people(parts: Parts, settings: IdentitySettings) -> People:
    recheck = Recheck(parts.regimes, now) if settings.authority == "directory" else None
    org, ring = Org(parts.outbox, parts.regimes, recheck), settings.key_ring
    access, chronicle = Access(org, parts.regimes), Chronicle(parts.outbox, ring)
    lines, customers = Lines(access, chronicle, parts.regimes), Customers()
    holdings: list[Holdings] = [lines, Kept(parts.regimes), customers]
    due = Due(org, chronicle, holdings)
    taken: list[Names] = []
    staff = Staff(org, access, chronicle, due, taken)
    posts, grants = Posts(access, chronicle, due), Grants(access, chronicle)
    deputies, leavings = Deputies(access, chronicle), Leavings(access, chronicle, due, holdings)
    services = StaffServices(staff, posts, grants, deputies, leavings, Histories(access, ring))
    return People(org, services, lines, customers, Intake(access, staff, posts, grants), due, taken)


def _subjects(people: People, clients: Clients) -> dict[str, Look]:
    """What decisions can be explained about."""
    person = people.staff.staff.subject
    return {"staff": person, "account": person, "line": people.lines.subject, "client": clients.subject}


class Custody(NamedTuple):
    """The part of the service by which custodians change."""

    changes: ChangeOvers
    confirmations: Confirmations


def _custody(parts: Parts, people: People, accounts: Accounts) -> Custody:
    grants = people.staff.grants
    parties = Parties(people.org, people.staff.staff, grants, parts.regimes)
    changes = ChangeOvers(people.org, parties, parts.outbox, parts.regimes)
    return Custody(changes, Confirmations(parts.database, changes, parties, grants, accounts))


SERVICE = Service("identity", IdentitySettings, compose, Path(__file__).parent / "migrations")
