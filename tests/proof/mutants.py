"""Every reference solution is changed in one place at a time, and the checks have to see it.

The usual changes are Cosmic Ray's: of the kept-up tools it is the one whose operators work on a text and are a public
interface. (mutmut's are an inner part of its command, and mutatest and MutPy are no longer kept up.) Of its operators those
are taken that leave plausible code: an operator becomes its neighbour and not each of eleven others. What it lacks, and what
numerical code is prone to, is written here with the same interface: statements left out, arguments swapped, ranges and slices
one too long, copies that are none, least for largest, large numbers doubled and halved.

Docstrings, texts and what is raised are not changed. A mutant is killed when a check fails, or when it does not compile, takes
ten times as long as the solution, or far too much memory. What survives stands in survivors.toml with the reason.

    python -m tests.proof.mutants [STAGE [CASE ...]]    print the table
"""

import argparse
import ast
import contextlib
import functools
import multiprocessing
import os
import re
import resource
import signal
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast, is_number
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators import (
    binary_operator_replacement,
    boolean_replacer,
    break_continue,
    comparison_operator_replacement,
    exception_replacer,
    number_replacer,
    unary_operator_replacement,
    zero_iteration_for_loop,
)
from cosmic_ray.operators.operator import Example, Operator
from parso.python.tree import Keyword, Name, Number

from autograder.judge import judge, namespace_with
from autograder.paths import STAGES
from autograder.progress import progress_bar

from . import exercises, graded

DEPENDS = ("case", "clinic", "survivors", "cosmic-ray")
SURVIVORS = Path(__file__).with_name("survivors.toml")
RIGHT = ("equivalent: ", "allowed: ")  # a mutant that is still a right answer; both are told apart in survivors.toml
REASONS = (*RIGHT, "left: ")
SECONDS = 5  # of processor time, that any mutant is given
TIMES = 10  # what the solution itself takes, that a mutant is given
MEMORY = 8 * 2**30  # bytes of address space
SURVIVED = 42  # a child's exit code; any other is a kill


class SmallNumber(number_replacer.NumberReplacer):
    """One more and one less, of numbers up to 20: beside a larger one it could be no mistake, and no check would see it."""

    def mutation_positions(self, node):
        if is_number(node) and abs(ast.literal_eval(node.value)) <= 20:
            yield from super().mutation_positions(node)


class LargeNumber(Operator):
    """Twice and half of a number above 20."""

    def mutation_positions(self, node):
        if is_number(node) and abs(ast.literal_eval(node.value)) > 20:
            yield from [(node.start_pos, node.end_pos)] * 2

    def mutate(self, node, index):
        value = ast.literal_eval(node.value)
        half = value // 2 if isinstance(value, int) else value / 2
        return Number(str(half if index else 2 * value), node.start_pos, node.prefix)

    @classmethod
    def examples(cls):
        return (Example("f(50)", "f(100)"), Example("f(50)", "f(25)", occurrence=1))


class RemoveStatement(Operator):
    """A statement of one line is left out; what defines nothing, imports, or is raised stays as it is."""

    def mutation_positions(self, node):
        if node.type == "simple_stmt" and node.children[0].type not in ("string", "strings", "keyword") + _IMPORTS:
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node, index):
        first = node.get_first_leaf()
        node.children[0] = Keyword("pass", first.start_pos, first.prefix)
        return node

    @classmethod
    def examples(cls):
        return (Example("x = 1\n", "pass\n"), Example("if x:\n    return y\n", "if x:\n    pass\n"))


class SwapArguments(Operator):
    """The first two arguments of a call change places, where both are given by position."""

    SYMMETRIC = ("min", "max", "minimum", "maximum", "logaddexp", "allclose")

    def mutation_positions(self, node):
        if node.type != "arglist" or not all(map(_is_positional, node.children[:3:2])):
            return
        called = node.parent.get_previous_leaf()
        if called is None or called.value not in self.SYMMETRIC:
            yield node.children[0].start_pos, node.children[2].end_pos

    def mutate(self, node, index):
        node.children[0], node.children[2] = node.children[2], node.children[0]
        return node

    @classmethod
    def examples(cls):
        return (Example("f(a, b, c)", "f( b,a, c)"),)


