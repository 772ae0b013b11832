"""`kehu dead-letters`: events that a consumer could not apply, in every service of a running suite."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from kehu.client import Refused, SuiteClient
from kehu.data import DataDirectory
from kehu.failure import SuiteFailed
from kehu.options import DATA, AsJson, Data, console

app = typer.Typer(help="Events that a consumer could not apply.", no_args_is_help=True)
_OPERATOR: Final = "admin"
_NOT_FOUND: Final = 404
Letter = Annotated[str, typer.Argument(help="Id of the dead letter.")]


@app.command("list")
def list_letters(data: Data = DATA, as_json: AsJson = False) -> None:
    """List what is parked, service by service, newest first."""
    client = SuiteClient(DataDirectory(data), _OPERATOR)
    letters = [{"service": service, **letter} for service in client.services for letter in _letters(client, service)]
    if as_json:
        console.print_json(data=letters)
        return
    table = Table("id", "service", "group", "type", "subject", "attempts", "error")
    for each in letters:
        shown = (each["id"], each["service"], each["consumer_group"], each["type"], each["subject"], each["attempts"])
        table.add_row(*(str(part or "-") for part in shown), each["error"])
    console.print(table if letters else "No dead letters.")


@app.command()
def show(letter: Letter, data: Data = DATA, as_json: AsJson = False) -> None:
    """Show one, without its content."""
    _, found = _find(SuiteClient(DataDirectory(data), _OPERATOR), letter)
    if as_json:
        console.print_json(data=found)
        return
    for name, value in found.items():
        console.print(f"[dim]{name:<18}[/] {value}", soft_wrap=True)


@app.command()
def replay(letter: Letter, data: Data = DATA, as_json: AsJson = False) -> None:
    """Apply one again, under its own event id."""
    _handle(letter, "replay", data, as_json)


@app.command()
def discard(letter: Letter, data: Data = DATA, as_json: AsJson = False) -> None:
    """Give one up; that is recorded."""
    _handle(letter, "discard", data, as_json)


def _handle(letter: str, what: str, data: Path, as_json: bool) -> None:
    client = SuiteClient(DataDirectory(data), _OPERATOR)
    service, found = _find(client, letter)
    client.call("POST", service, f"/v1/dead-letters/{found['id']}/{what}")
    outcome = {"id": found["id"], "service": service, "outcome": f"{what}ed"}
    if as_json:
        console.print_json(data=outcome)
    else:
        console.print(f"{outcome['outcome'].capitalize()}: {found['id']} of {service}.")


def _letters(client: SuiteClient, service: str) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        query = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = client.call("GET", service, "/v1/dead-letters", params=query).json()
        letters.extend(page["items"])
    return letters


def _find(client: SuiteClient, letter: str) -> tuple[str, dict[str, Any]]:
    for service in client.services:
        try:
            found: dict[str, Any] = client.call("GET", service, f"/v1/dead-letters/{letter}").json()
        except Refused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
        else:
            return service, {"service": service, **found}
    raise SuiteFailed(f"No service has a dead letter {letter}.")
