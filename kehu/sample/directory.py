"""The sample sign-ins: who they are (`directory.yaml`) and the secrets that this suite made for them.

Called by the supervisor, which leaves the file for identity to read, and by `kehu token`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import SecretStr

from kehu.data import write_private
from kehu.failure import SuiteFailed
from kehu.vault import Vault

_SAMPLE: Final[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("directory.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class SignIn:
    """A sample person, or a partner's system when `is_client`."""

    name: str
    roles: tuple[str, ...]
    unit: str
    is_client: bool
    secret: SecretStr


def sign_ins(vault: Vault) -> list[SignIn]:
    """All of them, with their secrets."""
    return [
        SignIn(each["name"], tuple(each["roles"]), each["unit"], group == "clients", vault.password(each["name"]))
        for group in ("people", "clients")
        for each in _SAMPLE[group]
    ]


def sign_in(vault: Vault, name: str) -> SignIn:
    """The one called `name`."""
    known = sign_ins(vault)
    for each in known:
        if each.name == name:
            return each
    raise SuiteFailed(f"There is no sample sign-in {name}. There are: {', '.join(each.name for each in known)}.")


def write_directory(vault: Vault, path: Path) -> None:
    """Write what identity reads at start: the sample with its secrets."""
    secrets = {each.name: each.secret.get_secret_value() for each in sign_ins(vault)}
    people = [{**each, "password": secrets[each["name"]]} for each in _SAMPLE["people"]]
    clients = [{**each, "secret": secrets[each["name"]]} for each in _SAMPLE["clients"]]
    content = {"units": _SAMPLE["units"], "people": people, "clients": clients}
    write_private(path, json.dumps(content, ensure_ascii=False, indent=2))
