"""An OpenID issuer of the tests' own: real signed tokens, keys served over HTTP on a free port of loopback.

Services under test trust it by settings alone (`issuer=issuer.url`); it stands for any issuer that is not identity.
"""

import base64
import json
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.fakes.way_in import WayIn

AUDIENCE = "kehu"


class Issuer:
    """`with Issuer() as issuer:` serves until the block ends; `issuer.down = True` answers 503 instead."""

    def __init__(self) -> None:
        self.keys: list[ECKey] = []
        self.down = False
        self.fetches = 0
        self.rotate()
        self.way_in = self.fresh_way_in()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _answers_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Issuer":
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def rotate(self, *, keep: int = 1) -> ECKey:
        """Sign with a fresh key from now on; `keep` of the former ones stay published."""
        parameters = {"kid": uuid.uuid4().hex, "use": "sig", "alg": "ES256"}
        fresh = ECKey.generate_key("P-256", parameters, private=True)
        self.keys = [fresh, *self.keys[:keep]]
        return fresh

    def fresh_way_in(self) -> WayIn:
        """Signing in as if nobody had before."""
        self.way_in = WayIn(lambda: self.url, self.token, partial(self.sign, kind="JWT"))
        return self.way_in

    def claims(
        self,
        name: str,
        roles: Sequence[str] = (),
        unit: str = "unit-1",
        units: Sequence[str] | None = None,
        **claims: Any,
    ) -> dict[str, Any]:
        """The claims of an ordinary token for an hour; a claim given as None is left out."""
        issued_at = int(time.time())
        ordinary = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": name,
            "iat": issued_at,
            "exp": issued_at + 3600,
            "auth_time": issued_at,
            "jti": uuid.uuid4().hex,
            "name": name,
            "roles": list(roles),
            "unit": unit,
            "units": list(units if units is not None else (unit,)),
        }
        return {claim: value for claim, value in {**ordinary, **claims}.items() if value is not None}

    def token(
        self,
        name: str,
        roles: Sequence[str] = (),
        unit: str = "unit-1",
        units: Sequence[str] | None = None,
        **claims: Any,
    ) -> str:
        """A signed token. `units` are the own and the subordinate ones; a partner's token names its `client_id`."""
        return self.sign(self.claims(name, roles, unit, units, **claims))

    def sign(self, claims: Mapping[str, Any], kind: str | None = "at+jwt") -> str:
        """A token with just these claims, of a kind (`typ`)."""
        key = self.keys[0]
        return jwt.encode({"alg": "ES256", "kid": key.kid}, dict(claims), key, default_type=kind)

    def bearer(
        self,
        name: str,
        roles: Sequence[str] = (),
        unit: str = "unit-1",
        units: Sequence[str] | None = None,
        **claims: Any,
    ) -> dict[str, str]:
        """The same as request headers."""
        return {"Authorization": f"Bearer {self.token(name, roles, unit, units, **claims)}"}

    def document(self, path: str) -> dict[str, Any] | None:
        """What is published at a path."""
        match path:
            case "/.well-known/openid-configuration":
                addresses = {
                    "jwks_uri": f"{self.url}/.well-known/jwks.json",
                    "token_endpoint": f"{self.url}/token",
                    "authorization_endpoint": f"{self.url}/authorize",
                    "end_session_endpoint": f"{self.url}/logout",
                }
                return {"issuer": self.url, **addresses, "authorization_response_iss_parameter_supported": True}
            case "/.well-known/jwks.json":
                self.fetches += 1
                return {"keys": [key.as_dict(private=False) for key in self.keys]}
        return None


def _answers_of(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = dict(parse_qsl(parts.query))
            onward = {"/authorize": issuer.way_in.authorize, "/logout": issuer.way_in.leave}.get(parts.path)
            if onward is not None and not issuer.down:
                self.send_response(302)
                self.send_header("Location", onward(asked))
                self.end_headers()
                return
            found = issuer.document(self.path)
            self._answer(200 if found else 404, found)

        def do_POST(self) -> None:
            """Tokens for people; and for a service of the suite by client credentials, where any secret will do."""
            given = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = dict(parse_qsl(given))
            scheme, _, secret = self.headers.get("Authorization", "").partition(" ")
            name = base64.b64decode(secret).decode().partition(":")[0] if scheme == "Basic" else "nobody"
            if form.get("grant_type") in ("authorization_code", "refresh_token"):
                self._answer(*issuer.way_in.token({"client_id": name, **form}))
                return
            token = issuer.token(name, ["peer_service"], client_id=name)
            self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 900})

        def _answer(self, status: int, body: Any) -> None:
            self.send_response(503 if issuer.down else status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent: the tests' output is theirs."""

    return Answers
