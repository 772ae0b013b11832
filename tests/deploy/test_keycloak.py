"""Keycloak's realm file says what the declared measures say, opens nothing more, and holds no secret."""

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.settings_table import settings_of
from kehu.plan import PROJECT, SERVICES
from shared.clock import day_of, now
from shared.regime import Clock, Regimes, Role, load
from shared.settings import PLACEHOLDER, ServiceSettings
from tests.factories.deployment import CONTAINERS, DEPLOY, env_file, fill_in
from tests.factories.keycloak import REALM, SECRETS, VERSION, KeycloakFailed, verify

TEXT: Final = REALM.read_text(encoding="utf-8")
KEHU: Final[dict[str, Any]] = json.loads(TEXT)
CLIENTS: Final = {each["clientId"]: each for each in KEHU["clients"]}
TEMPLATE: Final = env_file(DEPLOY / "env" / "keycloak.env")
TODAY: Final = day_of(now())
TRUST: Final = DEPLOY / "keycloak" / "trust.sh"
BELIEVERS: Final = sorted(set(SERVICES) - {"identity"})


@pytest.fixture(scope="module")
def regimes() -> Regimes:
    return load(PROJECT / "regimes")


def test_the_image_is_of_the_version_that_the_journey_runs() -> None:
    recipe = (DEPLOY / "keycloak" / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\S+)", recipe, re.M)) == {f"keycloak/keycloak:{VERSION}"}
    assert CONTAINERS["keycloak"]["image"] == f"kehu-keycloak:{VERSION}"
    assert f"USER {CONTAINERS['keycloak']['user']}" in recipe
    assert json.loads(re.search(r"^CMD (.*)$", recipe, re.M)[1]) == CONTAINERS["keycloak"]["command"]


def test_a_distribution_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    other = tmp_path / f"keycloak-quarkus-dist-{VERSION}.zip"
    other.write_bytes(b"something else")
    with pytest.raises(KeycloakFailed, match="not the known Keycloak"):
        verify(other)


def test_the_realm_has_the_declared_roles(regimes: Regimes) -> None:
    assert [each["name"] for each in KEHU["roles"]["realm"]] == sorted(role.id for role in regimes.all(Role, on=TODAY))


@pytest.mark.req("R4.5")
def test_passwords_sessions_and_locks_follow_the_declared_terms(regimes: Regimes) -> None:
    clock = regimes.get(Clock, "access", on=TODAY)
    seconds = {
        "ssoSessionIdleTimeout": clock.term("session_idle"),
        "ssoSessionMaxLifespan": clock.term("session_absolute"),
        "accessCodeLifespan": clock.term("authorization_code"),
        "waitIncrementSeconds": clock.term("lock_longest"),  # its wait does not double, but grows by this each time
        "maxFailureWaitSeconds": clock.term("lock_longest"),
        "maxDeltaTimeSeconds": clock.term("failures_forgotten"),
    }
    assert {name: timedelta(seconds=KEHU[name]) for name in seconds} == seconds
    assert KEHU["failureFactor"] == clock.count("free_failures_of_name")
    policy = dict(re.findall(r"(\w+)\((\w+)\)", KEHU["passwordPolicy"]))
    assert int(policy["length"]) == clock.count("password_length")
    assert int(policy["passwordHistory"]) == clock.count("password_history")
    assert timedelta(days=int(policy["forceExpiredPasswordChange"])) == clock.term("password_rotation")
    kinds = {"upperCase", "lowerCase", "digits", "specialChars"} & policy.keys()
    assert len(kinds) >= clock.count("password_classes")
    assert (KEHU["bruteForceProtected"], KEHU["revokeRefreshToken"], KEHU["refreshTokenMaxReuse"]) == (True, True, 0)


def test_people_and_partners_are_those_of_the_sample() -> None:
    sample = yaml.safe_load((PROJECT / "kehu" / "sample" / "directory.yaml").read_text(encoding="utf-8"))
    expected = {each["name"]: (each["roles"], each["unit"]) for each in sample["people"] + sample["clients"]}
    ours = {f"{name}-service": (["peer_service"], "company") for name in BELIEVERS}
    seen = {each["username"]: (each["realmRoles"], *each["attributes"]["unit"]) for each in KEHU["users"]}
    assert seen == expected | ours


