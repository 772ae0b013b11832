"""Spans reach a collector when its address is set; logs say where an error arose and never what it said."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[2]
_TRACED = """
import sys
from shared import telemetry
telemetry.configure("customer", "api", "INFO", sys.argv[1] or None)
with telemetry.span("change", parent=sys.argv[2]):
    telemetry.log(part="test").info("traced", customer="id-1")
    try:
        raise ValueError("a name that nobody may read")
    except ValueError as error:
        telemetry.log(part="test").error("failed", exc_info=error)
"""
_TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
_PARENT = f"00-{_TRACE_ID}-b7ad6b7169203331-01"


def _run(endpoint: str) -> list[dict[str, object]]:
    command = [sys.executable, "-c", _TRACED, endpoint, _PARENT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return [orjson.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.req("R15.4")
def test_spans_are_exported_to_the_collector_that_is_set() -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        _run(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
    ((path, body),) = received
    assert path == "/v1/traces"
    assert bytes.fromhex(_TRACE_ID) in body
    assert b"kehu-customer" in body


@pytest.mark.req("R15.4")
def test_log_lines_carry_the_trace_and_places_of_errors_but_no_error_text() -> None:
    traced, failed = _run("")
    assert (traced["event"], traced["trace_id"], traced["service"]) == ("traced", _TRACE_ID, "customer")
    assert failed["frames"][0] == "ValueError"
    assert "nobody may read" not in orjson.dumps(failed).decode()
