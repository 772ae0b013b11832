"""Signs a person in as a browser would, and gets a token as an app does (authorization code with PKCE, RFC 8252).

Called by `SuiteClient`. The person's page is a plain form, so no browser is needed; nothing listens on the redirect
address, since the answer is read from where the last redirect points.
"""

from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

import httpx
from authlib.common.security import generate_token
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response, prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from kehu.failure import SuiteFailed

APP: Final = "kehu-cli"
REDIRECT_URI: Final = "http://127.0.0.1/"
_STEPS = 6


class Form(HTMLParser):
    """The first form of a page: where it goes, and what it carries unseen."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in what belongs to the form."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = found.get("action", "")
        elif tag == "input" and found.get("type") == "hidden":
            self.fields[found["name"]] = found.get("value", "")


def token_of(issuer: str, name: str, password: str) -> str:
    """An access token of the person. Raises: SuiteFailed, httpx.HTTPError"""
    verifier, state = generate_token(64), generate_token(24)
    address = prepare_grant_uri(
        "/oauth/authorize",
        APP,
        "code",
        redirect_uri=REDIRECT_URI,
        scope="openid",
        state=state,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    with httpx.Client(base_url=issuer, timeout=10, trust_env=False) as browser:
        sent_on = _signed_in(browser, address, name, password)
        try:
            code = parse_authorization_code_response(sent_on, state=state)["code"]
        except OAuth2Error as error:
            raise SuiteFailed(f"{name} was refused: {error.error}") from None
        grant = {"grant_type": "authorization_code", "client_id": APP, "redirect_uri": REDIRECT_URI}
        answer = browser.post("/oauth/token", data={**grant, "code": code, "code_verifier": verifier})
    return str(answer.raise_for_status().json()["access_token"])


def _signed_in(browser: httpx.Client, address: str, name: str, password: str) -> str:
    """Where the browser is sent at last: the app's address, with the code or an error."""
    page = browser.get(address)
    for _ in range(_STEPS):
        if page.is_redirect:
            address = urljoin(str(page.url), page.headers["location"])
            if address.startswith(REDIRECT_URI):
                return address
            page = browser.get(address)
        elif page.is_success and page.request.method == "GET" and page.url.path == "/sign-in":
            form = Form(page.text)
            page = browser.post(form.action, data={**form.fields, "name": name, "password": password})
        else:
            break
    raise SuiteFailed(f"{name} cannot sign in without a browser: {page.status_code} at {page.url.path}.")
