"""The sample sign-ins: who they are (`directory.yaml`) and the secrets that this suite made for them.

Called by the supervisor, which leaves the file for identity to read, and by `kehu token`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from kehu.data import write_private
from kehu.failure import SuiteFailed
from kehu.vault import Vault
from shared.yamls import plain

_SAMPLE: Final[dict[str, Any]] = plain(Path(__file__).with_name("directory.yaml").read_text(encoding="utf-8"))
_CONSOLE: Final = "http://127.0.0.1:8100"
_ADDRESSES: Final = {"redirect_uris", "sign_out_uris"}


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


def write_directory(vault: Vault, path: Path, console: str = _CONSOLE) -> None:
    """Write what identity reads at start: the sample with its secrets, and where this suite's console is."""
    secrets = {each.name: each.secret.get_secret_value() for each in sign_ins(vault)}
    people = [{**each, "password": secrets[each["name"]]} for each in _SAMPLE["people"]]
    clients = [{**each, "secret": secrets[each["name"]]} for each in _SAMPLE["clients"]]
    services = [
        {**each, "kind": "service", "secret": vault.password(each["name"]).get_secret_value()}
        for each in _SAMPLE["services"]
    ]
    apps = [{**each, "kind": "app"} for each in _SAMPLE["apps"]]
    for app in apps:
        app |= {name: [uri.replace(_CONSOLE, console) for uri in app[name]] for name in _ADDRESSES & app.keys()}
    content = {"units": _SAMPLE["units"], "people": people, "clients": [*clients, *services, *apps]}
    write_private(path, json.dumps(content, ensure_ascii=False, indent=2))
