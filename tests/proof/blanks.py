"""Answers that know nothing earn nothing: a cell as it was released, functions that always return the same, a check's own code.

They are made from the released cell by its syntax tree, and judged by the released checks, as a learner's own notebook has them:
a point that a blank cannot earn there it cannot earn in the grader either, where hidden checks come on top.
"""

import ast
import re

from autograder.judge import judge

from . import as_released, exercises

DEPENDS = ("case", "clinic")

FIXED = ("None", "0.0", "1.0", "True", "False", "[]")  # what each function returns, whatever its arguments are
_ZEROS = """
import copy

def zeros_like_it(thing):
    if isinstance(thing, dict):
        return {key: zeros_like_it(each) for key, each in thing.items()}
    if isinstance(thing, (list, tuple)):
        return type(thing)(map(zeros_like_it, thing))
    if isinstance(thing, (np.ndarray, np.generic)):
        return np.zeros_like(thing)
    return type(thing)() if isinstance(thing, (bool, int, float, str)) else None

def zeros_in_its_place(function):
    def call(*args, **kwargs):
        return zeros_like_it(function(*copy.deepcopy(args), **copy.deepcopy(kwargs)))
    return call
"""


def blanks(exercise, solution):
    """What knows nothing, as (name, source of the cell). exercise: as it is released. solution: the source of the mended cell."""
    released = exercise.fix
    yield "as released", released
    for value in (*FIXED, *_words(released)):
        yield f"returns {value}", _returning(released, lambda arguments, value=value: value)
    yield "returns its first argument", _returning(released, lambda arguments: arguments[0])
    yield "returns all its arguments", _returning(released, lambda arguments: f"({', '.join(arguments)},)")
    like_it = _returning(released, lambda arguments: f"zeros_like_it({arguments[0]})")
    yield "returns zeros like its first argument", f"{_ZEROS}\n{like_it}"
    tree = ast.parse(solution)
    if not any(isinstance(node, ast.ClassDef) for node in tree.body):
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        zeros = "\n".join(f"{name} = zeros_in_its_place({name})" for name in names)
        yield "returns zeros in the form of the right answer", f"{_ZEROS}\n{solution}\n\n{zeros}"
    for check in exercise.checks:
        yield f"the code of {check.id}", check.source
        yield f"as released, and the code of {check.id}", f"{released}\n\n{check.source}"


def _words(source):
    """The quoted words in the docstrings of a cell, such as the verdicts from which a function chooses."""
    tree = ast.parse(source)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return sorted({repr(word) for text in texts for word in re.findall(r"""["']([\w -]+)["']""", text)})


def _returning(source, value):
    """`source` with each function, and each method but __init__, cut down to a return of value(the names of its arguments)."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            names = [name for name in names if name != "self"] or names or ["None"]
            node.body = ast.parse(f"def f():\n return {value(names)}").body[0].body
    return ast.unparse(tree)


def prove(stage, case):
    """{"tried": n} where none of them earns a point; raises ValueError where one does."""
    solved = exercises(stage)[case.id]
    exercise = as_released(solved)
    tried, earned = 0, []
    for name, source in blanks(exercise, solved.fix):
        tried += 1
        earned += [f"{name!r} passes {verdict.check.id}" for verdict in judge(exercise, source) if verdict.passed]
    if earned:
        raise ValueError("\n".join([f"{case.path}: the check has to ask for more:", *earned]))
    return {"tried": tried}
