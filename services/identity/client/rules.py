"""What a client system is, where it may send people back to, and how its secrets are kept. Pure."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit

from shared.errors import Fault

_MADE = "sha256$"
_LOOPBACK = ("127.0.0.1", "[::1]", "::1")
_URI = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]{1,400}")
SCOPES = ("openid", "profile")


class Kind(StrEnum):
    """An app acts for people who sign in; the others act in their own name."""

    APP = "app"
    PARTNER = "partner"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Client:
    """`secrets`: hashes of those that are alive. `title`: {zh, en}."""

    name: str
    kind: Kind
    title: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    roles: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    sign_out_uris: tuple[str, ...] = ()
    closed_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 1
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_public(self) -> bool:
        """Whether it cannot keep a secret, so has none."""
        return self.kind is Kind.APP

    @property
    def has_chosen_secret(self) -> bool:
        """Whether one of its secrets might be guessed, since somebody chose it."""
        return not all(map(is_made, self.secrets))

    def sends_back_to(self, uri: str) -> bool:
        """Whether a code may be sent there: exactly a registered address; on loopback the port is free (RFC 8252)."""
        return _is_among(uri, self.redirect_uris)

    def lets_go_to(self, uri: str) -> bool:
        """Whether people may be sent there once they are out: as freely as a code, so that both work or neither."""
        return _is_among(uri, self.sign_out_uris)


@dataclass(frozen=True, slots=True)
class Entry:
    """A client to enter. `title`: {zh, en}; `unit` and `roles` are of what acts in its own name."""

    name: str
    kind: Kind
    title: dict[str, str]
    unit: str | None = None
    roles: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    sign_out_uris: tuple[str, ...] = ()


def faults_of(entry: Entry, roles: Set[str], units: Set[str]) -> list[Fault]:
    """Everything that is wrong with an entry, given the declared roles and the units that are open."""
    faults = [*_uri_faults(entry.redirect_uris, "/redirect_uris"), *_uri_faults(entry.sign_out_uris, "/sign_out_uris")]
    if entry.kind is Kind.APP:
        if not entry.redirect_uris:
            faults.append(Fault("/redirect_uris", "missing", None, "an address for an app's codes"))
        if entry.roles or entry.unit:
            faults.append(Fault("/roles", "app_with_roles", None, "no roles and no unit: an app acts for people"))
        return faults
    if entry.unit is None:
        faults.append(Fault("/unit", "missing", None, "the unit that it belongs to"))
    elif entry.unit not in units:
        faults.append(Fault("/unit", "unknown", entry.unit, "the id of an open unit"))
    if entry.redirect_uris or entry.sign_out_uris:
        faults.append(Fault("/redirect_uris", "no_app", None, "none: only apps send people back"))
    for position, role in enumerate(entry.roles):
        if role not in roles:
            faults.append(
                Fault(f"/roles/{position}", "no_such_role", role, f"a role declared for a {entry.kind.value}")
            )
    return faults


def _is_among(uri: str, registered: tuple[str, ...]) -> bool:
    return is_uri(uri) and any(uri == each or _differ_in_port(uri, each) for each in registered)


def _differ_in_port(uri: str, registered: str) -> bool:
    try:
        asked, known = urlsplit(uri), urlsplit(registered)
        _ = asked.port
    except ValueError:
        return False
    if known.hostname not in _LOOPBACK or known.scheme != "http":
        return False
    return _without_port(asked) == _without_port(known) and asked.username is None and "@" not in asked.netloc


def _without_port(uri: SplitResult) -> tuple[str, str | None, str, str, str]:
    return (uri.scheme, uri.hostname, uri.path, uri.query, uri.fragment)


def is_uri(text: str) -> bool:
    """Whether it holds only characters that an address may hold (RFC 3986), and no fragment."""
    return _URI.fullmatch(text) is not None


def _uri_faults(uris: tuple[str, ...], pointer: str) -> list[Fault]:
    """Addresses that cannot be registered: https, or http on loopback; whole, and without a fragment."""
    expected = "an https address without fragment, or http://127.0.0.1"
    return [
        Fault(f"{pointer}/{position}", "redirect_uri", each[:120], expected)
        for position, each in enumerate(uris)
        if not _may_register(each)
    ]


def _may_register(uri: str) -> bool:
    if not is_uri(uri):
        return False
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in (*_LOOPBACK, "localhost"))


def new_secret() -> str:
    """256 random bits: no guessing, so no slow hash is needed."""
    return f"kcs_{secrets.token_urlsafe(32)}"


def hash_of(secret: str) -> str:
    """How a secret that we made is kept."""
    return _MADE + hashlib.sha256(secret.encode()).hexdigest()


def is_made(hashed: str) -> bool:
    """Whether we made the secret, so that its hash is a plain one."""
    return hashed.startswith(_MADE)


def fits(hashed: str, secret: str) -> bool:
    """Whether a made secret has this hash."""
    return hmac.compare_digest(hashed, hash_of(secret))


def shown(client: Client) -> dict[str, Any]:
    """The client as routes answer it; nothing of its secrets."""
    return {
        "name": client.name,
        "kind": client.kind.value,
        "title": dict(client.title),
        "unit": client.unit,
        "roles": list(client.roles),
        "redirect_uris": list(client.redirect_uris),
        "sign_out_uris": list(client.sign_out_uris),
        "active": client.closed_at is None,
        "version": client.version,
    }
