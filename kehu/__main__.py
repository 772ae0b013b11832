"""The `kehu` command: start, watch, stop and inspect a suite on this machine."""

import subprocess
import sys
import time
from enum import StrEnum
from typing import Annotated, Any, Final

import psutil
import typer
from rich.console import Console
from rich.table import Table

from kehu.client import SuiteClient
from kehu.commands import audit, authority, deadletters, regimes
from kehu.data import DataDirectory
from kehu.failure import SuiteFailed
from kehu.options import DATA, AsJson, Data, console
from kehu.plan import PROJECT, SERVICES, Plan
from kehu.programs import is_ready
from kehu.sample.directory import sign_ins
from kehu.screen import Screen

app = typer.Typer(
    help="客户 Kehu: customer files, audited exactly once. Start, watch, stop and inspect the suite.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(deadletters.app, name="dead-letters")
app.add_typer(audit.app, name="audit")
app.add_typer(regimes.app, name="regimes")
app.command()(authority.may)
_STOP_SECONDS: Final = 60.0


class Bus(StrEnum):
    """The transports between the services."""

    POSTGRES = "postgres"
    KAFKA = "kafka"


@app.command()
def up(
    data: Data = DATA,
    detach: Annotated[bool, typer.Option("--detach", help="Return when the suite is ready and let it run.")] = False,
    bus: Annotated[Bus, typer.Option(help="kafka: KAFKA_BOOTSTRAP_SERVERS, or a local one.")] = Bus.POSTGRES,
    port_base: Annotated[int, typer.Option(help="The console's port; the others follow.", min=1, max=65000)] = 8100,
    empty: Annotated[bool, typer.Option("--empty", help="Load no sample customers.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Start just this service; may be repeated.")] = None,
) -> None:
    """Start the suite: PostgreSQL, bus, services. Ctrl-C stops it; the data stay."""
    plan = Plan(DataDirectory(data), bus.value, port_base, tuple(only or SERVICES), empty=empty)
    if detach:
        _start_detached(plan)
    else:
        from kehu.supervisor import Supervisor  # noqa: PLC0415 - brings alembic; the other commands answer sooner

        Supervisor(plan, Screen(console), when_ready=lambda: _welcome(plan)).run()


@app.command()
def down(data: Data = DATA) -> None:
    """Stop a running suite, in order."""
    directory = DataDirectory(data)
    supervisor = directory.state()["supervisor"]
    process = psutil.Process(supervisor["pid"])
    if process.create_time() != supervisor["created_at"]:
        raise SuiteFailed(f"Process {process.pid} is not the suite on {directory.path}.")
    process.terminate()
    with console.status("Stopping"):
        deadline = time.monotonic() + _STOP_SECONDS
        while directory.is_held():
            if time.monotonic() > deadline:
                raise SuiteFailed(f"The suite (pid {process.pid}) does not stop; see {directory.logs}.")
            time.sleep(0.1)
    console.print(f"Stopped. The data stay in {directory.path}.")


@app.command()
def status(data: Data = DATA, as_json: AsJson = False) -> None:
    """Show what runs where."""
    state = DataDirectory(data).state()
    for service in state["services"].values():
        service["ready"] = is_ready(service["url"])
    if as_json:
        console.print_json(data=state)
    else:
        console.print(_status_table(state))


@app.command()
def token(name: Annotated[str, typer.Argument(help="A sample sign-in or partner client.")], data: Data = DATA) -> None:
    """Print one access token."""
    console.out(SuiteClient(DataDirectory(data), name).token(), highlight=False)


def _start_detached(plan: Plan) -> None:
    """Start the same command in a session of its own and follow its log until it is ready."""
    if plan.data.is_held():
        raise SuiteFailed(f"A suite already runs on {plan.data.path}; stop it with `kehu down`.")
    plan.data.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = plan.data.logs / "suite.log"
    path.touch(mode=0o600)
    options = ["--data", plan.data.path, "--bus", plan.bus, "--port-base", plan.port_base]
    options += [part for name in plan.services for part in ("--only", name)] + ["--empty"] * plan.empty
    with path.open("ab") as log, path.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(0, 2)
        process = subprocess.Popen(
            [sys.executable, "-m", "kehu", "up", *map(str, options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=PROJECT,
            start_new_session=True,
        )
        ended = ready = False
        while not (ended or ready):
            ended, ready = process.poll() is not None, _is_up(plan.data)
            console.out(lines.read(), end="", highlight=False)
            time.sleep(0.1)
    if not ready:
        raise SuiteFailed(f"The suite did not start; see {path}.")


def _is_up(data: DataDirectory) -> bool:
    try:
        return bool(data.state()["ready"])
    except SuiteFailed:
        return False


def _status_table(state: dict[str, Any]) -> Table:
    table = Table(
        "service", "role", "pid", "restarts", "address", "ready", title=f"{state['data']}, bus: {state['bus']}"
    )
    for name, server in state["servers"].items():
        table.add_row(name, "server", str(server["pid"]), str(server["restarts"]))
    for name, service in state["services"].items():
        for role, process in service["roles"].items():
            about = (service["url"], "yes" if service["ready"] else "[red]no[/]") if role == "api" else ()
            table.add_row(name, role, str(process["pid"] or "-"), str(process["restarts"]), *about)
    return table


def _welcome(plan: Plan) -> None:
    """Where everything is, who may sign in, and what to try first."""
    addresses = Table("address", "service", box=None, pad_edge=False, show_header=False)
    for name in sorted(plan.services, key=plan.port):
        addresses.add_row(plan.url(name), name)
    names = ", ".join(each.name for each in sign_ins(plan.vault))
    where = "" if plan.data.path == DATA.absolute() else f" --data {plan.data.path}"
    console.print("\n[bold green]Kehu is ready.[/]\n", addresses)
    console.print(f"\nSample sign-ins: {names}\nTheir passwords: {plan.data.secrets}/sign-in-NAME\n", soft_wrap=True)
    console.print(
        "Try next:\n"
        f"  TOKEN=$(.venv/bin/kehu token dept{where})\n"
        f'  curl -s -H "Authorization: Bearer $TOKEN" {plan.url("customer")}/v1/customers?limit=3\n'
        f"  .venv/bin/kehu status{where}\n",
        soft_wrap=True,
        highlight=False,
    )


def main() -> None:
    """Entry point: a `SuiteFailed` is a sentence and exit code 1."""
    try:
        app()
    except SuiteFailed as problem:
        Console(stderr=True).print(f"[bold red]kehu:[/] {problem}", soft_wrap=True, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
