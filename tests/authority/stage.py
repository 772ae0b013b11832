"""Sets the matrix up beside a running suite: its people in the directory, and one more api of each service.

The additional apis are replicas like any other: same databases, same bus, other ports. Identity's loads a directory
file with the matrix's people, and all of them know two roles more, which may do everything in their own unit and in
their subtree, since most declared roles reach either all units or nothing of a kind.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import psutil
import yaml
from argon2 import PasswordHasher

from kehu.data import DataDirectory
from tests.authority.oracle import ROOT, declared
from tests.factories.live import Live
from tests.factories.ports import free_ports

HERE, ABOVE, BESIDE = "here", "above", "beside"
PLACES = (HERE, ABOVE, BESIDE)
UNITS = {ABOVE: "matrix", HERE: "matrix.here", BESIDE: "matrix.beside"}
PARENTS: dict[str, str | None] = {
    "company": None,
    "matrix": "company",
    "matrix.here": "matrix",
    "matrix.beside": "matrix",
}
PARENTS |= {f"{unit}.closed": unit for unit in UNITS.values()}
"""Below each unit is one where nobody works; it may be closed."""
MADE = {"matrix_own": "own", "matrix_subtree": "subtree"}
PROGRAMS = {"partner_reporter": "partner", "trading_system": "partner", "peer_service": "service"}
"""Roles that programs hold, and the kind of program."""
NOBODY, BYSTANDER, UNDERSTUDY = "nobody", "bystander", "understudy"
"""Who hold no role for a long time yet: one who asks, and two who are asked about."""
SUCCESSOR = "successor"
"""Who can take customers over, and never asks."""
PROGRAM, FORMER_PROGRAM = "program", "former_program"
"""Partners' systems that are asked about; the latter is closed."""
PEER = "peer"
"""A service that asks in the name of others."""
FULL_NAME = "矩阵（虚构）"
FIRST_DAY = "2026-01-05"
_READY_S = 60


def name_of(role: str, place: str) -> str:
    return f"{role}.{place}"


def make_regimes(folder: Path) -> None:
    """Put the declared measures and the made roles into a folder."""
    shutil.copytree(ROOT / "regimes", folder / "regimes")
    grants = [grant for each in declared("resource").values() for grant in _everything(each)]
    action = f"{grants[0]['resource']}.{grants[0]['actions'][0]}"
    for name, units in MADE.items():
        role = {
            "id": name,
            "title": {"zh": "矩阵测试", "en": "Matrix test"},
            "requirement": "R2.2",
            "effective_from": "2025-01-01",
            "owner": "admin",
            "units": units,
            "clearance": "top_secret",
            "above": sorted(declared("role")),
            "grants": grants,
            "examples": [{"action": action, "allowed": True}, {"action": "matrix.print", "allowed": False}],
        }
        (folder / "regimes" / "company" / "role" / f"{name}.yaml").write_text(yaml.safe_dump(role, allow_unicode=True))


def _everything(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Grants of all actions of a resource; of those that know no units over all of them."""
    whole = [name for name, action in resource["actions"].items() if action.get("whole")]
    for units, actions in (({}, [*resource["actions"].keys() - whole]), ({"units": "all"}, whole)):
        if actions:
            yield {"resource": resource["id"], "actions": sorted(actions), **units}


def directory(roles: Iterable[str]) -> dict[str, Any]:
    """The directory file: somebody for each role at each place. Nobody signs in by password."""
    secret = PasswordHasher().hash(token_urlsafe())
    units = [{"id": id, "parent": parent, "title": {"zh": id, "en": id}} for id, parent in PARENTS.items()]
    people: list[dict[str, Any]] = []
    clients: list[dict[str, Any]] = []
    later = [{"role": "admin", "from_on": "2999-01-01"}]
    for place, unit in UNITS.items():
        for role in (NOBODY, BYSTANDER, UNDERSTUDY, SUCCESSOR, *roles):
            if role not in PROGRAMS:
                held = later if role in (NOBODY, BYSTANDER, UNDERSTUDY) else [role]
                held = ["customer_manager"] if role == SUCCESSOR else held
                known = {"name": name_of(role, place), "full_name": FULL_NAME, "unit": unit, "roles": held}
                people.append({**known, "first_day": FIRST_DAY, "password_hash": secret})
        programs = PROGRAMS | dict.fromkeys((PROGRAM, FORMER_PROGRAM), "partner")
        for program, kind in programs.items():
            held = [program if program in PROGRAMS else "partner_reporter"]
            known = {"name": name_of(program, place), "full_name": FULL_NAME, "unit": unit, "roles": held}
            clients.append({**known, "kind": kind, "secret_hash": secret})
    peer = {"name": PEER, "full_name": FULL_NAME, "unit": "company", "roles": ["peer_service"]}
    clients.append({**peer, "kind": "service", "secret_hash": secret})
    return {"units": units, "people": people, "clients": clients}


@contextmanager
def replicas(live: Live, folder: Path) -> Iterator[dict[str, str]]:
    """Start the additional apis with the regimes of `folder`; their addresses by service."""
    file, output, regimes = folder / "directory.json", folder / "replicas.log", folder / "regimes"
    file.write_text(json.dumps(directory(declared("role", folder))))
    environment, urls = dict[str, str](), dict[str, str]()
    state = DataDirectory(live.data).state()["services"]
    for (service, known), port in zip(state.items(), free_ports(len(state)), strict=True):
        environment |= psutil.Process(known["roles"]["api"]["pid"]).environ()
        environment |= {f"{service}_PORT".upper(): str(port), f"{service}_REGIMES_PATH".upper(): str(regimes)}
        urls[service] = f"http://127.0.0.1:{port}"
    environment["IDENTITY_DIRECTORY_FILE"] = str(file)
    with output.open("wb") as log:
        command = [sys.executable, "-m", "tests.authority.replica"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _READY_S
        while not all(map(_is_ready, urls.values())):
            assert process.poll() is None and time.monotonic() < deadline, output.read_text()[-3000:]
            time.sleep(0.1)
        yield urls
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
