"""Turns a template into an answer: language, navigation, headers that let nothing foreign run. Knows no service.

Called by every route and by `refusals`. Strict policy: no inline script or style, nothing from elsewhere, no framing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.console.asset.service import Asset
from services.console.visits import Visit
from services.console.wording import Wording, figure_of, moment_of
from shared.web.site import HEADERS, LANGUAGES, templates
from shared.web.texts import LANGUAGE_TAGS

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self' {issuer}",  # what a form leads to may lead on to signing in or out
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {**HEADERS, "Referrer-Policy": "same-origin"}
NAVIGATION = (
    ("start", "/", None),
    ("live", "/entries/live", "entry.read"),
    ("entries", "/entries", "entry.read"),
    ("customers", "/customers", "customer.read"),
    ("submissions", "/submissions", "submission.read"),
    ("inbox", "/inbox", "inbox.read"),
    ("people", "/people", "staff.read"),
    ("why", "/why", "authority.explain"),
    ("dead_letters", "/dead-letters", "dead_letter.read"),
)
"""Key of the text, address, and the action without which a page is of no use."""


class Pages:
    """`labels`: {zh, en} by code of an item or indicator; `indicators`: item by indicator that shows its value.

    `issuer` is the origin of the sign-in service, `account_url` its page for a person's own account.
    """

    def __init__(
        self,
        assets: Mapping[str, Asset],
        labels: Mapping[str, Any],
        indicators: Mapping[str, str],
        *,
        issuer: str,
        account_url: str | None,
    ) -> None:
        self._headers = {"Content-Security-Policy": _POLICY.format(issuer=issuer), **_HEADERS}
        self._labels = labels
        self._wordings = {language: Wording(language) for language in LANGUAGES}
        self._templates = templates(Path(__file__).parent / "templates")
        self._templates.globals.update(
            assets=assets,
            navigation=NAVIGATION,
            account_url=account_url,
            indicators=indicators,
        )
        self._templates.filters.update(moment=moment_of, segment=_segment, figure=figure_of)

    def answer(self, visit: Visit, template: str, /, status: int = 200, **content: Any) -> Response:
        """The page."""
        response = HTMLResponse(self.render(visit, template, **content), status, self._headers)
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
            item_label=lambda code: wording.label(self._labels.get(code)) or wording.term("person", code),
            **content,
        )

    def redirect(self, address: str) -> Response:
        """On to a page of this site, or to the issuer, by GET."""
        return RedirectResponse(address, 303, self._headers)


def _segment(text: object) -> str:
    """Safe as one part of a path."""
    return quote(str(text), safe="")
