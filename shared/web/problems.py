"""RFC 9457 problem documents for everything that goes wrong, in the caller's language, all faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared.errors import Fault, Invalid, KehuError, Malformed, UnsupportedMedia
from shared.telemetry import log
from shared.yamls import plain

MEDIA_TYPE = "application/problem+json"
_SEEN_LIMIT = 120
_SECRETS = frozenset({"password", "new_password", "secret"})  # never repeated, not even to who sent them
_HTTP_CODES = {404: "no_such_route", 405: "method_not_allowed", 406: "not_acceptable"}


class Problem(BaseModel):
    """The shape of a problem document (RFC 9457), for the OpenAPI pages."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    instance: str | None = None
    errors: list[dict[str, Any]] = []


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Title (zh, en) and Chinese detail of each problem code."""
    loaded: dict[str, dict[str, str]] = plain((files("shared.web") / "problems.yaml").read_text("utf-8"))
    return loaded


def prefers_chinese(accept_language: str | None) -> bool:
    """Whether zh comes before en in an Accept-Language header; English when neither is named."""
    best, chinese = 0.0, False
    for part in (accept_language or "").split(","):
        tag, _, weight = part.strip().lower().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > best and tag[:2] in ("zh", "en"):
            best, chinese = quality, tag.startswith("zh")
    return chinese


def render(request: Request, error: KehuError) -> Response:
    """The answer to a refusal."""
    text = texts().get(error.code, {})
    chinese = prefers_chinese(request.headers.get("accept-language"))
    title = text.get("zh" if chinese else "en") or error.code.replace("_", " ").capitalize()
    body: dict[str, Any] = {
        "type": f"urn:kehu:problem:{error.code}",
        "title": title,
        "status": error.status,
        "code": error.code,
        "detail": (text.get("detail_zh") if chinese else None) or error.detail or title,
        "instance": request.url.path,
        "errors": [_spoken(fault, "zh" if chinese else "en") for fault in error.faults],
        **error.members,
    }
    headers = {**error.headers, "Content-Language": "zh-CN" if chinese else "en"}
    return Response(orjson.dumps(body, default=str), error.status, headers, MEDIA_TYPE)


def _spoken(fault: Fault, language: str) -> dict[str, Any]:
    """A fault as it is told; what a declared rule expects is written in both languages."""
    told = fault.as_dict()
    if isinstance(told["expected"], Mapping) and told["expected"].keys() == {"zh", "en"}:
        told["expected"] = told["expected"][language]
    return told


class _Unexpected(KehuError):
    status = 500


class _HttpRefusal(KehuError):
    """A refusal of the framework itself (no such route, wrong method)."""

    def __init__(self, error: HTTPException) -> None:
        code = _HTTP_CODES.get(error.status_code, "http_error")
        super().__init__(code, str(error.detail), headers=error.headers or {})
        self.status = error.status_code  # type: ignore[misc]


def unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours: logged with its trace, answered without any detail."""
    route = request.scope.get("kehu.route")
    log(part="web").error("unexpected_error", error=type(error).__name__, route=route, exc_info=error)
    return render(request, _Unexpected("internal_error", "Something failed on our side; it was logged."))


def http_refusal(request: Request, error: HTTPException) -> Response:
    """The framework's own refusals in our shape; one of ours that it met while reading the body, as it was."""
    if isinstance(error.__cause__, KehuError):
        return render(request, error.__cause__)
    return render(request, _HttpRefusal(error))


def validation_refusal(request: Request, error: RequestValidationError) -> Response:
    """The request's shape is wrong: 400 if it is not JSON at all, 415 if it does not say that it is, else 422."""
    found = error.errors()
    if any(isinstance(each.get("input"), bytes) for each in found):  # FastAPI parses what is called JSON only
        return render(request, _not_called_json(request.headers.get("content-type", "")))
    if any(each["type"] == "json_invalid" for each in found):
        where = next(each["loc"][-1] for each in found if each["type"] == "json_invalid")
        fault = Fault("", "not_json", f"byte {where}", "a JSON document (RFC 8259)")
        return render(request, Malformed("not_json", "The body is not valid JSON.", [fault]))
    return render(request, Invalid("invalid_request", "Correct the values named in errors.", list(faults_of(found))))


def _not_called_json(media: str) -> UnsupportedMedia:
    fault = Fault("header:Content-Type", "unsupported_media", media[:_SEEN_LIMIT], "application/json")
    return UnsupportedMedia("unsupported_media", "Send application/json.", [fault])


def faults_of(found: Iterable[Mapping[str, Any]]) -> Iterable[Fault]:
    """Pydantic's findings as faults."""
    for each in found:
        seen = each.get("input")
        shown = seen if isinstance(seen, int | float | bool | None) else str(seen)[:_SEEN_LIMIT]
        if _SECRETS.intersection(each["loc"]):
            shown = None
        yield Fault(pointer(each["loc"]), each["type"], None if each["type"] == "missing" else shown, each["msg"])


def pointer(loc: Iterable[Any]) -> str:
    """A JSON pointer for body members; `query:name`, `path:name`, `header:name` for the rest."""
    place, *rest = list(loc) or ["body"]
    if place == "body":
        return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in rest)
    return f"{place}:{'/'.join(map(str, rest))}"


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that can be refused with these statuses."""
    return {status: {"model": Problem, "content": {MEDIA_TYPE: {}}} for status in statuses}
