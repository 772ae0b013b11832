"""Composition root of the console: settings become parts, nothing else happens here."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.console import jobs
from services.console.asset import routes as asset_routes
from services.console.asset.service import read_assets
from services.console.clients import Peers, Refused
from services.console.cookies import Cookies
from services.console.customer import routes as customer_routes
from services.console.customer.service import Customers
from services.console.dead_letter import routes as dead_letter_routes
from services.console.dead_letter.service import DeadLetters
from services.console.decision import routes as decision_routes
from services.console.decision.service import Decisions
from services.console.entry import routes as entry_routes
from services.console.entry.service import Entries
from services.console.inbox import routes as inbox_routes
from services.console.labels import codes_of, items_of_indicators, labels_of, titles_of_roles
from services.console.overview import routes as overview_routes
from services.console.overview.service import Overview
from services.console.pages import Pages
from services.console.person import routes as person_routes
from services.console.person.service import People
from services.console.refusals import Refusals, not_served, unexpected, unreadable
from services.console.session import routes as session_routes
from services.console.session.flows import Flows
from services.console.session.provider import Provider
from services.console.session.renewal import Renewal
from services.console.session.service import Sessions
from services.console.session.signing import Signing
from services.console.settings import ConsoleSettings
from services.console.submission import routes as submission_routes
from services.console.visits import OPEN, Visits, visit_of
from shared.auth import IssuerKeys, OwnToken
from shared.errors import KehuError
from shared.process import Parts, Service, standard_parts
from shared.web import record_refusal

_FOR_MACHINES = "/v1/"


class ConsoleParts(Parts):
    """Parts whose application answers people in pages and machines (`/v1/…`) in problem documents."""

    refusals: Refusals
    peers: Peers

    def app(self) -> FastAPI:
        app = super().app()
        self.peers.join(self.name, app)
        for_machines = dict(app.exception_handlers)

        def answer(kind: type[Exception]) -> None:
            async def handle(request: Request, error: Exception) -> Response:
                if request.url.path.startswith(_FOR_MACHINES):
                    answered: Response = await for_machines[kind](request, error)
                    return answered
                if isinstance(error, KehuError):
                    request.state.principal, request.state.action = visit_of(request).principal, OPEN
                    await record_refusal(request, error)
                return self._page(request, error)

            app.add_exception_handler(kind, handle)

        for kind in (KehuError, RequestValidationError, HTTPException, Exception):
            answer(kind)

        async def refused(request: Request, error: Exception) -> Response:
            return self._page(request, error)

        app.add_exception_handler(Refused, refused)
        return app

    def _page(self, request: Request, error: Exception) -> Response:
        match error:
            case Refused():
                return self.refusals.page(request, error.problem)
            case KehuError():
                return self.refusals.of_error(request, error)
            case RequestValidationError():
                return self.refusals.of_error(request, unreadable())
            case HTTPException():
                return self.refusals.of_error(request, not_served(error))
        return self.refusals.of_error(request, unexpected(request, error))


def compose(settings: ConsoleSettings) -> Parts:
    parts = ConsoleParts(**vars(standard_parts("console", settings)))
    assets = read_assets()
    labels, indicators = labels_of(parts.regimes), items_of_indicators(parts.regimes)
    pages = Pages(assets, labels, indicators, issuer=settings.issuer_origin, account_url=settings.account_url)
    peers = Peers(settings.peers, settings.peer_patience_s, OwnToken(settings))
    cookies, sessions = Cookies(secure=settings.secure_cookies), Sessions(settings.key_ring, parts.regimes)
    keys = IssuerKeys(settings.issuer, settings.jwks_url)
    provider = Provider(settings.issuer, settings.url, settings.client, settings.client_secret, keys)
    signing = Signing(provider, Flows(settings.key_ring), sessions, parts.authenticator, parts.regimes)
    renewal = Renewal(parts.database, sessions, provider, parts.authenticator)
    visits = Visits(parts.database, parts.authenticator, sessions, renewal, cookies)
    entries, dead_letters = Entries(peers), DeadLetters(peers)
    parts.refusals, parts.peers = Refusals(pages), peers
    parts.routers += [
        asset_routes.build(assets),
        session_routes.build(pages, visits, signing, cookies),
        overview_routes.build(pages, visits, Overview(peers, entries, dead_letters)),
        entry_routes.build(pages, visits, peers, entries),
        customer_routes.build(pages, visits, Customers(peers, entries)),
        submission_routes.build(pages, visits, peers),
        inbox_routes.build(pages, visits, peers),
        person_routes.build(
            pages, visits, People(peers), titles_of_roles(parts.regimes), codes_of(parts.regimes, "line_channel")
        ),
        decision_routes.build(pages, visits, Decisions(peers, parts.regimes)),
        dead_letter_routes.build(pages, visits, dead_letters),
    ]
    parts.jobs += jobs.build(sessions)
    parts.on_stop += [peers.close, provider.close]
    return parts


SERVICE = Service("console", ConsoleSettings, compose, Path(__file__).parent / "migrations")
