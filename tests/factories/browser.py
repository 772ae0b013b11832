"""A person's browser and the app that sends it to sign in: pages are read as they are, forms are filled in and sent."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from kehu.code_flow import Form

APP, BACK = "kehu-cli", "http://127.0.0.1:49152/"


@dataclass
class Browser:
    """`async with`; the app is `client_id`, which wants people back at `redirect_uri`."""

    http: httpx.AsyncClient
    client_id: str = APP
    redirect_uri: str = BACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.http.aclose()

    def request(self, **changes: str | None) -> str:
        """The address that the app sends the browser to; a parameter given as None is left out."""
        usual = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile",
            "state": self.state,
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": create_s256_code_challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        asked = {name: value for name, value in {**usual, **changes}.items() if value is not None}
        return f"/oauth/authorize?{urlencode(asked)}"

    async def ask(self, **changes: str | None) -> httpx.Response:
        """Where the app's request leads: a page of the site, or an answer that sends the browser elsewhere."""
        return await self.follow(await self.http.get(self.request(**changes)))

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Follow redirects within the site; one that leads elsewhere is not followed."""
        while answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["location"])
            if urlsplit(address).netloc != self.http.base_url.netloc.decode():
                return answer
            answer = await self.http.get(address)
        return answer

    async def submit(self, page: httpx.Response, **filled: str) -> httpx.Response:
        """Fill in the page's first form and send it."""
        form = Form(page.text)
        assert form.action, page.text
        return await self.follow(await self.http.post(form.action, data={**form.fields, **filled}))

    async def enter(self, name: str, password: str, **changes: str | None) -> httpx.Response:
        """Ask, and fill in the sign-in page, unless the browser is sent on at once."""
        page = await self.ask(**changes)
        return page if page.is_redirect else await self.submit(page, name=name, password=password)

    def answer_of(self, sent_on: httpx.Response) -> dict[str, str]:
        """What the app was sent, at its address."""
        address = sent_on.headers["location"]
        assert address.startswith(self.redirect_uri), address
        return dict(parse_qsl(urlsplit(address).query))

    async def redeem(self, code: str, **changes: str | None) -> httpx.Response:
        """The app turns a code into tokens."""
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return await self.post("/oauth/token", {**usual, **changes})

    async def renew(self, refresh_token: str, **changes: str | None) -> httpx.Response:
        """The app asks for fresh tokens."""
        usual = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        return await self.post("/oauth/token", {**usual, **changes})

    async def post(self, path: str, form: dict[str, Any]) -> httpx.Response:
        """The app asks the issuer, without the person's cookies."""
        given = {name: value for name, value in form.items() if value is not None}
        async with httpx.AsyncClient(base_url=self.http.base_url, timeout=30, trust_env=False) as app:
            return await app.post(path, data=given)

    async def sign_in(self, name: str, password: str, **changes: str | None) -> httpx.Response:
        """The whole way: the answer with the tokens, or the page on which the person was left."""
        left = await self.enter(name, password, **changes)
        if not left.is_redirect:
            return left
        return await self.redeem(self.answer_of(left)["code"])
