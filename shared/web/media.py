"""What kind of body a request has. Called by doors that read forms themselves."""

from __future__ import annotations

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.errors import Fault, Malformed

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_MOST_FIELDS = 100
_UTF8 = (b"utf-8", b"utf8")


def media_of(request: Request, default: str = "") -> str:
    """The media type, without parameters, in lower case.

    Raises: Malformed (bad_charset), if its text is not UTF-8: other codecs of Python decode to what no text may hold,
    or to nothing at all
    """
    media, parameters = parse_options_header(request.headers.get("content-type", default))
    charset = parameters.get(b"charset", _UTF8[0])
    if charset.lower() not in _UTF8:
        seen = charset[:40].decode("latin-1")
        fault = Fault("header:Content-Type", "bad_charset", seen, "utf-8")
        raise Malformed("bad_charset", "Text is sent as UTF-8.", [fault])
    return media.strip().lower().decode("latin-1")


async def own_form(request: Request) -> FormData:
    """The fields of a form as pages of ours send it; none of any other. Raises: Malformed (bad_charset)"""
    if media_of(request) != FORM:
        return FormData()
    try:
        return await request.form(max_fields=_MOST_FIELDS)
    except HTTPException:
        return FormData()
