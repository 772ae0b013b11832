"""From one page of signing in to the next, and back to the app that waits. Called by the routes of pages."""

from dataclasses import replace
from datetime import datetime

from starlette.responses import Response

from services.identity.account.service import Accounts
from services.identity.sign_in.pages import Pages
from services.identity.sign_in.provider import MustSignIn, Parameters, Provider
from services.identity.sign_in.rules import START, Stage
from services.identity.sign_in.service import Opened
from services.identity.sign_in.sessions import Sessions
from services.identity.sign_in.visits import Visit
from shared.db import Transaction
from shared.errors import KehuError
from shared.web.site import with_query

_PATHS = {"sign_in.html": "/sign-in", "code.html": "/sign-in/code", "due_password.html": "/sign-in/password"}
_NEXT = {Stage.SECOND_FACTOR: "/sign-in/code", Stage.PASSWORD: "/sign-in/password"}


class Steps:
    def __init__(self, pages: Pages, accounts: Accounts, provider: Provider, sessions: Sessions) -> None:
        self._pages = pages
        self._accounts = accounts
        self._provider = provider
        self._sessions = sessions

    async def arrive(self, tx: Transaction, asked_for: Parameters, cookie: str, now: datetime) -> Response:
        """An app asks: back to it at once if this browser is signed in, else on to the sign-in page."""
        session = await self._sessions.find(tx, cookie, now)
        answer = await self._provider.authorize(tx, asked_for, session, now, now)
        if isinstance(answer, MustSignIn):
            kept_as = await self._provider.keep(tx, asked_for, now)
            return self._pages.onward(with_query("/sign-in", request=kept_as))
        return self._pages.onward(answer.location or START)

    async def show(
        self,
        visit: Visit,
        tx: Transaction,
        template: str,
        kept_as: str,
        now: datetime,
        problem: KehuError | None = None,
        name: str = "",
    ) -> Response:
        """The page of a step, which may lead on to the app that waits. Raises: Unauthenticated (no_session)"""
        if problem is not None and problem.code == "no_session":
            raise problem
        kept = await self._provider.kept(tx, kept_as, now) if kept_as else None
        return self._pages.answer(
            replace(visit, path=with_query(_PATHS[template], request=kept_as)),
            template,
            problem,
            onward=kept.redirect_uri if kept else "",
            request=kept_as,
            name=name or (kept.hint if kept else ""),
            policy=self._accounts.policy(now),
        )

    async def take(self, tx: Transaction, opened: Opened, kept_as: str, now: datetime) -> Response:
        """On to the next step; after the last one back to the app, or to the person's own page."""
        if opened.stage is not Stage.OPEN:
            return self._pages.onward(with_query(_NEXT[opened.stage], request=kept_as), opened.secret)
        session = await self._sessions.lock(tx, opened.session, now)
        answer = None
        if kept_as and session is not None:
            answer = await self._provider.resume(tx, kept_as, session, now)
        return self._pages.onward((answer and answer.location) or START, opened.secret)
