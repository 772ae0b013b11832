"""Questions to the other services, each with the person's own token and language, and the console's token beside it.

Holds no authority of its own. What goes wrong comes back as a `Problem` that a page can show in words. `panel` keeps a
page standing while one of the services that it asks is away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
import orjson
from starlette.types import ASGIApp

from services.console.visits import Visit
from shared.auth import NoOwnToken, OwnToken
from shared.telemetry import current_traceparent, log

T = TypeVar("T")

AWAY = "peer_away"
_PROBLEM = "application/problem+json"
_HEALTH_S = 1.5
_OWN_RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal by a service, or its silence (code `peer_away`); `members` are what else its document says."""

    service: str
    status: int
    code: str
    title: str = ""
    detail: str = ""
    errors: tuple[Mapping[str, Any], ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)


class Refused(Exception):
    """A service did not do what it was asked."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.service}: {problem.status} {problem.code}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Reply:
    """A 2xx answer: its JSON (None if it has no body) and its ETag."""

    body: Any
    etag: str | None


@dataclass(frozen=True, slots=True)
class Panel(Generic[T]):
    """A part of a page: its content, or why there is none."""

    content: T | None
    problem: Problem | None = None


async def panel(question: Awaitable[T]) -> Panel[T]:
    """A part that may fail alone; an ended sign-in fails the page."""
    try:
        return Panel(await question)
    except Refused as refused:
        if refused.problem.status == 401:
            raise
        return Panel(None, refused.problem)


class Peers:
    """The services by name; `patience_s` is how long one may take to answer; `own` says who asks for the person."""

    def __init__(self, addresses: Mapping[str, str], patience_s: float, own: OwnToken) -> None:
        self.addresses = dict(addresses)
        self._own = own
        self._own_due_at = 0.0
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(patience_s), trust_env=False)

    def join(self, name: str, app: ASGIApp) -> None:
        """Be asked like the others, without a way over the network: what this process serves itself."""
        self.addresses[name] = f"http://{name}"
        transports = {self.addresses[name]: httpx.ASGITransport(app, raise_app_exceptions=False)}
        self._http = httpx.AsyncClient(timeout=self._http.timeout, trust_env=False, mounts=transports)

    async def get(self, visit: Visit, service: str, path: str, **query: Any) -> Any:
        """The JSON of an answer; query values of None are left out. Raises: Refused"""
        return (await self.reply(visit, service, path, **query)).body

    async def text(self, visit: Visit, service: str, path: str) -> str:
        """The text of an answer that is no JSON. Raises: Refused"""
        return (await self._answer(service, "GET", path, await self._headers(visit))).text

    async def reply(self, visit: Visit, service: str, path: str, **query: Any) -> Reply:
        """The same, with the ETag."""
        given = {name: value for name, value in query.items() if value is not None}
        return await self._ask(service, "GET", path, await self._headers(visit), params=given)

    async def send(
        self,
        visit: Visit,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        if_match: str | None = None,
        key: str | None = None,
    ) -> Reply:
        """A change; `if_match` the ETag that it is made on, `key` the Idempotency-Key. Raises: Refused"""
        optional = {"If-Match": if_match, "Idempotency-Key": key}
        headers = await self._headers(visit) | {name: value for name, value in optional.items() if value}
        return await self._ask(service, method, path, headers, json=body)

    async def is_ready(self, service: str) -> bool | None:
        """Whether a service says that all its parts are usable; None if it says nothing."""
        try:
            answer = await self._http.get(f"{self.addresses[service]}/readyz", timeout=_HEALTH_S)
        except httpx.HTTPError:
            return None
        return answer.status_code == 200

    @asynccontextmanager
    async def stream(
        self, visit: Visit, service: str, path: str, last_event_id: str | None, silence_s: float, **query: Any
    ) -> AsyncIterator[AsyncIterator[str]]:
        """The text of a Server-Sent Events answer as it comes, as long as it speaks every `silence_s` s.

        Raises: Refused
        """
        headers = await self._headers(visit) | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        given = {name: value for name, value in query.items() if value is not None}
        timeout = httpx.Timeout(self._http.timeout.connect, read=silence_s)
        url = self.addresses[service] + path
        async with self._http.stream("GET", url, params=given, headers=headers, timeout=timeout) as answer:
            if answer.status_code != 200:
                await answer.aread()
                raise Refused(_problem_of(service, answer))
            yield answer.aiter_text()

    async def _ask(self, service: str, method: str, path: str, headers: dict[str, str], **more: Any) -> Reply:
        answer = await self._answer(service, method, path, headers, **more)
        try:
            return Reply(orjson.loads(answer.content) if answer.content else None, answer.headers.get("etag"))
        except orjson.JSONDecodeError as error:
            raise _away(service, error) from error

    async def _answer(
        self, service: str, method: str, path: str, headers: dict[str, str], **more: Any
    ) -> httpx.Response:
        """A 2xx answer."""
        try:
            answer = await self._http.request(method, self.addresses[service] + path, headers=headers, **more)
        except httpx.HTTPError as error:
            raise _away(service, error) from error
        if not answer.is_success:
            raise Refused(_problem_of(service, answer))
        return answer

    async def _headers(self, visit: Visit) -> dict[str, str]:
        own: dict[str, str] = {}
        clock = asyncio.get_running_loop().time
        if clock() >= self._own_due_at:
            try:
                own = await self._own.headers()
            except NoOwnToken as error:
                # What demands it will refuse; all other pages stand, and do not wait for it each time.
                self._own_due_at = clock() + _OWN_RETRY_S
                log(part="clients").warning("own_token_not_had", error=type(error).__name__)
        return own | {
            "Authorization": f"Bearer {visit.token}",
            "Accept-Language": visit.language,
            "traceparent": current_traceparent() or "",
        }

    async def close(self) -> None:
        await self._http.aclose()


async def together(**questions: Awaitable[Any]) -> dict[str, Any]:
    """Ask all at once; answers by name."""
    answers = await asyncio.gather(*questions.values())
    return dict(zip(questions, answers, strict=True))


def _away(service: str, error: Exception) -> Refused:
    log(part="clients").warning("peer_away", service=service, error=type(error).__name__)
    return Refused(Problem(service, 503, AWAY))


def _problem_of(service: str, answer: httpx.Response) -> Problem:
    """The problem document of an answer; one that is none says only its status."""
    document: Any = None
    if answer.headers.get("content-type", "").startswith(_PROBLEM):
        try:
            document = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            document = None
    if not isinstance(document, dict):
        return Problem(service, answer.status_code, AWAY if answer.status_code >= 500 else "http_error")
    errors = tuple(each for each in document.get("errors", ()) if isinstance(each, dict))
    title, detail = str(document.get("title", "")), str(document.get("detail", ""))
    code = str(document.get("code", "http_error"))
    return Problem(service, answer.status_code, code, title, "" if detail == title else detail, errors, document)
