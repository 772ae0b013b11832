"""Signing in at the tests' own issuer: code flow with PKCE, refresh tokens that are good once, signing out. No page.

Whoever `person` is gets in at once. Attributes turn it into an issuer that errs, lies, or takes its time.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge

Sign = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Person:
    """Somebody at the issuer's page; `claims` as for `Issuer.claims`."""

    name: str
    roles: tuple[str, ...] = ()
    unit: str = "unit-1"
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Family:
    """A sign-in, and the one refresh token of it that is good."""

    person: Person
    client: str
    signed_in_at: int
    refresh: str = ""
    is_over: bool = False


@dataclass
class WayIn:
    """`access` gives an access token of a person, `sign` signs an ID token; both as the issuer does."""

    issuer: Callable[[], str]
    access: Callable[..., str]
    sign: Sign
    person: Person | None = None
    error: str | None = None
    """What is answered in place of a code."""
    twist: dict[str, Any] = field(default_factory=dict)
    """Claims of ID tokens that are other than they should be; None leaves one out."""
    more: dict[str, Any] = field(default_factory=dict)
    """Parameters of the answer that are other than they should be."""
    lifetime_s: int = 3600
    signed_in_ago_s: int = 0
    overlooks_age: bool = False
    delay_s: float = 0.0
    refuses: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)
    renewals: int = 0
    _codes: dict[str, tuple[dict[str, str], _Family]] = field(default_factory=dict)
    _families: dict[str, _Family] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        self.asked.append(asked)
        if self.person is None or self.error is not None:
            answer = {"error": self.error or "login_required"}
        else:
            code, moment = secrets.token_urlsafe(16), int(time.time())
            anew = asked.get("prompt") == "login" or self.signed_in_ago_s > int(asked.get("max_age", 10**9))
            ago = self.signed_in_ago_s if self.overlooks_age or not anew else 0
            self._codes[code] = asked, _Family(self.person, asked["client_id"], moment - ago)
            answer = {"code": code}
        answer = {**answer, "state": asked["state"], "iss": self.issuer(), **self.more}
        kept = {name: value for name, value in answer.items() if value is not None}
        return f"{asked['redirect_uri']}?{urlencode(kept)}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a code or a refresh token."""
        time.sleep(self.delay_s)
        with self._lock:
            family = self._of_code(form) if form["grant_type"] == "authorization_code" else self._of_refresh(form)
            if family is None or family.is_over or self.refuses:
                return 400, {"error": "invalid_grant"}
            return 200, self.tokens(family, nonce=self._nonce)

    def _of_code(self, form: dict[str, str]) -> _Family | None:
        asked, family = self._codes.pop(form["code"], ({}, None))
        self._nonce = asked.get("nonce")
        kept = ("redirect_uri", "client_id")
        is_good = all(asked.get(name) == form.get(name) for name in kept)
        proof = create_s256_code_challenge(form.get("code_verifier", ""))
        return family if is_good and asked.get("code_challenge") == proof else None

    def _of_refresh(self, form: dict[str, str]) -> _Family | None:
        self._nonce = None
        self.renewals += 1
        family = self._families.get(form["refresh_token"])
        if family is not None and family.refresh != form["refresh_token"]:
            family.is_over = True  # used before: stolen, for all the issuer knows
        return family

    def begin(self, person: Person, client: str = "console", ago_s: int = 0) -> dict[str, Any]:
        """The tokens of a fresh sign-in, without any browser."""
        return self.tokens(_Family(person, client, int(time.time()) - ago_s))

    def tokens(self, family: _Family, nonce: str | None = None) -> dict[str, Any]:
        """Fresh tokens of a sign-in."""
        family.refresh = secrets.token_urlsafe(16)
        self._families[family.refresh] = family
        moment, person = int(time.time()), family.person
        times = {"exp": moment + self.lifetime_s, "auth_time": family.signed_in_at}
        access = self.access(person.name, person.roles, person.unit, **{**times, **person.claims})
        claims = {"iss": self.issuer(), "aud": family.client, "sub": person.name, "iat": moment, **times}
        told = {**claims, "nonce": nonce, **self.twist}
        id_token = self.sign({name: value for name, value in told.items() if value is not None})
        bearer = {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime_s}
        return {**bearer, "refresh_token": family.refresh, "id_token": id_token}

    def leave(self, asked: dict[str, str]) -> str:
        """Where the browser is sent after signing out."""
        self.left.append(asked)
        return asked["post_logout_redirect_uri"]