class SwapNames(Operator):
    """The least for the largest, any for all, and the like: functions of the same arguments."""

    PAIRS = (("min", "max"), ("argmin", "argmax"), ("minimum", "maximum"), ("any", "all"), ("floor", "ceil"))
    OTHER = {name: other for pair in PAIRS for name, other in (pair, pair[::-1])}

    def mutation_positions(self, node):
        if node.type == "name" and node.value in self.OTHER and _is_called(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        return Name(self.OTHER[node.value], node.start_pos, node.prefix)

    @classmethod
    def examples(cls):
        return (Example("x.min()", "x.max()"), Example("any(x)", "all(x)"))


class DropCopy(Operator):
    """What is copied is no longer: x.copy() becomes x, and np.array(x) np.asarray(x)."""

    def mutation_positions(self, node):
        if node.type == "name" and node.value in ("copy", "array") and _is_called(node) and _is_attribute(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        return Name({"copy": "view", "array": "asarray"}[node.value], node.start_pos, node.prefix)

    @classmethod
    def examples(cls):
        return (Example("x.copy()", "x.view()"), Example("np.array(x)", "np.asarray(x)"))


class LongerByOne(Operator):
    """A slice, or a range, ends one later, where its end is no plain number (Cosmic Ray changes those)."""

    def mutation_positions(self, node):
        end = _end_of(node)
        if end is not None and end.type != "number":
            yield end.start_pos, end.end_pos

    def mutate(self, node, index):
        last = _end_of(node).get_last_leaf()
        last.value += " + 1"
        return node

    @classmethod
    def examples(cls):
        return (Example("x[:n]", "x[:n + 1]"), Example("range(n)", "range(n + 1)"), Example("range(1, n)", "range(1, n + 1)"))


_IMPORTS = ("import_name", "import_from", "raise_stmt", "pass_stmt", "global_stmt", "nonlocal_stmt")


def _is_positional(node):
    return node.type not in ("argument", "operator") or (node.type == "argument" and node.children[1] != "=" != node.children[0])


def _is_called(name):
    after = name.get_next_leaf()
    return after is not None and after.value == "("


def _is_attribute(name):
    before = name.get_previous_leaf()
    return before is not None and before.value == "."


def _end_of(node):
    """The node at which a slice or a range ends, None where `node` is none of these."""
    if node.type == "subscript" and ":" in node.children:
        after = node.children[node.children.index(":") + 1 :]
        return after[0] if after and after[0].type not in ("operator", "sliceop") else None
    before = node.get_previous_leaf()
    if node.type == "trailer" and len(node.children) == 3 and before is not None and before.value == "range":
        inside = node.children[1]
        return inside if inside.type != "arglist" else inside.children[2]
    return None


def _named(module, *names):
    return tuple(getattr(module, name) for name in names)


OPERATORS = (
    *_named(
        binary_operator_replacement,
        *(f"ReplaceBinaryOperator_{swap}" for swap in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul")),
        *(f"ReplaceBinaryOperator_{swap}" for swap in ("FloorDiv_Div", "Mod_Mul", "BitAnd_BitOr", "BitOr_BitAnd")),
    ),
    *_named(
        comparison_operator_replacement,
        *(
            f"ReplaceComparisonOperator_{swap}"
            for swap in ("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt", "Eq_NotEq", "NotEq_Eq")
        ),
        "ReplaceComparisonOperator_Is_IsNot",
        "ReplaceComparisonOperator_IsNot_Is",
    ),
    *_named(unary_operator_replacement, *(f"ReplaceUnaryOperator_Delete_{sign}" for sign in ("USub", "Invert", "Not"))),
    *_named(
        boolean_replacer,
        "AddNot",
        "ReplaceTrueWithFalse",
        "ReplaceFalseWithTrue",
        "ReplaceAndWithOr",
        "ReplaceOrWithAnd",
    ),
    *_named(break_continue, "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    exception_replacer.ExceptionReplacer,
    SmallNumber,
    LargeNumber,
    zero_iteration_for_loop.ZeroIterationForLoop,
    RemoveStatement,
    SwapArguments,
    SwapNames,
    DropCopy,
    LongerByOne,
)


def mutants(source):
    """Each mutant of `source` as (change, source). A change is told without its line, which moves with every text above it."""
    tree, told, made = get_ast(source), {}, {source}
    for operator in (kind() for kind in OPERATORS):
        occurrence = -1
        for node in ast_nodes(tree):
            for start, end in list(operator.mutation_positions(node)):
                occurrence += 1
                if _is_text(node):
                    continue
                mutant = mutate_code(source, operator, occurrence)
                if mutant in made:
                    continue
                made.add(mutant)
                change = _change(source, mutant, start, end)
                told[change] = told.get(change, 0) + 1
                yield change + (f" ({told[change]})" if told[change] > 1 else ""), mutant


def _is_text(node):
    """Whether `node` is part of a text or of what is raised."""
    while node is not None:
        if node.type in ("fstring", "raise_stmt", "assert_stmt"):
            return True
        node = node.parent
    return False


def _change(source, mutant, start, end):
    """`old` -> `new`, of the smallest expression or statement that shows it, with the function in which it stands."""
    at = functools.partial(_offset, source)
    grown = len(mutant) - len(source)
    where, shown = [], None
    for node in _outside_in(ast.parse(source)):
        if not hasattr(node, "end_lineno"):
            continue
        begins, ends = at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)
        if begins <= at(*start) and at(*end) <= ends:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                where.append(node.name)
                shown = _default_before(source, at(*start)), at(*end)
            elif shown is None or not isinstance(node, (ast.Constant, ast.Name, ast.keyword)):
                shown = begins, ends
    begins, ends = shown
    old, new = source[begins:ends], mutant[begins : ends + grown]
    return f"{'.'.join(where) or 'cell'}: `{_plain(old)}` -> `{_plain(new)}`"


def _outside_in(tree):
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from _outside_in(child)


def _default_before(source, begins):
    """Where the name begins of the argument whose default begins at `begins`."""
    return re.search(r"\w*\s*=?\s*$", source[:begins]).start()


def _offset(source, line, column):
    return sum(map(len, source.splitlines(keepends=True)[: line - 1])) + column


def _plain(code):
    """`code` in one line, without comments; of a block its first line."""
    for form in (code.strip(), f"({code.strip()})"):
        with contextlib.suppress(SyntaxError):
            return " ".join(ast.unparse(ast.parse(form)).splitlines()[0].split())
    return " ".join(code.split())


def prove(stage, case):
    """How many mutants of the solution of `case` were made and killed, and those that survive, each with its reason.

    "still right" of those that survive are no mistakes, for one of the reasons RIGHT: a kill rate is told without them.
    Raises ValueError where one survives without a reason, or a reason is given for one that does not.
    """
    made, survivors = surviving(stage, case)
    if complaint := _complaint(case, survivors):
        raise ValueError(complaint)
    why = {change: _why(case, change) for change in survivors}
    return {
        "made": made,
        "killed": made - len(survivors),
        "still right": sum(reason.startswith(RIGHT) for reason in why.values()),
        "survivors": [{"change": change, "why": reason} for change, reason in why.items()],
    }


def surviving(stage, case):
    """How many mutants of the solution of `case` were made, and the changes of those that no check sees."""
    exercise = exercises(stage)[case.id]
    # In this process: what the checks keep between calls, such as the runs of a ward, is there for every child.
    if not all(verdict.passed for verdict in judge(exercise)):
        raise ValueError(f"{case.path}: the solution itself does not pass its checks")
    namespace = namespace_with(exercise, "")
    _, seconds = _survives(exercise, exercise.fix, namespace, limit=600)
    limit = max(SECONDS, TIMES * seconds)
    tried = [(change, _survives(exercise, mutant, namespace, limit)[0]) for change, mutant in mutants(exercise.fix)]
    return len(tried), [change for change, survives in tried if survives]


@functools.cache
def _reasons():
    return tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))


def _why(case, change):
    """The reason for which a mutant survives; "*" stands for all of a case that have none of their own."""
    reasons = _reasons().get(case.id, {})
    return reasons.get(change, reasons.get("*", ""))


def _complaint(case, survivors):
    """What is wrong with the reasons for these survivors, None where there is nothing."""
    unexplained = [change for change in survivors if not _why(case, change).startswith(REASONS)]
    if unexplained:
        return (
            f"{case.path}: no check sees these changes of the solution. Mend the check, or say in {SURVIVORS.name} under "
            f"[{case.id}] why they stay, beginning with {' or '.join(map(repr, REASONS))}:\n  " + "\n  ".join(unexplained)
        )
    reasons = _reasons().get(case.id, {})
    stale = [change for change in reasons if change not in survivors and (change != "*" or set(survivors) <= set(reasons))]
    if stale:
        return f"{SURVIVORS}: under [{case.id}] no mutant of these names survives; take them out:\n  " + "\n  ".join(stale)
    return None


def _survives(exercise, source, namespace, limit):
    """Whether every check passes with `source` in the cell to mend, and the seconds of processor time that took."""
    child = os.fork()
    if child == 0:
        _judge_and_exit(exercise, source, namespace, limit)
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status) == SURVIVED, used.ru_utime + used.ru_stime


