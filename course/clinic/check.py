"""What the check cells call. A failed check says the call, what came, what was expected and, where it knows it, the wrong turn.

Nothing here knows the answer to a case.
"""

import contextlib
import linecache
import os
import pkgutil
import sys
import textwrap
import traceback
from unittest import mock

import numpy as np

_WRAPPING = {"break_long_words": False, "break_on_hyphens": False, "drop_whitespace": True}
_UNSAID = object()  # None is an answer that a check may have to show


WIDTH = 87  # characters that a notebook's output, and a feedback page, show without breaking the line


class NotYet(AssertionError):
    """A check that failed. It is shown as its own few lines, without a traceback, in Jupyter, Validate and feedback.

    lines: what it says; a long one is wrapped, and goes on under its own beginning. what, turn: the demand that is not met,
    and the wrong turn that was known, where there is one.
    """

    def __init__(self, lines, what=None, turn=None):
        self.what, self.turn = what, turn
        wrapped = (textwrap.wrap(line, WIDTH, subsequent_indent=_indent_of(line), **_WRAPPING) or [""] for line in lines)
        super().__init__("\n".join(part for parts in wrapped for part in parts))

    def _render_traceback_(self):
        return str(self).splitlines()


def run(*checks):
    """Call each check function. What learner's code writes to stderr, warnings too, is shown on stdout.

    nbgrader takes anything on stderr for a failed check, so without this a right answer that warns would lose its points.
    Raises NotYet when a check fails, or when the learner's own code stops with an exception.
    """
    for checks_of_cell in checks:
        try:
            with contextlib.redirect_stderr(sys.stdout), np.errstate(all="ignore"):
                checks_of_cell()
        except NotYet as failed:
            raise failed.with_traceback(None) from None
        except Exception as error:
            raise NotYet(_stopped(error)) from None
    print("Passed.")


private_seed = None  # an instructor's own, a whole number; the grader sets it


def hidden_rng(number):
    """A numpy Generator from which a hidden check draws its inputs: for each number another, always the same.

    Where an instructor has set a private seed it is mixed in, and who has read the hidden check does not know its inputs.
    """
    return np.random.default_rng(number if private_seed is None else [number, private_seed])


@contextlib.contextmanager
def patched(code, replacements):
    """While the block runs, the learner's `code` (a function or class) finds other things under known names.

    replacements: for each dotted name, such as "numpy.empty" or "builtins.hash", what is found in its place.
    """
    # Where code runs in a process of its own, its stand-in here knows how to do it there.
    patch = getattr(code, "patch_where_it_runs", lambda name, new: mock.patch(name, new))
    with contextlib.ExitStack() as undo:
        for name, new in replacements.items():
            undo.enter_context(patch(name, new))
        yield


def call_there(code, name, *args):
    """Call the function with this dotted name where the learner's `code` (a function or class) runs; return what it returns."""
    call = getattr(code, "call_where_it_runs", lambda name, *args: pkgutil.resolve_name(name)(*args))
    return call(name, *args)


def each(code, calls):
    """The answers of the learner's `code` to many calls, in order: a list. calls: a list of tuples, the arguments of each.

    Where code runs in a process of its own they cross at once, which is quicker than one by one. The arguments are given away:
    what code does to them in place is not told, so hand over copies of what is used again.
    """
    return getattr(code, "each_where_it_runs", lambda calls: [code(*args) for args in calls])(calls)


def close(got, want, *, what, call=None, rtol=1e-7, atol=1e-12, turns=None):
    """The numbers `got` (a number or array) have the shape of `want`, and are within atol + rtol * abs(want) of it.

    what: the demand, as a sentence without its full stop. call: what was called, as the learner would type it.
    turns: for each known wrong turn, in words that go on "This is what comes out when ...", the answer that it gives.
    """
    want = np.asarray(want, dtype=float)
    numbers = _numbers(got, what, call)
    if _same(numbers, want, rtol, atol):
        return
    lines = _opening(what, call) + [f"  expected  {_show(want)}", f"  got       {_show(numbers)}"]
    if numbers.shape != want.shape:
        lines.append(f"  The expected shape is {want.shape}; yours is {numbers.shape}.")
    turn = next((turn for turn, answer in (turns or {}).items() if _same(numbers, np.asarray(answer, float), 1e-3, 1e-12)), None)
    raise NotYet(lines + _turn(turn), what, turn)


