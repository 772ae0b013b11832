"""What docs/operations.md says about settings, ports, jobs and codes is what the code does."""

import re

from deploy.settings_table import DOCUMENT, renewed, settings_of
from kehu.data import DataDirectory
from kehu.plan import PROJECT, SERVICES, Plan

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
    named = re.findall(rf"\b(?:{'|'.join(name.upper() for name in SERVICES)})_[A-Z_]*[A-Z]\b", TEXT)
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
