"""A check cell's source: its visible and hidden stretches, and what a learner is told where a hidden one fails."""

import ast
import contextlib
import functools
import linecache
import marshal

from clinic import check as clinic_check

BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
HIDDEN_FAILED = "A hidden check does not pass: the same demands, with other numbers."


@contextlib.contextmanager
def checks_off():
    """The cell's helpers are defined, and its visible checks, which have passed, are not run again."""
    run = clinic_check.run
    clinic_check.run = lambda *checks: None
    try:
        yield
    finally:
        clinic_check.run = run


def compiled(source, name, first_line=1):
    """The code of a cell, or of a stretch of one that begins in this line."""
    source, file = "\n" * (first_line - 1) + source, f"<{name}>"
    # Messages quote the line of the check that was running.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return _code(source, file)


@functools.lru_cache(1000)
def _code(source, file):
    return compile(source, file, "exec")


@functools.lru_cache(1000)
def marshalled(source, name):
    """The code of a cell as bytes, for a process that is to run it without compiling it."""
    return marshal.dumps(compiled(source, name))


def compile_ahead(cells):
    """Compile the cells of a job that are the course's own: a process that has done so has done it for all its forks."""
    for cell in cells:
        if cell["kind"] == "locked":
            marshalled(cell["source"], cell["id"])
        elif cell["kind"] == "check":
            for _, first_line, source in segments(cell["source"]):
                compiled(source, cell["id"], first_line)


def segments(source):
    """The visible and the hidden stretches of a check cell, in order: (is it hidden, number of its first line, source)."""
    found, lines, first, is_hidden = [], [], 1, False
    for number, line in enumerate(source.split("\n"), start=1):
        if line.strip() in (BEGIN_HIDDEN, END_HIDDEN):
            found.append((is_hidden, first, "\n".join(lines)))
            lines, first, is_hidden = [], number + 1, line.strip() == BEGIN_HIDDEN
        else:
            lines.append(line)
    found.append((is_hidden, first, "\n".join(lines)))
    return [stretch for stretch in found if stretch[2].strip()]


def told_of_hidden(error, source):
    """What a learner is told of `error`, with which the hidden part of the check cell `source` failed."""
    # Only sentences that stand in the check as they are: anything else may have been made of its inputs.
    ours = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    words = [HIDDEN_FAILED]
    if isinstance(error, clinic_check.NotYet) and error.what in ours:
        words.append(f"  It is asked that {error.what}.")
        if error.turn in ours:
            words.append(f"  This is what comes out when {error.turn}.")
    return str(clinic_check.NotYet(words))
