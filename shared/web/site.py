"""What the sites for people have in common (sign-in, console): language, forms of this browser, addresses, headers.

Strict: nothing foreign is shown, framed or led to.
"""

from __future__ import annotations

import hmac
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from shared.web.problems import prefers_chinese

LANGUAGES = ("zh", "en")
LANGUAGE_COOKIE = "kehu_language"
FORM_FIELD = "form_key"
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}
"""Of every page; a site adds its Content-Security-Policy and Referrer-Policy."""
_LOCAL = re.compile(r"/(?:[^/\\\x00-\x20\x7f][^\\\x00-\x20\x7f]*)?")
_LONGEST = 2000


def form_key(secret: str) -> str:
    """What each form of this browser carries: another site can neither read nor guess it. `secret`: of its cookie."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), b"form", "sha256").hex()


def is_own_form(secret: str, given: object) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), form_key(secret).encode())


def local_path(given: str | None, start: str = "/") -> str:
    """The address to go on to, if it is one of this site; else where the site starts."""
    return given if given and len(given) <= _LONGEST and _LOCAL.fullmatch(given) else start


def page_of(referer: str) -> str:
    """The page of this site that a form was on, as the browser says; else the start page."""
    try:
        parts = urlsplit(referer)
    except ValueError:
        return "/"
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def path_of(request: Request) -> str:
    """The address of this page within the site."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def with_query(path: str, **query: Any) -> str:
    """An address; values of None or "" are left out."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given, quote_via=quote)}" if given else path


def language_of(request: Request) -> str:
    """The language that was chosen, else the one that the browser prefers."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return "zh" if prefers_chinese(request.headers.get("accept-language")) else "en"


def templates(folder: Path) -> Environment:
    """The templates of a site: everything escaped, nothing that is not given."""
    found = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(languages=LANGUAGES, form_field=FORM_FIELD, with_query=with_query)
    return found
