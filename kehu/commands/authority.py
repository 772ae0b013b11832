"""`kehu may`: why somebody may do something, or why not, as the service that keeps the subject decides it."""

from typing import Annotated, Final

import typer

from kehu.client import SuiteClient
from kehu.data import DataDirectory
from kehu.failure import SuiteFailed
from kehu.options import DATA, AsJson, Data, console
from kehu.plan import PROJECT
from shared.clock import day_of, now
from shared.regime import Resource, load

_ASKER: Final = "admin"


def may(
    name: Annotated[str, typer.Argument(help="A person or client of the directory.")],
    action: Annotated[str, typer.Argument(help="What they want to do: read, change, history.read ...")],
    subject: Annotated[
        str, typer.Argument(help="With what: customer/<id>, staff/<name> ..., or just a resource such as entry.")
    ],
    field: Annotated[str | None, typer.Option(help="One field of it, by its code.")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Say whether somebody may do something, and why. Ends with 1 if they may not."""
    resource = subject.partition("/")[0]
    declared = load(PROJECT / "regimes").find(Resource, resource, on=day_of(now()))
    if declared is None or action not in declared.actions:
        known = ", ".join(sorted(declared.actions)) if declared else "no such resource"
        raise SuiteFailed(f"Nobody can {action} a {resource}: {known}.")
    query = {"name": name, "action": f"{resource}.{action}", "subject": subject if "/" in subject else None}
    asked = {key: value for key, value in {**query, "field": field}.items() if value is not None}
    found = SuiteClient(DataDirectory(data), _ASKER).call("GET", declared.service, "/v1/decisions", params=asked).json()
    if as_json:
        console.print_json(data=found)
    else:
        console.print(f"{name} {'may' if found['allowed'] else 'may not'} {action} {subject} {field or ''}".rstrip())
        for each in found["reasons"]:
            console.print(f"  {each['code']:<16} {each['text']['en']}; {each['text']['zh']}", soft_wrap=True)
    raise typer.Exit(0 if found["allowed"] else 1)
