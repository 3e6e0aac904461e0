"""The one progress bar of long work: what it does, the count, the time gone and the time left."""

from rich import progress
from rich.text import Text


class _RateColumn(progress.ProgressColumn):
    def render(self, task):
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s")


def progress_bar(console=None, rate=False, transient=False):
    """A rich Progress; add_task it a description and a total.

    rate: show how many are done in a second, too. transient: leave nothing behind on `console`, and show
    nothing where that is no terminal.
    """
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        *([_RateColumn()] if rate else []),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=transient,
        disable=transient and not console.is_terminal,
    )
