"""The mutants of a solution: what is changed and what is not, how one is killed, and that each survivor has its reason."""

from types import SimpleNamespace

import pytest
from cosmic_ray.mutating import mutate_code

from autograder.judge import Check, Exercise

from .proof import mutants

OURS = [operator for operator in mutants.OPERATORS if operator.__module__ == mutants.__name__]
EXAMPLES = [(operator, example) for operator in OURS for example in operator.examples() if operator is not mutants.SmallNumber]
DOUBLE = Exercise(
    "double", "Case", (), "def double(n):\n    return 2 * n\n", (Check("double-check", "assert double(3) == 6", 1),)
)


@pytest.mark.parametrize("operator, example", EXAMPLES, ids=[example.pre_mutation_code.strip() for _, example in EXAMPLES])
def test_an_operator_makes_its_example(operator, example):
    assert mutate_code(example.pre_mutation_code, operator(), example.occurrence) == example.post_mutation_code


def test_each_mutant_differs_and_has_a_change_of_its_own():
    source = "def f(n, step=1):\n    return n + 1, n + 1, [n for n in range(50) if n % step < 3]\n"
    changes, sources = zip(*mutants.mutants(source))
    assert len(set(changes)) == len(changes) and len(set(sources)) == len(sources) and source not in sources
    assert {
        "f: `n + 1` -> `n - 1`",
        "f: `n + 1` -> `n - 1` (2)",
        "f: `step = 1` -> `step = 2`",
        "f: `range(50)` -> `range(25)`",
    } <= {*changes}


def test_docstrings_comments_texts_and_what_is_raised_stay():
    lines = [
        "def f(n):",
        '    """1 + 1, and 2 < 3."""',
        "    # 1 + 1",
        "    if n:",
        '        raise ValueError(f"{n + 1} is 1 + 1")',
        '    return f"{n + 1} is 1 + 1"',
    ]
    changes = [change for change, _ in mutants.mutants("\n".join(lines) + "\n")]
    assert changes == ["f: `if n:` -> `if not n:`", "f: `return f'{n + 1} is 1 + 1'` -> `pass`"]


@pytest.mark.parametrize(
    "source, survives",
    [
        ("def double(n):\n    return n + n\n", True),
        ("def double(n):\n    return n\n", False),
        ("def double(n:", False),
        ("def double(n):\n    while True: pass\n", False),
        ("def double(n):\n    return [n] * 10**12\n", False),
        ("import os\ndef double(n):\n    os._exit(0)\n", False),
    ],
    ids=["right", "wrong", "does not compile", "endless", "too large", "ends the process"],
)
def test_a_mutant_survives_only_where_the_checks_pass(source, survives):
    assert mutants._survives(DOUBLE, source, {}, limit=0.5)[0] == survives


@pytest.mark.parametrize(
    "reasons, complaint",
    [
        ({"a": "equivalent: it is", "b": "left: too dear"}, None),
        ({"a": "equivalent: it is", "*": "allowed: it is free"}, None),
        ({"a": "equivalent: it is"}, "no check sees these changes"),
        ({"a": "equivalent: it is", "b": "because"}, "no check sees these changes"),
        ({"a": "equivalent: it is", "b": "left: too dear", "c": "left: gone"}, "no mutant of these names survives"),
        ({"a": "equivalent: it is", "b": "left: too dear", "*": "allowed: gone"}, "no mutant of these names survives"),
    ],
    ids=["told", "told together", "untold", "no reason", "stale", "stale together"],
)
def test_each_survivor_has_its_reason_and_no_reason_is_stale(reasons, complaint, monkeypatch):
    monkeypatch.setattr(mutants, "_reasons", lambda: {"double": reasons})
    said = mutants._complaint(SimpleNamespace(id="double", path="12_double.py"), ["a", "b"])
    assert said is None if complaint is None else complaint in said
