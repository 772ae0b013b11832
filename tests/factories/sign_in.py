"""Signs people in at an OpenID issuer as a browser does: by the issuer's own page, with a code and PKCE, over HTTP.

The journey of the second issuer calls it; what the page asks for is named as Keycloak names it.
"""

import secrets
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

APP: Final = "console"
BACK: Final = "http://127.0.0.1:8100/sign-in/callback"
LEFT: Final = "http://127.0.0.1:8100/signed-out"
"""Where the issuer sends a browser back to; nobody needs to listen there."""


@dataclass(frozen=True)
class Tokens:
    """What an issuer gave."""

    access: str
    refresh: str
    id: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


@dataclass(frozen=True)
class Asked:
    """A request to sign in, and what only its sender knows."""

    url: str
    state: str
    nonce: str
    verifier: str


class LoginForm(HTMLParser):
    """The form of a page that asks for name and password: where it goes, and what it carries along."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)
        assert {"username", "password"} <= self.fields.keys(), page[:4000]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = given["action"]
        elif tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")


class Visitor:
    """One person's browser at an issuer, with its cookies, and the app that they sign in to."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.http = httpx.Client(timeout=30, trust_env=False, event_hooks={"response": [self._keep_cookies]})
        self._app = OAuth2Client(
            client_id=APP,
            redirect_uri=BACK,
            scope="openid",
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
            timeout=30,
            trust_env=False,
        )

    def _keep_cookies(self, _answer: httpx.Response) -> None:
        """Browsers trust loopback without TLS, secure cookies included."""
        for cookie in self.http.cookies.jar:
            cookie.secure = False

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_raised: object) -> None:
        self.http.close()
        self._app.close()

    @cached_property
    def endpoints(self) -> dict[str, Any]:
        """The issuer's own document."""
        found: dict[str, Any] = self.http.get(f"{self.issuer}/.well-known/openid-configuration").json()
        assert found["issuer"] == self.issuer
        return found

    def ask(self, **more: str) -> Asked:
        """What the app would send the browser to."""
        nonce, verifier = secrets.token_urlsafe(), secrets.token_urlsafe(48)
        endpoint = self.endpoints["authorization_endpoint"]
        url, state = self._app.create_authorization_url(endpoint, code_verifier=verifier, nonce=nonce, **more)
        return Asked(url, state, nonce, verifier)

    def sign_in(self, name: str, password: str) -> Tokens:
        """Fill in the issuer's page."""
        asked = self.ask()
        form = LoginForm(self.http.get(asked.url).raise_for_status().text)
        answer = self.http.post(form.action, data={**form.fields, "username": name, "password": password})
        assert answer.status_code == 302, answer.text[:4000]
        return self.redeem(asked, answer.headers["location"])

    def redeem(self, asked: Asked, came_back: str) -> Tokens:
        """Turn the address that the browser came back by into tokens, as the app does."""
        assert came_back.startswith(BACK)
        assert parse_qs(urlsplit(came_back).query)["state"] == [asked.state]
        endpoint = self.endpoints["token_endpoint"]
        given = self._app.fetch_token(endpoint, authorization_response=came_back, code_verifier=asked.verifier)
        tokens = Tokens(given["access_token"], given["refresh_token"], given["id_token"])
        claims = self.proven(tokens.id)
        assert (claims["aud"], claims["nonce"]) == (APP, asked.nonce)
        return tokens

    def renew(self, tokens: Tokens) -> Tokens:
        """Fresh tokens for the refresh token. Raises: OAuthError"""
        given = self._app.refresh_token(self.endpoints["token_endpoint"], tokens.refresh)
        return Tokens(given["access_token"], given["refresh_token"], given["id_token"])

    def sign_out(self, tokens: Tokens) -> httpx.Response:
        """As the app asks for it."""
        back = {"id_token_hint": tokens.id, "post_logout_redirect_uri": LEFT, "client_id": APP}
        return self.http.get(self.endpoints["end_session_endpoint"], params=back)

    def proven(self, token: str) -> dict[str, Any]:
        """A token's header and claims in one, checked with the published keys."""
        keys = KeySet.import_key_set(self.http.get(self.endpoints["jwks_uri"]).json())
        found = jwt.decode(token, keys, algorithms=["RS256"])
        assert found.claims["iss"] == self.issuer
        return {**found.header, **found.claims}
