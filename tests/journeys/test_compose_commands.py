"""The compose file does the main job: its very commands, as processes, on PostgreSQL over TCP and a real Kafka."""

import base64
from collections.abc import Iterator
from functools import cache
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kehu.code_flow import token_of
from kehu.data import write_private
from kehu.postgres import PostgresServer
from kehu.sample.directory import sign_in, write_directory
from kehu.vault import Vault
from tests.factories import proofs
from tests.factories.deployment import PROCESSES, Deployment, env_file
from tests.factories.live import Live, until
from tests.factories.ports import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.kafka]


class Deployed(Live):
    """The deployed suite, whose directory file lists the sample people."""

    def __init__(self, deployment: Deployment, vault: Vault) -> None:
        self.deployment = deployment
        self.urls = {name.removesuffix("-api"): deployment.url(name) for name in PROCESSES if name.endswith("-api")}
        self._vault = vault
        self.token = cache(self._token)
        self.as_ = cache(self._as)

    def _token(self, name: str) -> str:
        """By the sign-in page, or by client credentials for a partner's system."""
        who = sign_in(self._vault, name)
        secret = who.secret.get_secret_value()
        if not who.is_client:
            return token_of(self.urls["identity"], name, secret)
        with httpx.Client(base_url=self.urls["identity"], timeout=30, trust_env=False) as client:
            answer = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(name, secret))
        assert answer.is_success, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    [port] = free_ports(1)
    server = PostgresServer(tmp_path_factory.mktemp("server") / "postgres", port=port, fsync=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def deployed(server: PostgresServer, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    directory = tmp_path_factory.mktemp("deployment")
    deployment = Deployment(directory, server, kafka, f"compose-{uuid4().hex[:12]}")
    secrets = directory / "secrets"
    secrets.mkdir(mode=0o700)
    vault = Vault(secrets)
    own = env_file(deployment.env / "audit.env")["AUDIT_SERVICE_SECRET"]
    write_private(secrets / "sign-in-audit-service", own)  # the vault keeps what it finds: what audit was deployed with
    write_directory(vault, deployment.env / "directory.yaml")
    yield Deployed(deployment, vault)
    deployment.stop()


@pytest.fixture
def running(deployed: Deployed) -> Deployed:
    """Up; a test that stops it leaves the next one to start it again."""
    deployed.deployment.up()
    return deployed


@pytest.mark.req("R0.1")
def test_a_change_is_audited_with_a_proof_graded_and_told(running: Deployed) -> None:
    customer = running.register(credit_level="D")["id"]
    before = running.grade(customer, 1)["grade"]
    running.change(customer, 1, credit_level="A")
    entry = running.entry(customer, "customer.changed", 2)
    assert entry["data"]["values"] == {"credit_level": {"before": "D", "after": "A"}}
    assert _is_proved(running, entry["index"], entry["leaf_hash"])
    assert not _is_proved(running, entry["index"], running.entries(limit=1)[0]["leaf_hash"])
    assert running.grade(customer, 2)["grade"] != before
    told = until(lambda: [each for each in running.inbox("manager1", f"customer/{customer}") if before in str(each)])
    assert len({each["id"] for each in told}) == len(told)


@pytest.mark.req("R0.4")
def test_a_partners_system_gets_in_by_client_credentials(running: Deployed) -> None:
    assert running.as_("partner1", "reporting").get("/v1/reports").status_code == 200
    assert running.as_("partner1", "customer").get("/v1/customers").status_code == 403


@pytest.mark.req("R15.4")
def test_the_console_serves_its_sign_in_page(running: Deployed) -> None:
    answer = httpx.get(running.urls["console"], follow_redirects=True, timeout=30, trust_env=False)
    assert answer.status_code == 200
    assert "html" in answer.headers["content-type"]


def test_roles_have_scram_passwords_and_repeating_the_jobs_harms_nothing(
    running: Deployed, server: PostgresServer
) -> None:
    roles = "FROM pg_authid WHERE rolcanlogin AND rolname NOT IN ('postgres')"
    assert server.execute(f"SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%') {roles}") == "t"
    assert server.execute(f"SELECT string_agg(rolname, ' ' ORDER BY rolname) {roles}") == (
        "audit console customer identity keycloak notify reporting"
    )
    customer = running.register()["id"]
    for job in ("databases", "customer-migrate"):
        running.deployment.complete(job)
    assert running.as_("dept").get(f"/v1/customers/{customer}").status_code == 200


@pytest.mark.req("R15.4")
def test_each_process_ends_within_its_grace_period_and_its_health_check_notices(running: Deployed) -> None:
    codes = running.deployment.stop()
    assert codes == dict.fromkeys(PROCESSES, 0)
    assert not any(running.deployment.is_healthy(name) for name in ("customer-api", "audit-worker"))


def _is_proved(deployed: Deployed, index: int, leaf_hash: str) -> bool:
    """Whether an inclusion proof leads from this leaf to a root that the deployment's own key has signed."""
    settings = env_file(deployed.deployment.env / "audit.env")
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings["AUDIT_CHECKPOINT_SEED"])).public_key()
    auditor = deployed.as_("auditor", "audit")

    def newest() -> tuple[int, bytes] | None:
        answer = auditor.get("/log/checkpoint")
        found = proofs.checkpoint_of(answer.text, settings["AUDIT_ORIGIN"], key) if answer.is_success else (0, b"")
        return found if found[0] > index else None

    size, root = until(newest)
    proof = auditor.get(f"/v1/entries/{index}/proof", params={"size": size}).json()
    path = [bytes.fromhex(each) for each in proof["path"]]
    return proofs.root_by_path(index, size, bytes.fromhex(leaf_hash), path) == root