def that(holds, *, what, call=None, expected=_UNSAID, got=_UNSAID, turns=None):
    """`holds` is true. expected and got are shown where they are given; arguments are otherwise as for `close`.

    turns: for each known wrong turn, in words that go on "This is what comes out when ...", whether it is the one.
    """
    if holds:
        return
    lines = _opening(what, call)
    if expected is not _UNSAID:
        lines.append(f"  expected  {_show(expected)}")
    if got is not _UNSAID:
        lines.append(f"  got       {_show(got)}")
    turn = next((turn for turn, is_it in (turns or {}).items() if is_it), None)
    raise NotYet(lines + _turn(turn), what, turn)


def word(got, want, words, *, what, call=None, turns=None):
    """`got` is the string `want`, one of the verdicts in `words`. Anything else than a verdict is told which there are.

    turns: for each known wrong turn, in words that go on "This is what comes out when ...", the verdict that it gives, or
    whether it is the one. Other arguments as for `close`.
    """
    that(
        isinstance(got, str) and got in words,
        what=f"the verdict is {' or '.join(map(repr, words))}",
        call=call,
        got=repr(got),
        turns={
            "True or False is returned, and not one of the words": isinstance(got, (bool, np.bool_)),
            "the verdict is called by another name": isinstance(got, str),
        },
    )
    is_it = {turn: got == said if isinstance(said, str) else said for turn, said in (turns or {}).items()}
    that(got == want, what=what, call=call, expected=repr(want), got=repr(got), turns=is_it)


def _indent_of(line):
    """Where a wrapped line goes on: behind "call", "expected" and "got", else under its own first word."""
    return " " * 12 if line.startswith(("  call", "  expected", "  got", "  while", "  in ")) else " " * 2


def _opening(what, call):
    return [f"Not yet: {what}."] + ([f"  call      {call}"] if call else [])


def _turn(turn):
    return [f"  This is what comes out when {turn}."] if turn else []


def _numbers(got, what, call):
    """`got` as a float array, or NotYet where it is not made of numbers."""
    if got is None:
        raise NotYet(_opening(what, call) + ["  got       None: does every way through your function return?"], what)
    try:
        return np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        raise NotYet(_opening(what, call) + [f"  got       {_show(got)}, which is not a number or an array"], what) from None


def _same(numbers, answer, rtol, atol):
    return numbers.shape == answer.shape and np.allclose(numbers, answer, rtol=rtol, atol=atol, equal_nan=True)


def _show(value):
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            value = value.item()
        else:
            return " ".join(np.array2string(value, precision=5, threshold=12, separator=", ").split())
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _stopped(error):
    """How the learner's code stopped: the exception, the line of the check that was running, and the line that raised it."""
    lines = [f"Not yet: the code stopped with {type(error).__name__}: {_show(str(error))}."]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_library(frame.filename)]
    frames += getattr(error, "frames_there", [])  # of code that runs in a process of its own
    for word, frame in [("while", frame) for frame in frames[:-1][:1]] + [("in", frame) for frame in frames[-1:]]:
        source = (linecache.getline(frame.filename, frame.lineno) or frame.line or "").strip()
        lines.append(f"  {word:<9} {frame.name}, line {frame.lineno} of its cell: {source}")
    return lines


def _is_library(filename):
    ours = filename == __file__ or any(f"{os.sep}autograder{os.sep}{part}{os.sep}" in filename for part in ("sandbox", "grader"))
    return ours or "site-packages" in filename or filename.startswith(sys.base_prefix)
