"""Env files, settings classes and the script that fills in secrets agree: nothing unknown, nothing missing."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from deploy.settings_table import settings_of
from kehu.plan import SERVICES
from services.identity.account.rules import Policy, faults_of
from services.identity.directory import document
from shared import clock
from shared.regime import Clock
from shared.regime import load as load_regimes
from shared.settings import PLACEHOLDER, ServiceSettings, load
from tests.factories.deployment import DEPLOY, env_file, fill_in

TEMPLATES = DEPLOY / "env"
NAMED = re.compile(r"^#?([A-Z]+_[A-Z0-9_]+)=(.*)$", re.M)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation") / "env"
    assert fill_in(folder).returncode == 0
    return folder


@pytest.mark.parametrize("name", SERVICES)
def test_an_env_file_names_exactly_the_variables_that_its_service_knows(name: str) -> None:
    named = [found[0] for found in NAMED.findall((TEMPLATES / f"{name}.env").read_text(encoding="utf-8"))]
    assert sorted(named) == sorted(f"{name}_{field}".upper() for field in settings_of(name).model_fields)


@pytest.mark.parametrize("name", SERVICES)
def test_lines_left_out_show_the_defaults(name: str, monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    shown = dict(NAMED.findall((TEMPLATES / f"{name}.env").read_text(encoding="utf-8")))
    given = env_file(filled / f"{name}.env")
    without = _settings(name, given, monkeypatch)
    assert _settings(name, {**shown, **given}, monkeypatch) == without


@pytest.mark.parametrize("name", SERVICES)
def test_a_filled_in_file_is_all_that_a_service_needs(name: str, monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    settings = _settings(name, env_file(filled / f"{name}.env"), monkeypatch)
    assert (settings.bus, settings.host) == ("kafka", "0.0.0.0")


@pytest.mark.parametrize("name", SERVICES)
def test_a_placeholder_is_refused_at_start_by_the_name_of_its_variable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = env_file(TEMPLATES / f"{name}.env")
    with pytest.raises(SystemExit) as refusal:
        _settings(name, given, monkeypatch)
    lines = str(refusal.value).splitlines()
    refused = {line.partition(":")[0].strip() for line in lines if "still holds the placeholder" in line}
    assert refused == {key for key, value in given.items() if PLACEHOLDER in value}
    assert not [key for key in refused if given[key] in str(refusal.value)]


def test_every_secret_of_a_service_is_a_placeholder_in_the_repository() -> None:
    for name in SERVICES:
        given = env_file(TEMPLATES / f"{name}.env")
        fields = settings_of(name).model_fields.items()
        secret = {f"{name}_{field}".upper() for field, info in fields if info.annotation is SecretStr}
        known = {key for key in secret if PLACEHOLDER not in given[key]}
        assert known == {f"{name.upper()}_BUS_URL"}  # an address of Kafka


def test_filling_in_leaves_no_placeholder_and_makes_every_secret_different(filled: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in filled.iterdir()}
    assert texts.keys() == {path.name for path in TEMPLATES.iterdir()}
    assert not [name for name, text in texts.items() if PLACEHOLDER in text]
    passwords = env_file(filled / "postgres.env")
    assert len(set(passwords.values())) == len(passwords)
    keys = [env_file(filled / f"{name}.env")[f"{name.upper()}_KEK"] for name in ("customer", "identity", "reporting")]
    assert len(set(keys)) == len(keys)


def test_a_password_that_was_filled_in_is_one_that_people_may_have(filled: Path) -> None:
    terms = load_regimes(DEPLOY.parent / "regimes").get(Clock, "access", on=clock.now().date())
    policy = Policy(*(terms.count(f"password_{each}") for each in ("length", "classes", "history")))
    people = document.read(filled / "directory.yaml").people
    assert people
    for person in people:
        assert person.password is not None
        assert faults_of(person.password.get_secret_value(), person.name, policy) == []


def test_services_and_postgres_are_told_the_same_passwords(filled: Path) -> None:
    passwords = env_file(filled / "postgres.env")
    for name in SERVICES:
        url = urlsplit(env_file(filled / f"{name}.env")[f"{name.upper()}_DATABASE_URL"])
        assert url.password == passwords[f"{name.upper()}_PASSWORD"]
        assert (url.scheme, url.username, url.path) == ("postgresql", name, f"/{name}")


def test_the_directory_is_one_that_identity_accepts(filled: Path) -> None:
    directory = document.read(filled / "directory.yaml")
    first = {"admin": ("admin",), "security": ("security_officer",)}
    assert {each.name: each.role_names for each in directory.people} == first


def test_secrets_are_private_and_never_replaced(filled: Path) -> None:
    assert stat.S_IMODE(filled.stat().st_mode) == 0o700
    open_files = [path.name for path in filled.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_files == ["directory.yaml"]
    before = (filled / "customer.env").read_bytes()
    again = fill_in(filled)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert (filled / "customer.env").read_bytes() == before


def _settings(name: str, given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    """What the service reads from just these variables."""
    with monkeypatch.context() as patch:
        for field in settings_of(name).model_fields:
            patch.delenv(f"{name}_{field}".upper(), raising=False)
        for key, value in given.items():
            patch.setenv(key, value)
        return load(settings_of(name))