def _judge_and_exit(exercise, source, namespace, limit):
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        for timer, told, seconds in (
            (signal.ITIMER_PROF, signal.SIGPROF, limit),
            (signal.ITIMER_REAL, signal.SIGALRM, 10 * limit),
        ):
            signal.signal(told, signal.SIG_DFL)  # it ends the process
            signal.setitimer(timer, seconds)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        sys.stdout = sys.stderr = open(os.devnull, "w")
        for code in (source, *(check.source for check in exercise.checks)):
            exec(compile(code, f"<{exercise.id}>", "exec"), namespace)
        os._exit(SURVIVED)
    except BaseException:
        os._exit(1)


def _row(stage, case):
    """One line of the table, and what has to be mended."""
    made, survivors = surviving(stage, case)
    right = sum(_why(case, change).startswith(RIGHT) for change in survivors)
    return made - right, len(survivors) - right, right, _complaint(case, survivors)


def main(arguments=None):
    """Print how many mutants each case kills, and what survives without a reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutants", description=main.__doc__)
    parser.add_argument("stage", nargs="?", choices=STAGES)
    parser.add_argument("case", nargs="*", help="ids of its cases, such as warmup-too-short")
    asked = parser.parse_args(arguments)
    cases = [
        (stage, case) for stage, case in graded() if asked.stage in (None, stage) and (not asked.case or case.id in asked.case)
    ]
    if not cases:
        parser.error(f"no case of {asked.stage} has the id {asked.case[0]!r}")
    complaints, totals = 0, {}
    # In a process of its own: the bar has a thread, and a process with threads is not to be forked.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as worker, progress_bar() as bar:
        task = bar.add_task("changing solutions", total=len(cases))
        for (stage, case), row in zip(cases, worker.map(_row, *zip(*cases))):
            wrong, survived, right, complaint = row
            bar.console.print(f"{case.id:<28}{wrong - survived:>5} of {wrong:>3} wrong ones killed, {right:>2} still right")
            totals[stage] = [before + now for before, now in zip(totals.get(stage, (0, 0, 0)), (wrong, survived, right))]
            if complaint:
                complaints += 1
                bar.console.print(complaint, markup=False, highlight=False, soft_wrap=True)
            bar.advance(task)
    for stage, (wrong, survived, right) in totals.items():
        print(f"{stage}: {wrong - survived} of {wrong} wrong mutants killed, {1 - survived / wrong:.1%}; {right} are still right")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
