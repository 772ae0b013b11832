"""Composition root of the console: settings become parts, nothing else happens here."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.console import jobs
from services.console.asset import routes as asset_routes
from services.console.asset.service import read_assets
from services.console.clients import Peers, Refused
from services.console.customer import routes as customer_routes
from services.console.customer.service import Customers
from services.console.dead_letter import routes as dead_letter_routes
from services.console.dead_letter.service import DeadLetters
from services.console.entry import routes as entry_routes
from services.console.entry.service import Entries
from services.console.inbox import routes as inbox_routes
from services.console.labels import items_of_indicators, labels_of
from services.console.overview import routes as overview_routes
from services.console.overview.service import Overview
from services.console.pages import Pages
from services.console.refusals import Refusals, not_served, unexpected, unreadable
from services.console.session import routes as session_routes
from services.console.session.service import Sessions
from services.console.settings import ConsoleSettings
from services.console.submission import routes as submission_routes
from services.console.visits import Visits
from shared.errors import KehuError
from shared.process import Parts, Service, standard_parts

_FOR_MACHINES = "/v1/"


class ConsoleParts(Parts):
    """Parts whose application answers people in pages and machines (`/v1/…`) in problem documents."""

    refusals: Refusals

    def app(self) -> FastAPI:
        app = super().app()
        for_machines = dict(app.exception_handlers)

        def answer(kind: type[Exception]) -> None:
            async def handle(request: Request, error: Exception) -> Response:
                if request.url.path.startswith(_FOR_MACHINES):
                    answered: Response = await for_machines[kind](request, error)
                    return answered
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
    pages = Pages(assets, labels, indicators, secure_cookies=settings.secure_cookies)
    peers = Peers(settings.peers, settings.peer_patience_s)
    sessions = Sessions(settings.key_ring, idle=settings.session_idle, longest=settings.session_longest)
    visits = Visits(parts.database, parts.authenticator, sessions)
    entries, dead_letters = Entries(peers), DeadLetters(peers)
    parts.refusals = Refusals(pages)
    parts.routers += [
        asset_routes.build(assets),
        session_routes.build(pages, visits, sessions, peers, parts.authenticator),
        overview_routes.build(pages, visits, Overview(peers, entries, dead_letters)),
        entry_routes.build(pages, visits, peers, entries),
        customer_routes.build(pages, visits, Customers(peers, entries)),
        submission_routes.build(pages, visits, peers),
        inbox_routes.build(pages, visits, peers),
        dead_letter_routes.build(pages, visits, dead_letters),
    ]
    parts.jobs += jobs.build(sessions)
    parts.on_stop += [peers.close]
    return parts


SERVICE = Service("console", ConsoleSettings, compose, Path(__file__).parent / "migrations")
