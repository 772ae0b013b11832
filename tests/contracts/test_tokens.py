"""No token but a good one opens any door of a live suite, however it is dressed up."""

import base64
import json
import time

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from kehu.client import SuiteClient
from kehu.code_flow import APP, Form
from kehu.data import DataDirectory
from tests.contracts.test_bad_input import assert_problem
from tests.factories.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.4")]
DOORS = {
    "customer": "/v1/customers",
    "reporting": "/v1/submissions",
    "audit": "/v1/entries",
    "notify": "/v1/inbox",
    "identity": "/v1/me",
}
_PATIENCE_S = 2.0


def parts_of(token: str) -> tuple[dict[str, object], dict[str, object], str]:
    head, claims, signature = token.split(".")
    return _read(head), _read(claims), signature


def _read(part: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def _write(part: dict[str, object] | bytes) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def bad_tokens(live: Live) -> dict[str, str]:
    """A good token of the general manager, spoilt in every way that we know."""
    token = live.token("gm")
    head, claims, signature = parts_of(token)
    mine = ECKey.generate_key("P-256", {"kid": str(head["kid"])})
    published = httpx.get(f"{live.urls['identity']}/.well-known/jwks.json", trust_env=False).json()["keys"][0]
    shared = OctKey.import_key(json.dumps(published).encode())
    past = {**claims, "exp": int(time.time()) - 60, "iat": int(time.time()) - 120}
    return {
        "alg none": f"{_write({'alg': 'none', 'typ': 'JWT'})}.{_write(claims)}.",
        "alg None with the signature": f"{_write({**head, 'alg': 'None'})}.{_write(claims)}.{signature}",
        "HS256 with the public key": jwt.encode({"alg": "HS256", "kid": head["kid"]}, claims, shared),
        "another key under the same name": jwt.encode(dict(head), claims, mine),
        "the key in the token": jwt.encode({**head, "jwk": mine.as_dict(private=False)}, claims, mine),
        "expired": f"{_write(head)}.{_write(past)}.{signature}",
        "another role": f"{_write(head)}.{_write({**claims, 'roles': ['admin', 'auditor']})}.{signature}",
        "no signature": token.rpartition(".")[0] + ".",
        "a short signature": token[:-4],
        "doubled": f"{token}.{token}",
        "not a token": "x",
        "dots": "..",
        "the kid as a path": f"{_write({**head, 'kid': '../../etc/passwd'})}.{_write(claims)}.{signature}",
        "a header that is a list": f"{_write(b'[]')}.{_write(claims)}.{signature}",
        "8 KiB": "a" * 8000,
    }


@pytest.mark.parametrize("service", DOORS)
def test_a_spoilt_token_is_refused(live: Live, bad_tokens: dict[str, str], service: str) -> None:
    good = live.nobody(service).get(DOORS[service], headers={"Authorization": f"Bearer {live.token('gm')}"})
    assert good.status_code in (200, 403)
    for what, token in bad_tokens.items():
        answer = live.nobody(service).get(DOORS[service], headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, what
        assert assert_problem(answer, 401)["code"] == "bad_token"
        assert len(token) < 30 or token[-30:] not in answer.text


@pytest.mark.parametrize("service", DOORS)
@pytest.mark.parametrize("header", ["", "Bearer", "Basic Z206Z20=", "bearer x", "Token x", "\xff"])
def test_without_a_token_the_door_stays_shut(live: Live, service: str, header: str) -> None:
    headers = [("Authorization", header.encode("latin-1"))] if header else []
    answer = live.nobody(service).get(DOORS[service], headers=headers)
    assert assert_problem(answer, 401)["code"] in ("no_token", "bad_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_in_the_address_or_in_a_cookie_is_not_looked_at(live: Live) -> None:
    token = live.token("gm")
    answer = live.nobody("customer").get(
        "/v1/customers", params={"access_token": token}, headers={"Cookie": f"t={token}"}
    )
    assert_problem(answer, 401)


def test_two_authorization_headers_do_not_add_up(live: Live, bad_tokens: dict[str, str]) -> None:
    good, bad = f"Bearer {live.token('auditor')}", f"Bearer {bad_tokens['another role']}"
    answer = live.nobody("customer").post(
        "/v1/customers", json={}, headers=[("Authorization", bad), ("Authorization", good)]
    )
    assert_problem(answer, 401, 403)


def test_a_wrong_password_and_an_unknown_name_look_the_same(live: Live) -> None:
    pages = []
    for name in ("security", "nobody-of-that-name"):
        with httpx.Client(base_url=live.urls["identity"], timeout=30, trust_env=False) as browser:
            form = Form(browser.get("/sign-in").text)
            page = browser.post(form.action, data={**form.fields, "name": name, "password": "wrong"})
        assert page.status_code == 401
        pages.append(page.text.replace(name, "").replace(form.fields["form_key"], ""))
    assert pages[0] == pages[1]


@pytest.mark.timed
@pytest.mark.req("R4.5")
def test_a_token_that_was_taken_back_is_refused_everywhere_within_two_seconds(live: Live) -> None:
    token = SuiteClient(DataDirectory(live.data), "leader").token()
    bearer = {"Authorization": f"Bearer {token}"}
    for service, path in DOORS.items():
        assert live.nobody(service).get(path, headers=bearer).status_code in (200, 403)
    gone = live.nobody("identity").post("/oauth/revoke", data={"token": token, "client_id": APP})
    assert gone.status_code == 200
    since = time.monotonic()
    for service, path in DOORS.items():
        while live.nobody(service).get(path, headers=bearer).status_code != 401:
            assert time.monotonic() - since < _PATIENCE_S, service
            time.sleep(0.05)
