"""Each service's file in deploy/env shows every variable that its settings know, and sets those that it must."""

import re

import pytest

from tests.factories.services import NAMES, ROOT, service

LINE = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=", re.MULTILINE)


def shown(text: str) -> dict[str, bool]:
    """Variable -> whether it is set (or only shown with its default)."""
    return {name: mark == "" for mark, name in LINE.findall(text)}


@pytest.mark.req("R15.4")
@pytest.mark.parametrize("name", NAMES)
def test_the_environment_file_and_the_settings_know_the_same_variables(name: str) -> None:
    fields = service(name).settings.model_fields
    known = {f"{name}_{field}".upper(): info.is_required() for field, info in fields.items()}
    there = shown((ROOT / "deploy" / "env" / f"{name}.env").read_text("utf-8"))
    assert sorted(there.keys() - known.keys()) == [], "no setting has this name"
    assert sorted(known.keys() - there.keys()) == [], "not shown"
    assert [variable for variable, required in known.items() if required and not there[variable]] == []


def test_shown_and_set_variables_are_told_apart() -> None:
    assert shown("# text A=1\nA_B=1\n#C_D=\n") == {"A_B": True, "C_D": False}
