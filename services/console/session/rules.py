"""What is derived from a browser's cookie, what a sign-in is made of, and where one may be sent on to. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.console.session import errors

_EARLY = timedelta(seconds=60)
_LEEWAY_S = 30
_PASSING = ("temporarily_unavailable", "server_error")


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that a browser began: what only the two of us know, and where to go on to.

    `asked_at`: POSIX seconds. `fresh`: the person proves anew who they are, even if the issuer knows.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next: str
    asked_at: int
    fresh: bool

    def is_recent_enough(self, signed_in_at: float, longest: timedelta) -> bool:
        """Whether a proof of that moment is what was asked for."""
        earliest = self.asked_at if self.fresh else self.asked_at - longest.total_seconds()
        return signed_in_at >= earliest - _LEEWAY_S


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the issuer gave, to whom (`subject` as it says, `name` as we do); `ends_at`: of the access token."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    id: str = field(repr=False)
    subject: str
    name: str
    ends_at: datetime
    renew_at: datetime


def renew_at(obtained_at: datetime, ends_at: datetime) -> datetime:
    """When a token is about to expire: a minute before it does, or after four fifths of a short life."""
    return max(ends_at - _EARLY, obtained_at + (ends_at - obtained_at) * 0.8)


def code_of(answer: Mapping[str, str], issuer: str, *, names_itself: bool) -> str:
    """The code in the address that the issuer sent the browser back by.

    `names_itself`: the issuer says that it always does (RFC 9207), so an answer without its name is not its.
    Raises: Malformed, Unavailable
    """
    if answer.get("iss", None if names_itself else issuer) != issuer:
        raise errors.foreign_issuer()
    if answer.get("error") in _PASSING:
        raise errors.unavailable()
    if "error" in answer or not answer.get("code"):
        raise errors.declined()
    return answer["code"]


def is_worth_asking(signed_in_at: float | None, max_age: object, now: datetime) -> bool:
    """Whether signing in anew may satisfy a service to which a sign-in was too old; if not, it would only go round."""
    if signed_in_at is None or not isinstance(max_age, int):
        return False
    return now.timestamp() - signed_in_at > max_age - _LEEWAY_S


def mark_of(secret: str) -> bytes:
    """What a session is found by: the cookie itself is not kept, so that a copy of the table opens nothing."""
    return hashlib.sha256(secret.encode()).digest()
