"""The process in which `check` runs a learner's cells, in an IPython shell as a notebook does, and the checks."""

import contextlib
import faulthandler
import io
import os
import signal


def work(pipe, cells, lost, hidden, seconds, width, folder):
    """Answer each (stage, ids of checks) that comes through `pipe` with {id: message, None where it passed}, until it is closed.

    cells: [[name, kind, source]] of each stage, in order; a stage's checks are asked for in that order. lost: {name: why} of
    cells that are left out. hidden: run the hidden parts of the checks, not the visible ones. seconds: what each cell and
    each check may take. width: of a message, in characters. folder: where the code runs. Before a cell runs, its name goes
    through the pipe: should it end this process, that is known.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this
    os.environ["MPLBACKEND"] = "agg"
    os.chdir(folder)
    import clinic.check
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from .grader.check_cells import checks_off, compiled, segments, told_of_hidden

    clinic.check.WIDTH = min(clinic.check.WIDTH, width)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)

    def failure(name, kind, source):
        """Run a cell: why it failed, or None."""
        if kind == "mend":
            result = shell.run_cell(source, silent=True)
            error = result.error_before_exec or result.error_in_exec
            return error and _stopped(error)
        names = shell.user_ns
        if kind == "check":
            names = dict(names)  # what a check defines is not for the learner's code
        try:
            for is_hidden, first_line, part in segments(source):
                with checks_off() if hidden and not is_hidden else contextlib.nullcontext():
                    exec(compiled(part, name, first_line), names)
        except clinic.check.NotYet as error:
            return told_of_hidden(error, source) if hidden else str(error)
        except BaseException as error:  # sys.exit() too
            return told_of_hidden(error, source) if hidden else _stopped(error)
        return None

    at, todo, failed = None, None, {}
    nowhere = open(os.devnull, "w")
    while True:
        try:
            stage, asked = pipe.recv()
        except EOFError:
            return
        if stage != at:
            shell.reset(new_session=False)
            at, todo, failed = stage, iter(cells[stage]), {}
        said = {}
        while len(said) < len(asked):
            name, kind, source = next(todo)
            if kind == "check" and name not in asked:
                continue
            if name in lost:
                failed[name] = f"Not yet: the code did not come to an end: {lost[name]}."
            else:
                pipe.send(name)
                faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    failed[name] = failure(name, kind, source)
                faulthandler.cancel_dump_traceback_later()
            if kind == "check":
                # Where the cell to mend has failed, that explains it better.
                said[name] = failed[name] and (failed[name.split("-check")[0]] or failed[name])
        pipe.send(said)


def _stopped(error):
    what = f"{error.msg}, line {error.lineno} of the cell" if isinstance(error, SyntaxError) else error
    return f"Not yet: the code stopped with {type(error).__name__}: {what}."
