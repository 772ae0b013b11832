"""Reads a token request as RFC 6749 spells it, and says no in its words. Used by the routes only."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A client_credentials grant; who asks, and with what secret."""

    client_id: str
    secret: str = field(repr=False)


class Refused(Exception):
    """An error of RFC 6749 §5.2; `by_header` if the client used the Authorization header."""

    def __init__(self, error: str, description: str, *, status: int = 400, by_header: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.by_header = by_header


def read(content_type: str, body: bytes, authorization: str | None) -> ClientRequest:
    """The grant. Raises: Refused"""
    form = _form(content_type, body)
    grant = form.get("grant_type")
    if grant is None:
        raise Refused("invalid_request", "grant_type is missing")
    if grant != "client_credentials":
        raise Refused("unsupported_grant_type", "only client_credentials is offered")
    if form.get("scope"):
        raise Refused("invalid_scope", "what a client may do is set by its roles; ask without scope")
    if authorization is None:
        client_id, secret = form.get("client_id"), form.get("client_secret")
        if not client_id or not secret:
            raise Refused("invalid_client", "send client_id and client_secret", status=401)
        return ClientRequest(client_id, secret)
    if "client_secret" in form:
        raise Refused("invalid_request", "authenticate either by header or by form, not by both")
    request = _basic(authorization)
    if form.get("client_id", request.client_id) != request.client_id:
        raise Refused("invalid_request", "header and form name different clients")
    return request


def _form(content_type: str, body: bytes) -> Mapping[str, str]:
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise Refused("invalid_request", f"send {_FORM}")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "the form cannot be read") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refused("invalid_request", "a parameter stands twice")
    return form


def _basic(authorization: str) -> ClientRequest:
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise Refused("invalid_client", "the Authorization header is not HTTP Basic", status=401, by_header=True)
    return ClientRequest(unquote_plus(client_id), unquote_plus(secret))


def openapi() -> dict[str, Any]:
    """The request body for the OpenAPI document."""
    properties = {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string", "format": "password"},
    }
    schema = {"type": "object", "required": ["grant_type"], "properties": properties}
    return {"requestBody": {"required": True, "content": {_FORM: {"schema": schema}}}}
