"""What a person sees while a suite runs: one line an event, a progress bar while it is set up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from shared.clock import now

_COLOURS: Final = ("cyan", "green", "yellow", "blue", "magenta", "bright_cyan", "bright_green", "bright_blue")


class Screen:
    """Writes to one console; each name keeps its colour."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._colours: dict[str, str] = {}
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def event(self, who: str, what: str, *, bad: bool = False) -> None:
        """One line: when, who, what."""
        colour = self._colours.setdefault(who, _COLOURS[len(self._colours) % len(_COLOURS)])
        line = Text.assemble(
            (f"{now().astimezone():%H:%M:%S}  ", "dim"), (f"{who:<18}", colour), (what, "bold red" if bad else "")
        )
        self.console.print(line, soft_wrap=True)

    @contextmanager
    def set_up(self, steps: int) -> Iterator[None]:
        """Show a bar of `steps` at the foot of a terminal; nothing where there is none."""
        columns = (TextColumn("Starting"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        hidden = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=hidden) as progress:
            self._progress, self._task = progress, progress.add_task("", total=steps)
            try:
                yield
            finally:
                self._progress = self._task = None

    def advance(self) -> None:
        """One step of the set-up is done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)
