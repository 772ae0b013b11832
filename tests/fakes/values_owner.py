"""Stands for the customer service where it opens sealed values: `POST /v1/values/open`, on a free port of loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class ValuesOwner:
    """Answers for the events in `values` (None: the key is destroyed), or with an error status.

    `altered` members replace those of each answer.
    """

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.values: dict[str, dict[str, Any] | None] = {}
        self.altered: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self.bearers: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _answers_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ValuesOwner":
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _answers_of(owner: ValuesOwner) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["items"]
            owner.asked += asked
            owner.bearers.append(self.headers.get("Authorization", ""))
            known = [each["event_id"] for each in asked if each["event_id"] in owner.values]
            opened = [_opened(each, owner.values[each]) | owner.altered for each in known]
            self.send_response(owner.status if self.path == "/v1/values/open" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"items": opened}).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent: the tests' output is theirs."""

    return Answers


def _opened(event_id: str, values: dict[str, Any] | None) -> dict[str, Any]:
    return {"event_id": event_id, "state": "erased" if values is None else "open", "values": values, "withheld": []}
