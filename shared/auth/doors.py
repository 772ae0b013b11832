"""Authority at the HTTP door: what a route declares, and how a record out of reach is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request

from shared.auth.authority import Principal, Sight
from shared.auth.decision import is_recent
from shared.auth.keys import origin
from shared.auth.peers import HEADER
from shared.auth.tokens import Authenticator
from shared.clock import now
from shared.errors import Forbidden, NotFound, Unauthenticated

Admit: TypeAlias = Callable[[Request, Principal], Awaitable[None]]
"""What an application does once it knows who asks: counts programs, notes the use of keys. May refuse."""


def address_of(request: Request) -> str | None:
    """Where a request comes from; only proxies that the settings name are believed about others."""
    authenticator: Authenticator = request.app.state.authenticator
    peer = request.client.host if request.client else None
    if not authenticator.proxies:
        return peer
    return origin(peer, request.headers.getlist("x-forwarded-for"), authenticator.proxies)


async def caller(request: Request) -> Principal:
    """Who is asking; found, and counted, once a request."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    authenticator: Authenticator = request.app.state.authenticator
    principal = await authenticator.principal(request.headers.get("authorization"), address_of(request))
    request.state.principal = principal
    request.state.roster_serial = authenticator.roster.serial
    admit: Admit = request.app.state.admit
    await admit(request, principal)
    return principal


async def require_unchanged(request: Request) -> None:
    """Refuse to commit what ran under authority that was taken away meanwhile. Raises: Forbidden, Unauthenticated"""
    authenticator: Authenticator = request.app.state.authenticator
    before: Principal | None = getattr(request.state, "principal", None)
    if before is None or request.state.roster_serial == authenticator.roster.serial:
        return
    action = getattr(request.state, "action", "")
    after = await authenticator.principal(request.headers.get("authorization"), address_of(request))
    if after.powers.get(action) != before.powers.get(action):
        detail = "Your authority changed while this ran, so nothing was done. Ask again."
        raise Forbidden("authority_changed", detail, members={"action": action})


def may(action: str, *, peer: bool = False) -> Any:
    """Declare on a route who may: `who: Annotated[Principal, may("customer.read")]`.

    An action that is declared `recent` needs a sign-in of late, too (RFC 9470). `peer`: only a service of the suite
    asks, in the person's name, so its own token must come along and grant the action as well.
    """

    async def granted(request: Request) -> Principal:
        authenticator: Authenticator = request.app.state.authenticator
        request.state.action = action
        principal = await caller(request)
        require(principal, action)
        rule = authenticator.authority.action(action)
        if rule is not None and rule.recent and not is_recent(authenticator.authority, principal, now().timestamp()):
            raise sign_in_too_old(action, authenticator.authority.recency_s())
        if peer:
            await _require_peer(request, authenticator, principal, action)
        return principal

    granted.__dict__["action"] = action
    return Depends(granted)


def require(principal: Principal, action: str) -> None:
    """Whether any role grants the action. Raises: Forbidden"""
    if not principal.may(action):
        raise Forbidden("not_allowed", f"None of your roles grants {action}.", members={"action": action})


async def _require_peer(request: Request, authenticator: Authenticator, asker: Principal, action: str) -> None:
    own = request.headers.get(HEADER)
    service = await authenticator.principal(own) if own is not None else None
    is_service = service is not None and service.actor.startswith("client/") and service.may(action)
    if not is_service or not asker.actor.startswith("staff/"):
        raise Forbidden("peers_only", f"Only services of the suite ask for {action}, with a token of their own.")


def sign_in_too_old(action: str, within_s: float) -> Unauthenticated:
    """How a caller is told to sign in again first (RFC 9470)."""
    detail = f"{action} needs a sign-in within the last {within_s:.0f} s. Sign in again."
    challenge = f'Bearer realm="kehu", error="insufficient_user_authentication", max_age="{within_s:.0f}"'
    return Unauthenticated(
        "sign_in_too_old", detail, members={"max_age": int(within_s)}, headers={"WWW-Authenticate": challenge}
    )


async def _signed_in(request: Request) -> Principal:
    return await caller(request)


_signed_in.__dict__["action"] = "*"
SignedIn = Annotated[Principal, Depends(_signed_in)]
"""Any signed-in caller, for what is theirs by nature (their own inbox)."""


def within(principal: Principal, action: str, unit: str | None, assignee: str | None = None) -> Sight:
    """What the action shows of a record of this unit, assigned to this person.

    A record out of reach is refused as if it were not there: its existence is not theirs to know. So one that is not
    there is refused with the same code. Raises: NotFound
    """
    sight = principal.sight(action, unit, assignee)
    if not sight:
        raise no_such_record()
    return sight


def no_such_record() -> NotFound:
    """There is none, told as if it were out of reach, and the other way round; recorded either way."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")
