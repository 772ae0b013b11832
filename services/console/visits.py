"""Who is asking for a page, in which language, with which right: the same for every page.

Routes depend on `Visits.signed_in` (or `anybody` for signing in). A form that does not carry this browser's key is
refused here, before anything else happens. Decides nothing about data: each service does that by the person's token.
"""

import secrets
from dataclasses import dataclass, field

from starlette.datastructures import FormData
from starlette.requests import Request

from services.console.session.rules import form_key, is_own_form
from services.console.session.service import Sessions
from shared.auth import Authenticator, Principal
from shared.clock import now
from shared.db import Database
from shared.errors import Forbidden, Unauthenticated
from shared.web.problems import prefers_chinese

OPEN = "console.open"
LANGUAGES = ("zh", "en")
SESSION_COOKIE = "kehu_session"
LANGUAGE_COOKIE = "kehu_language"
FORM_FIELD = "form_key"


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

    def __init__(self, database: Database, authenticator: Authenticator, sessions: Sessions) -> None:
        self._database = database
        self._authenticator = authenticator
        self._sessions = sessions

    async def anybody(self, request: Request) -> Visit:
        """Whoever it is, signed in or not. Raises: Forbidden (foreign_form)"""
        secret = request.cookies.get(SESSION_COOKIE) or secrets.token_urlsafe(32)
        form = FormData()
        if request.method == "POST":
            form = await request.form()
            if not is_own_form(secret, form.get(FORM_FIELD)):
                raise Forbidden("foreign_form", "This form is not from this page, or it is too old. Open it again.")
        return Visit(path_of(request), language_of(request), secret, form=form)

    async def signed_in(self, request: Request) -> Visit:
        """Somebody who is signed in and may use the console.

        Raises: Unauthenticated (no_session), Forbidden, Unavailable
        """
        visit = await self.anybody(request)
        async with self._database.transaction() as tx:
            session = await self._sessions.find(tx, visit.secret, now())
        if session is None:
            raise Unauthenticated("no_session", "Sign in first.")
        principal = await self._authenticator.principal(f"Bearer {session.token}")
        require_console(principal)
        return Visit(visit.path, visit.language, visit.secret, principal, visit.form)

    async def lasts(self, visit: Visit) -> bool:
        """Whether the session has not ended meanwhile, for pages that stay open."""
        async with self._database.reading() as tx:
            return await self._sessions.is_open(tx, visit.secret, now())

    signed_in.__dict__["action"] = OPEN


def require_console(principal: Principal) -> None:
    if not principal.may(OPEN):
        raise Forbidden("not_allowed", f"None of your roles grants {OPEN}.", members={"action": OPEN})


def language_of(request: Request) -> str:
    """The language that was chosen, else the one that the browser prefers."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return "zh" if prefers_chinese(request.headers.get("accept-language")) else "en"


def path_of(request: Request) -> str:
    """The address of this page within the site."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
