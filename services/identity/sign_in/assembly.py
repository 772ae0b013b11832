"""Puts the parts of signing in together: accounts, clients, sessions, the provider, and their doors. For `app`."""

from dataclasses import dataclass
from functools import partial

from services.identity.account import routes as account_routes
from services.identity.account.administration import Administration
from services.identity.account.guard import Guard
from services.identity.account.passwords import Passwords
from services.identity.account.people import People
from services.identity.account.second_factor import SecondFactors
from services.identity.account.service import Accounts
from services.identity.client import routes as client_routes
from services.identity.client.service import Clients
from services.identity.org.service import Org
from services.identity.settings import IdentitySettings
from services.identity.sign_in import routes
from services.identity.sign_in.credentials import Credentials
from services.identity.sign_in.departure import Departure
from services.identity.sign_in.failures import Failures
from services.identity.sign_in.inspection import Inspection
from services.identity.sign_in.ledger import Issuer
from services.identity.sign_in.own import OwnAccount
from services.identity.sign_in.pages import Pages
from services.identity.sign_in.provider import Provider
from services.identity.sign_in.seed import Seed
from services.identity.sign_in.service import SignIns
from services.identity.sign_in.sessions import Sessions
from services.identity.sign_in.steps import Steps
from services.identity.sign_in.visits import Visits
from services.identity.signing_key.service import SigningKeys
from services.identity.staff.access import Access
from services.identity.staff.service import Staff
from shared.clock import now
from shared.process import Parts


@dataclass(frozen=True, slots=True)
class WayIn:
    """Everything that signing in is made of."""

    seed: Seed
    passwords: Passwords
    accounts: Accounts
    clients: Clients
    factors: SecondFactors
    guard: Guard
    sessions: Sessions
    provider: Provider
    departure: Departure
    sign_ins: SignIns
    own: OwnAccount
    administration: Administration


def assemble(parts: Parts, settings: IdentitySettings, org: Org, staff: Staff, keys: SigningKeys) -> WayIn:
    """The services; `doors` has their routes."""
    outbox, regimes, lifetime = parts.outbox, parts.regimes, settings.token_lifetime
    passwords, people, access = Passwords(settings.hashing_slots), People(staff, regimes), Access(org, regimes)
    accounts = Accounts(outbox, passwords, regimes, lifetime=lifetime, clock=now)
    clients = Clients(outbox, passwords, org, staff, access, regimes, lifetime=lifetime, audience=settings.audience)
    factors = SecondFactors(outbox, regimes, settings.key_ring, issuer="Kehu")
    seed = Seed(settings.key_ring)
    guard, guard_of_systems = (
        Guard(regimes, partial(seed.key, purpose), queue=settings.hashing_queue)
        for purpose in (b"failed sign-ins of people", b"failed sign-ins of systems")
    )
    sessions = Sessions(outbox, regimes, lifetime=lifetime)
    failures = Failures(parts.database, outbox)
    parts.on_stop.append(failures.close)
    credentials = Credentials(parts.database, clients, guard_of_systems, failures)
    issuer = Issuer(settings.issuer, settings.audience, lifetime)
    inspection = Inspection(issuer, people, clients, sessions, keys)
    successors = partial(seed.key, b"refresh tokens")
    provider = Provider(outbox, regimes, people, clients, sessions, keys, credentials, inspection, issuer, successors)
    departure = Departure(issuer, clients, sessions, inspection)
    sign_ins = SignIns(parts.database, accounts, people, factors, guard, sessions, failures)
    own = OwnAccount(parts.database, people, accounts, factors, sessions, sign_ins)
    administration = Administration(accounts, factors, people, access)
    return WayIn(
        seed, passwords, accounts, clients, factors, guard, sessions, provider, departure, sign_ins, own, administration
    )


def doors(way_in: WayIn, settings: IdentitySettings) -> list[routes.APIRouter]:
    """Their routes."""
    visits = Visits(secure=settings.issuer.startswith("https:"))
    pages = Pages(visits)
    steps = Steps(pages, way_in.accounts, way_in.provider, way_in.sessions)
    return [
        routes.oauth(way_in.provider, settings.issuer),
        routes.site(pages, visits, steps, way_in.sign_ins),
        routes.own_pages(pages, visits, way_in.own, way_in.accounts),
        routes.departure(pages, visits, way_in.departure, way_in.sessions),
        routes.invitation(pages, visits, way_in.sign_ins, way_in.accounts),
        routes.shell(pages, visits),
        routes.own(way_in.own),
        account_routes.build(way_in.administration, way_in.accounts, settings.issuer),
        client_routes.build(way_in.clients),
    ]
