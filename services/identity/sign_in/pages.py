"""Turns a template into an answer: language, cookie, headers that let nothing foreign run.

Called by the routes of pages. Strict policy: no script at all, nothing from elsewhere, no framing. Forms go to this
site and, where a person is on the way to an app, on to that app (browsers apply `form-action` to redirects, too).
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import segno
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.identity.sign_in.visits import Visit, Visits
from shared.clock import CHINA
from shared.errors import KehuError
from shared.web.problems import texts
from shared.web.site import HEADERS, LANGUAGES, templates
from shared.web.texts import LANGUAGE_TAGS, Texts

_HERE = Path(__file__).parent
TEXTS = _HERE / "texts"
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_HEADERS = {**HEADERS, "Referrer-Policy": "no-referrer"}
ASSET_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Pages:
    def __init__(self, visits: Visits) -> None:
        self._visits = visits
        self._wordings = {language: Texts(TEXTS, language) for language in LANGUAGES}
        self.assets = {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in (_HERE / "static").iterdir()}
        self._templates = templates(_HERE / "templates")
        self._templates.globals.update(
            asset=self._address_of,
            tags=LANGUAGE_TAGS,
            moment=lambda at: at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
        )

    def _address_of(self, name: str) -> str:
        return f"/static/{name}?v={sha256(self.assets[name][0]).hexdigest()[:12]}"

    def answer(
        self, visit: Visit, template: str, /, problem: KehuError | None = None, *, onward: str = "", **content: Any
    ) -> Response:
        """The page, with what went wrong, if so; `onward` is an address of the app that a form of it may lead to."""
        wording = self._wordings[visit.language]
        shown = None if problem is None else _problem(problem, visit.language)
        text = self._templates.get_template(template).render(
            visit=visit, t=wording.text, has=wording.has, problem=shown, **content
        )
        policy = "; ".join((*_POLICY, " ".join(("form-action", "'self'", *_origin(onward)))))
        headers = {**_HEADERS, "Content-Security-Policy": policy, "Content-Language": LANGUAGE_TAGS[visit.language]}
        if problem is not None and "Retry-After" in problem.headers:
            headers["Retry-After"] = problem.headers["Retry-After"]
        response = HTMLResponse(text, 200 if problem is None else problem.status, headers)
        self.remember(response, visit.secret)
        return response

    def onward(self, address: str, secret: str | None = None) -> Response:
        """On to another page, or back to an app, by GET."""
        response = RedirectResponse(address, 303, _HEADERS)
        if secret is not None:
            self.remember(response, secret)
        return response

    def remember(self, response: Response, secret: str) -> None:
        """Keep the secret in the browser: scripts cannot read it, other sites cannot send it along with a form."""
        self.set_cookie(response, self._visits.cookie, secret)

    def forget(self, response: Response) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self._visits.cookie, path="/", httponly=True, samesite="lax", secure=self._visits.secure)

    def set_cookie(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        response.set_cookie(
            name, value, max_age=seconds, httponly=True, samesite="lax", secure=self._visits.secure, path="/"
        )


def _origin(address: str) -> tuple[str, ...]:
    """The origin of an app's address, as a policy names it."""
    parts = urlsplit(address)
    return (f"{parts.scheme}://{parts.netloc}",) if parts.scheme in ("http", "https") and parts.netloc else ()


def _problem(error: KehuError, language: str) -> Mapping[str, Any]:
    """A refusal in words: what every page's summary of errors shows."""
    known = texts().get(error.code, {})
    title = known.get(language) or error.code
    detail = (known.get("detail_zh") if language == "zh" else None) or error.detail
    return {"code": error.code, "title": title, "detail": "" if detail == title else detail, "faults": error.faults}


def qr_code(address: str) -> Markup:
    """A picture of an address, for an authenticator's camera."""
    return Markup(segno.make(address, error="m").svg_inline(scale=4, border=2, svgclass=None, lineclass=None))  # noqa: S704