def test_no_secret_stands_in_the_realm_file_and_each_has_its_placeholder() -> None:
    assert not [each["username"] for each in KEHU["users"] if "credentials" in each]
    confidential = {name for name, each in CLIENTS.items() if not each["publicClient"]}
    assert all(SECRETS.fullmatch(CLIENTS[name]["secret"]) for name in confidential)
    assert not [name for name in CLIENTS.keys() - confidential if "secret" in CLIENTS[name]]
    wanted = SECRETS.findall(TEXT)
    assert len(set(wanted)) == len(wanted) == len(confidential)
    assert all(PLACEHOLDER in TEMPLATE[name] for name in [*wanted, "KC_DB_PASSWORD", "KC_BOOTSTRAP_ADMIN_PASSWORD"])


def test_people_sign_in_by_code_and_programs_by_their_own_secret() -> None:
    for name, client in CLIENTS.items():
        assert client["directAccessGrantsEnabled"] is False
        assert (
            client["standardFlowEnabled"] is client["publicClient"] is not client.get("serviceAccountsEnabled", False)
        )
        if client["publicClient"]:
            assert client["attributes"]["pkce.code.challenge.method"] == "S256"
            assert not [each for each in client["redirectUris"] if each.startswith("*")]
            assert "oauth2.device.authorization.grant.enabled" not in client["attributes"]
        else:
            (account,) = [each for each in KEHU["users"] if each.get("serviceAccountClientId") == name]
            assert account["username"] == name  # by which services know that a program asks for itself


def test_people_are_sent_back_to_two_pages_of_the_console_and_to_none_besides() -> None:
    site = "${KEYCLOAK_CONSOLE_URL:http://127.0.0.1:8100}"
    console = CLIENTS["console"]
    assert console["redirectUris"] == [f"{site}/sign-in/callback"]
    assert console["attributes"]["post.logout.redirect.uris"] == f"{site}/signed-out"


def test_nobody_can_change_what_grants_them_something() -> None:
    (profiles,) = KEHU["components"].values()
    (written,) = profiles[0]["config"]["kc.user.profile.config"]
    attributes = json.loads(written)["attributes"]
    assert {each["name"] for each in attributes} >= {"username", "unit"}
    assert all(each["permissions"]["edit"] == ["admin"] for each in attributes)
    assert (KEHU["registrationAllowed"], KEHU["editUsernameAllowed"]) == (False, False)


def test_trusting_keycloak_takes_one_command_that_names_claims_of_the_realm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "env"
    assert fill_in(folder).returncode == 0
    subprocess.run([TRUST, folder], check=True, timeout=30)
    told = env_file(folder / "keycloak.env")
    (scope,) = KEHU["clientScopes"]
    claims = {each["config"].get("claim.name") for each in scope["protocolMappers"]}
    audiences = {each["config"].get("included.custom.audience") for each in scope["protocolMappers"]}
    for name in BELIEVERS:
        for key, value in env_file(folder / f"{name}.env").items():
            monkeypatch.setenv(key, value)
        settings: ServiceSettings = settings_of(name)()
        assert settings.issuer == f"{TEMPLATE['KC_HOSTNAME']}/realms/kehu"
        assert settings.service_client in CLIENTS
        assert settings.service_secret.get_secret_value() == told[f"KEYCLOAK_{name.upper()}_SERVICE_SECRET"]
        assert {settings.claim_name, settings.claim_roles, settings.claim_unit, settings.claim_client} <= claims
        assert settings.audience in audiences


def test_browsers_and_services_reach_keycloak_by_the_same_address() -> None:
    address = urlsplit(TEMPLATE["KC_HOSTNAME"])
    assert CONTAINERS["keycloak"]["networks"]["inner"]["aliases"] == [address.hostname]
    assert CONTAINERS["keycloak"]["ports"] == [f"127.0.0.1:{address.port}:{address.port}"]
    assert TEMPLATE["KC_HTTP_PORT"] == str(address.port)
    assert address.hostname.endswith(".localhost")  # which browsers look for on their own machine


def test_databases_and_keycloak_are_told_the_same_password(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    assert fill_in(folder).returncode == 0
    told = env_file(folder / "keycloak.env")
    assert told["KC_DB_PASSWORD"] == env_file(folder / "postgres.env")["KEYCLOAK_PASSWORD"]
    assert told["KC_DB_URL"].endswith(f":5432/{told['KC_DB_USERNAME']}")
