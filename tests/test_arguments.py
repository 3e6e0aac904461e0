"""What a check hands to a learner's code it does not rely on afterwards: rewriting it earns nothing.

In the notebook and in the grader alike, work in place on an argument is seen by the caller. So each solution is wrapped in code
that spoils every array and list it was given, and must pass all the same, or be told that its arguments are not its own.
"""

import ast
import copy
import functools

import numpy as np
import pytest

from autograder.judge import judge, read_exercises
from autograder.paths import SOLUTIONS, STAGES, notebook_path

# Words in which a check says that what it handed over is to stay as it is.
STAYS = "as it was|as they are|as it is|as they were|stays as|stay as|is not changed|are not changed|do not change|is changed"
EXERCISES = [exercise for stage in STAGES for exercise in read_exercises(notebook_path(SOLUTIONS, stage))]



@pytest.mark.parametrize("exercise", [each for each in EXERCISES if each.id != "triage"], ids=lambda exercise: exercise.id)
def test_spoilt_arguments_earn_nothing(exercise):
    names = [node.name for node in ast.parse(exercise.fix).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    wrapping = "\n".join(f"{name} = spoiling({name})" for name in names)
    answer = f"{exercise.fix}\nfrom tests.test_arguments import spoiling\n{wrapping}\n"
    for verdict in judge(exercise, answer):
        said = " ".join((verdict.message or "").split())
        assert verdict.passed or any(words in said.split(" call ")[0] for words in STAYS.split("|")), verdict.message


def test_spoiling_spoils():
    def total(numbers, table):
        return sum(numbers) + table["a"].sum()

    numbers, table = [1.0, 2.0], {"a": np.ones(3)}
    assert spoiling(total)(numbers, table) == 6
    assert np.isnan(numbers).all() and np.isnan(table["a"]).all()

    def add_one(x):
        x += 1

    x = np.zeros(2)
    spoiling(add_one)(x)
    assert x.tolist() == [1, 1], "what it is there to change it changes"


def spoiling(thing):
    """A function or class that does what `thing` does, with copies of its arguments, and then spoils the arguments.

    An argument that `thing` itself changes is changed, and not spoilt.
    """
    if isinstance(thing, type):
        methods = {
            name: method for name, method in vars(thing).items() if callable(method) and (name[0] != "_" or name == "__init__")
        }
        return type(thing.__name__, (thing,), {name: _spoiling(method, first=1) for name, method in methods.items()})
    return _spoiling(thing, first=0)


def _spoiling(function, first):
    @functools.wraps(function)
    def call(*args, **kwargs):
        ours = [each for each in (*args[first:], *kwargs.values()) if _is_data(each)]
        memo, before = {}, [copy.deepcopy(each) for each in ours]
        copies = {id(each): copy.deepcopy(each, memo) for each in ours}
        result = function(*(copies.get(id(each), each) for each in args), **{k: copies.get(id(v), v) for k, v in kwargs.items()})
        for each, old in zip(ours, before):
            if _is_same(copies[id(each)], old):
                _spoil(each)
            else:
                _fill(each, copies[id(each)])
        return result

    return call


def _is_data(thing):
    if isinstance(thing, dict):
        return all(map(_is_data, thing.values()))
    if isinstance(thing, (list, tuple)):
        return all(map(_is_data, thing))
    return thing is None or isinstance(thing, (np.ndarray, np.generic, int, float, complex, str, bytes))


def _is_same(one, other):
    try:
        np.testing.assert_equal(one, other)
    except AssertionError:
        return False
    return True


def _spoil(thing):
    if isinstance(thing, np.ndarray) and thing.dtype.kind in "fiuc" and thing.flags.writeable:
        thing[...] = np.nan if thing.dtype.kind in "fc" else 0
    for key, item in (
        list(thing.items()) if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, (list, tuple)) else ()
    ):
        if isinstance(item, (int, float)) and not isinstance(item, bool) and not isinstance(thing, tuple):
            thing[key] = float("nan")
        else:
            _spoil(item)


def _fill(thing, new):
    if isinstance(thing, np.ndarray) and thing.flags.writeable:
        thing[...] = new
    elif isinstance(thing, list):
        thing[:] = new
    elif isinstance(thing, dict):
        thing.clear()
        thing.update(new)
    elif isinstance(thing, tuple):
        for old, item in zip(thing, new):
            _fill(old, item)
