"""The cookies that the console gives browsers: none can be read by scripts, or sent along with a form of another site.

Over https those that matter carry the prefix `__Host-`, so that no neighbouring host can plant one.
"""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

SESSION_COOKIE = "kehu_session"
_FLOW_COOKIE = "kehu_flow_"
_NAMED_BY = 12
_FLOWS_AT_ONCE = 4


class Cookies:
    """`secure`: browsers come by https, and send the cookies nowhere else."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self.session = prefix + SESSION_COOKIE
        self._flow = prefix + _FLOW_COOKIE

    def flow(self, state: str) -> str:
        """Name of the cookie that keeps a sign-in while the person is at the issuer."""
        return self._flow + hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:_NAMED_BY]

    def left_over(self, request: Request) -> list[str]:
        """Sign-ins that were begun and not finished: those that are too many to keep one more."""
        begun = [name for name in request.cookies if name.startswith(self._flow)]
        return begun[: max(0, len(begun) - _FLOWS_AT_ONCE + 1)]

    def set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Until the browser is closed, or for so long."""
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=self._secure, path="/")

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=self._secure)
