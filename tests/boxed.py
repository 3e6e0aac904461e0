"""Judge an answer as the grader does: the learner's code in the sandbox, the checks in this process."""

import dataclasses
import functools

from clinic import check

from autograder.cases import released
from autograder.grader.box import Box, kind_of_sandbox
from autograder.grader.intake import defined_names, documented_names
from autograder.grader.referee import judge
from autograder.sandbox.limits import Limits

LIMITS = Limits(cell_seconds=60, call_seconds=60, submission_seconds=300)  # other tests run on the same cores


@functools.cache
def box():
    return Box(kind_of_sandbox())


def judge_in_box(exercise, answer, private_seed=None):
    """What each check of `exercise`, a solved one, says of `answer`, by the check's id; None where it passes."""
    setup, *needs = exercise.before
    scene = [needs.pop()] if needs else []
    documented = documented_names(*map(released, [exercise.fix, *needs]))
    sources = [
        ("locked", setup),
        *(("mend", need) for need in needs),
        *(("locked", source) for source in scene),
        ("mend", answer),
    ]
    cells = [{"id": f"before-{number}", "kind": kind, "source": source} for number, (kind, source) in enumerate(sources)]
    cells += [{"id": each.id, "kind": "check", "source": each.source} for each in exercise.checks]
    job = {
        "cells": cells,
        "exports": defined_names(exercise.fix, *needs),
        "documented": dict.fromkeys((each.id for each in exercise.checks), documented),
        "limits": dataclasses.asdict(LIMITS),
        "private_seed": private_seed,
        "skip": [],
    }
    try:
        outputs = judge(job, box())["outputs"]
    finally:
        check.private_seed = None  # each job has a process of its own in the grader, and here it has not
    errors = {name: [output["evalue"] for output in shown if output["output_type"] == "error"] for name, shown in outputs.items()}
    return {each.id: next(iter(errors[each.id]), None) for each in exercise.checks}
