"""What docs/operations.md says about settings, ports, jobs and codes is what the code does."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.settings_table import DOCUMENT, renewed, settings_of
from kehu.data import DataDirectory
from kehu.plan import PROJECT, SERVICES, Plan
from services.audit.settings import AuditSettings
from tests.factories.deployment import env_file, fill_in

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_the_tables_of_settings_are_fresh() -> None:
    assert renewed(TEXT) == TEXT, "run python -m deploy.settings_table"


def test_every_setting_says_what_it_means() -> None:
    silent = [
        f"{name}.{field}"
        for name in SERVICES
        for field, info in settings_of(name).model_fields.items()
        if not info.description
    ]
    assert silent == []


def test_every_variable_that_is_named_exists() -> None:
    known = {f"{name}_{field}".upper() for name in SERVICES for field in settings_of(name).model_fields}
    named = re.findall(rf"\b(?:{'|'.join(name.upper() for name in SERVICES)})_[A-Z0-9_]*[A-Z]\b", TEXT)
    assert set(named) <= known


def test_ports_are_those_of_the_plan() -> None:
    plan = Plan(DataDirectory(PROJECT / "nowhere"))
    rows = {
        name: (int(api), int(worker)) for name, api, worker in re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \|", TEXT, re.M)
    }
    assert rows == {name: (plan.port(name), plan.port(name, "worker")) for name in SERVICES}


def test_files_that_are_named_exist() -> None:
    for text in (TEXT, (PROJECT / "deploy" / "README.md").read_text(encoding="utf-8")):
        for path in re.findall(r"\b(?:deploy|docs|tests)/[\w/.-]+\.\w+", text):
            assert (PROJECT / path).exists(), path


def test_the_logs_key_is_changed_as_the_handbook_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for installation in ("before", "after"):
        assert fill_in(tmp_path / installation).returncode == 0
    program = re.search(r'exec audit-api python -c "(.+)"', TEXT)
    assert program
    before, after = (env_file(tmp_path / each / "audit.env") for each in ("before", "after"))
    command = [sys.executable, "-c", program[1]]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=before, cwd=PROJECT, timeout=60)
    for key, value in {**after, "AUDIT_FORMER_KEYS": json.dumps([printed.stdout.strip()])}.items():
        monkeypatch.setenv(key, value)
    new, former = AuditSettings().verifiers
    assert (str(former), str(new) == str(former)) == (printed.stdout.strip(), False)
