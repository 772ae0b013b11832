"""Turns a template into an answer: language, navigation, headers that let nothing foreign run. Knows no service.

Called by every route and by `refusals`. Strict policy: no inline script or style, nothing from elsewhere, no framing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.console.asset.service import Asset
from services.console.visits import FORM_FIELD, LANGUAGES, Visit
from services.console.wording import LANGUAGE_TAGS, Wording, figure_of, moment_of

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}
NAVIGATION = (
    ("start", "/", None),
    ("live", "/entries/live", "entry.read"),
    ("entries", "/entries", "entry.read"),
    ("customers", "/customers", "customer.read"),
    ("submissions", "/submissions", "submission.read"),
    ("inbox", "/inbox", "inbox.read"),
    ("dead_letters", "/dead-letters", "dead_letter.read"),
)
"""Key of the text, address, and the action without which a page is of no use."""


class Pages:
    """`labels`: {zh, en} by code of an item or indicator; `indicators`: item by indicator that shows its value."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        labels: Mapping[str, Any],
        indicators: Mapping[str, str],
        *,
        secure_cookies: bool,
    ) -> None:
        self._secure = secure_cookies
        self._labels = labels
        self._wordings = {language: Wording(language) for language in LANGUAGES}
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            assets=assets,
            languages=LANGUAGES,
            form_field=FORM_FIELD,
            with_query=with_query,
            navigation=NAVIGATION,
            indicators=indicators,
        )
        self._templates.filters.update(moment=moment_of, segment=_segment, figure=figure_of)

    def answer(self, visit: Visit, template: str, /, status: int = 200, **content: Any) -> Response:
        """The page."""
        response = HTMLResponse(self.render(visit, template, **content), status, HEADERS)
        response.headers["Content-Language"] = LANGUAGE_TAGS[visit.language]
        return response

    def render(self, visit: Visit, template: str, /, **content: Any) -> str:
        """The text of a template."""
        wording = self._wordings[visit.language]
        return self._templates.get_template(template).render(
            visit=visit,
            lang=LANGUAGE_TAGS[visit.language],
            t=wording.text,
            term=wording.term,
            label=wording.label,
            value=wording.value,
            item_label=lambda code: wording.label(self._labels.get(code)) or code,
            **content,
        )

    def redirect(self, path: str) -> Response:
        """On to a page of this site, by GET."""
        return RedirectResponse(path, 303, HEADERS)

    def set_cookie(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """A cookie that scripts cannot read and other sites cannot send along with a form."""
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=self._secure, path="/")


def with_query(path: str, **query: Any) -> str:
    """An address; values of None or "" are left out."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def _segment(text: object) -> str:
    """Safe as one part of a path."""
    return quote(str(text), safe="")
