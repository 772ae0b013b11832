"""The plan tells every service what its settings ask for, and nothing is made twice."""

import importlib
import stat
from pathlib import Path

import pytest

from kehu.data import DataDirectory
from kehu.failure import SuiteFailed
from kehu.plan import PROJECT, SERVICES, Plan
from kehu.programs import Watched
from kehu.sample.directory import sign_in, sign_ins, write_directory
from kehu.vault import Vault
from services.identity.account.rules import Policy, faults_of
from services.identity.directory.document import read
from shared import clock
from shared.regime import Clock, load
from shared.settings import ServiceSettings


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    data = DataDirectory(tmp_path / "data")
    with data.held():
        yield data


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_without_a_default_is_given(
    data: DataDirectory, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(data, port_base=9000)
    for variable, value in plan.environment(name, "postgresql://own", "postgresql://bus").items():
        monkeypatch.setenv(variable, value)
    module = importlib.import_module(f"services.{name}.app")
    settings: ServiceSettings = module.SERVICE.settings()
    assert (settings.port, settings.worker_port) == (plan.port(name), plan.port(name, "worker"))
    assert settings.issuer == "http://127.0.0.1:9005"
    known = {f"{name}_{field}".upper() for field in module.SERVICE.settings.model_fields}
    assert set(plan.environment(name, "", "")) <= known


def test_no_two_processes_share_a_port(data: DataDirectory) -> None:
    plan = Plan(data)
    assert len(plan.ports()) == len(list(plan.roles()))
    assert plan.url("console") == "http://127.0.0.1:8100"


def test_an_unknown_service_is_refused(data: DataDirectory) -> None:
    with pytest.raises(SuiteFailed, match="No such service: nobody"):
        Plan(data, services=("audit", "nobody"))


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, second = Vault(tmp_path).key("a"), Vault(tmp_path).key("a")
    assert first == second != Vault(tmp_path).key("b")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert first.get_secret_value() not in repr(first)


def test_identity_reads_the_sample_directory_and_its_roles_are_declared(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    write_directory(vault, tmp_path / "directory.json")
    directory = read(tmp_path / "directory.json")
    names = {account.name for account in directory.accounts}
    wanted = {"admin", "gm", "leader", "dept", "manager1", "manager2", "entry", "reviewer", "auditor", "security"}
    assert wanted | {"partner1"} == {each.name for each in sign_ins(vault)}
    assert names == wanted | {"partner1", "audit-service", "console-service", "kehu-cli", "console"}
    regimes, today = load(PROJECT / "regimes"), clock.now().date()
    terms = regimes.get(Clock, "access", on=today)
    policy = Policy(*(terms.count(f"password_{each}") for each in ("length", "classes", "history")))
    for person in directory.people:
        assert person.password is not None
        assert faults_of(person.password.get_secret_value(), person.name, policy) == []
    for account in directory.accounts:
        assert [regimes.role(role, on=today).id for role in account.role_names] == list(account.role_names)


def test_the_console_of_the_sample_is_where_this_suite_has_it(tmp_path: Path) -> None:
    write_directory(Vault(tmp_path), tmp_path / "directory.json", "http://127.0.0.1:9000")
    apps = {each.name: each for each in read(tmp_path / "directory.json").clients}
    assert apps["console"].redirect_uris == ("http://127.0.0.1:9000/sign-in/callback",)
    assert apps["console"].sign_out_uris == ("http://127.0.0.1:9000/signed-out",)
    assert apps["kehu-cli"].redirect_uris == ("http://127.0.0.1/",)


def test_an_unknown_sign_in_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SuiteFailed, match="manager1"):
        sign_in(Vault(tmp_path), "nobody")


class Mayfly:
    """A program that a test ends at will."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.refuses = False

    def start(self) -> None:
        if self.refuses:
            raise SuiteFailed("not today")
        self.pid = 1


def test_pauses_double_up_to_half_a_minute_and_begin_afresh_after_a_good_minute() -> None:
    program = Mayfly()
    watched = Watched("mayfly", program)
    watched.start(0.0)
    at, pauses = 1.0, []
    for _ in range(8):
        program.pid = None
        said = watched.look(at)
        assert said is not None
        pauses.append(float(said.removeprefix("ended; again in ").removesuffix(" s")))
        assert watched.look(at + pauses[-1] - 0.01) is None
        at += pauses[-1]
        assert watched.look(at) == "started again"
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert watched.restarts == 8
    program.pid = None
    assert watched.look(at + 61) == "ended; again in 0.5 s"


def test_a_program_that_cannot_start_is_tried_again() -> None:
    program = Mayfly()
    watched = Watched("mayfly", program)
    watched.start(0.0)
    program.pid, program.refuses = None, True
    watched.look(1.0)
    assert watched.look(1.5) == "cannot start: not today; again in 1 s"
    program.refuses = False
    assert watched.look(2.5) == "started again"
