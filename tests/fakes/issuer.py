"""An OpenID issuer of the tests' own: real signed tokens, keys served over HTTP on a free port of loopback.

Services under test trust it by settings alone (`issuer=issuer.url`); it stands for any issuer that is not identity.
"""

import json
import threading
import time
import uuid
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

AUDIENCE = "kehu"


class Issuer:
    """`with Issuer() as issuer:` serves until the block ends; `issuer.down = True` answers 503 instead."""

    def __init__(self) -> None:
        self.keys: list[ECKey] = []
        self.down = False
        self.fetches = 0
        self.rotate()
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
        key = self.keys[0]
        return jwt.encode({"alg": "ES256", "kid": key.kid}, self.claims(name, roles, unit, units, **claims), key)

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
                return {"issuer": self.url, "jwks_uri": f"{self.url}/.well-known/jwks.json"}
            case "/.well-known/jwks.json":
                self.fetches += 1
                return {"keys": [key.as_dict(private=False) for key in self.keys]}
        return None


def _answers_of(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = issuer.document(self.path)
            self.send_response(503 if issuer.down else 200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent: the tests' output is theirs."""

    return Answers
