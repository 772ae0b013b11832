"""Who is asking for a page, in which language, with which right: the same for every page.

Routes depend on `Visits.signed_in` (or `anybody` for signing in). A form that does not carry this browser's key is
refused here, before anything else happens. Decides nothing about data: each service does that by the person's token.
"""

import secrets
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData
from starlette.requests import Request

from services.console.cookies import Cookies
from services.console.session import errors
from services.console.session.renewal import Renewal
from services.console.session.service import Session, Sessions
from shared.auth import Authenticator, Principal
from shared.clock import now
from shared.db import Database
from shared.errors import Forbidden, Unauthenticated
from shared.web.media import own_form
from shared.web.site import FORM_FIELD, form_key, is_own_form, language_of, path_of

OPEN = "console.open"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page. `path` holds the query too; `form` is empty but for POST."""

    path: str
    language: str
    secret: str = field(repr=False)
    principal: Principal | None = None
    form: FormData = field(default_factory=FormData, repr=False)

    @property
    def token(self) -> str:
        """The person's bearer token; only for pages that need one to be signed in."""
        assert self.principal is not None
        return self.principal.token

    @property
    def form_key(self) -> str:
        return form_key(self.secret)

    def may(self, action: str) -> bool:
        """Whether to offer something; the service that does it decides anew."""
        return self.principal is not None and self.principal.may(action)

    def text(self, name: str) -> str | None:
        """A field of the form, or None if it is not filled in."""
        value = self.form.get(name)
        return value if isinstance(value, str) and value else None


class Visits:
    """Makes the `Visit` of a request."""

    def __init__(
        self, database: Database, authenticator: Authenticator, sessions: Sessions, renewal: Renewal, cookies: Cookies
    ) -> None:
        self._database = database
        self._authenticator = authenticator
        self._sessions = sessions
        self._renewal = renewal
        self._cookies = cookies

    async def anybody(self, request: Request) -> Visit:
        """Whoever it is, signed in or not. Raises: Forbidden (foreign_form)"""
        secret = request.cookies.get(self._cookies.session) or secrets.token_urlsafe(32)
        form = FormData()
        if request.method == "POST":
            form = await own_form(request)
            if not is_own_form(secret, form.get(FORM_FIELD)):
                raise Forbidden("foreign_form", "This form is not from this page, or it is too old. Open it again.")
        return self._noted(request, Visit(path_of(request), language_of(request), secret, form=form))

    async def signed_in(self, request: Request) -> Visit:
        """Somebody who is signed in and may use the console.

        Raises: Unauthenticated (no_session, access_ended), Forbidden, Unavailable
        """
        visit = await self.anybody(request)
        async with self._database.transaction() as tx:
            session = await self._sessions.find(tx, visit.secret, now())
        principal = await self._principal(visit, session)
        if principal is None:
            raise errors.no_session()
        visit = self._noted(request, replace(visit, principal=principal))
        require_console(principal)
        return visit

    async def again(self, visit: Visit) -> Visit | None:
        """The same visit later on, for pages that stay open; None if the sign-in has ended. Asking is no use of it.

        Raises: Forbidden, Unavailable
        """
        async with self._database.reading() as tx:
            session = await self._sessions.find(tx, visit.secret, now(), in_use=False)
        try:
            principal = await self._principal(visit, session)
        except Unauthenticated:
            return None
        if principal is None:
            return None
        require_console(principal)
        return replace(visit, principal=principal)

    async def name_in(self, visit: Visit) -> str | None:
        """Who is signed in in this browser, if anybody is."""
        async with self._database.reading() as tx:
            session = await self._sessions.find(tx, visit.secret, now(), in_use=False)
        return session.tokens.name if session is not None else None

    async def _principal(self, visit: Visit, session: Session | None) -> Principal | None:
        """Whose session it is, with a token that is good. One that services will refuse is ended at once."""
        fresh = await self._renewal.fresh(session, now()) if session is not None else None
        if fresh is None:
            return None
        try:
            return await self._authenticator.principal(f"Bearer {fresh.tokens.access}")
        except Unauthenticated:
            async with self._database.transaction() as tx:
                await self._sessions.close(tx, visit.secret)
            raise

    @staticmethod
    def _noted(request: Request, visit: Visit) -> Visit:
        """For whoever has to answer if something goes wrong."""
        request.state.visit = visit
        return visit

    signed_in.__dict__["action"] = OPEN


def require_console(principal: Principal) -> None:
    if not principal.may(OPEN):
        raise Forbidden("not_allowed", f"None of your roles grants {OPEN}.", members={"action": OPEN})


def visit_of(request: Request) -> Visit:
    """The visit that was refused, as far as it got."""
    found: Visit | None = getattr(request.state, "visit", None)
    return found or Visit(path_of(request), language_of(request), "")
