"""HTTP to the services of a suite that runs on this machine, signed in as one of its sample people.

Called by the commands; a refusal or a silent service becomes a `SuiteFailed` that says which and why.
"""

from typing import Any

import httpx

from kehu.code_flow import token_of
from kehu.data import DataDirectory
from kehu.failure import SuiteFailed
from kehu.sample.directory import sign_in
from kehu.vault import Vault


class SuiteClient:
    """The running suite of `data`; `who` signs in at the first call."""

    def __init__(self, data: DataDirectory, who: str) -> None:
        self._data = data
        self._who = who
        self._services: dict[str, Any] = data.state()["services"]
        self._token = ""

    @property
    def services(self) -> list[str]:
        return list(self._services)

    def token(self) -> str:
        """An access token of `who`, from the suite's identity service."""
        who = sign_in(Vault(self._data.secrets), self._who)
        secret = who.secret.get_secret_value()
        if who.is_client:
            grant = {"grant_type": "client_credentials"}
            answer = self._send("POST", "identity", "/oauth/token", data=grant, auth=(who.name, secret))
            return str(answer.json()["access_token"])
        url = self._url("identity")
        try:
            return token_of(url, who.name, secret)
        except httpx.HTTPError as problem:
            raise SuiteFailed(f"identity does not answer at {url}: {problem}") from None

    def call(self, method: str, service: str, path: str, **parts: Any) -> httpx.Response:
        """One call with the token; `parts` as for httpx."""
        self._token = self._token or self.token()
        return self._send(method, service, path, headers={"Authorization": f"Bearer {self._token}"}, **parts)

    def _url(self, service: str) -> str:
        if service not in self._services:
            raise SuiteFailed(f"This suite runs without its {service} service.")
        return str(self._services[service]["url"])

    def _send(self, method: str, service: str, path: str, **parts: Any) -> httpx.Response:
        url = self._url(service)
        try:
            with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
                answer = client.request(method, path, **parts)
        except httpx.HTTPError as problem:
            raise SuiteFailed(f"{service} does not answer at {url}: {problem}") from None
        if answer.is_error:
            raise Refused(service, answer)
        return answer


class Refused(SuiteFailed):
    """A service answered with a problem."""

    def __init__(self, service: str, answer: httpx.Response) -> None:
        self.status = answer.status_code
        is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
        problem = answer.json() if is_problem else {}
        text = " ".join(str(problem[key]) for key in ("title", "detail") if key in problem)
        super().__init__(f"{service} refused: {answer.status_code} {text or answer.reason_phrase}")
