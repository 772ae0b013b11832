"""Reads what apps and client systems send to the OAuth endpoints, and says no in the words of RFC 6749 §5.2."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from shared.web.media import FORM

_MOST = 40


class Refused(Exception):
    """A request that cannot be read."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


def read_form(content_type: str, body: bytes, authorization: str | None, needed: str) -> list[tuple[str, str]]:
    """The parameters of a form, each once, `needed` among them. Raises: Refused"""
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise Refused("invalid_request", f"send {FORM}")
    pairs = read_parameters(body)
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused("invalid_request", "a parameter stands twice")
    if needed not in dict(pairs):
        raise Refused("invalid_request", f"{needed} is missing")
    if authorization and "client_secret" in dict(pairs):
        raise Refused("invalid_request", "authenticate either by header or by form, not by both")
    return pairs


def read_parameters(raw: bytes) -> list[tuple[str, str]]:
    """The parameters of an address or a form in order, repeated ones too. Raises: Refused"""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "the parameters cannot be read") from None
    if any("\0" in part for pair in pairs for part in pair):
        raise Refused("invalid_request", "a parameter holds a NUL character")
    return pairs


def openapi(required: Sequence[str], optional: Sequence[str]) -> dict[str, Any]:
    """The body of such a request for the OpenAPI document."""
    secrets = {"client_secret", "token", "code", "refresh_token", "code_verifier"}
    properties = {
        name: {"type": "string", **({"format": "password"} if name in secrets else {})}
        for name in (*required, *optional)
    }
    schema = {"type": "object", "required": list(required), "properties": properties}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}
