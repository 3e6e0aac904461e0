"""Starting a case: it is malformed nowhere, stops its first build for the right reason, and is never written over another."""

import re
import shutil

import pytest

from autograder.build import build
from autograder.cases import CaseError, case_paths, read_stage
from autograder.cli import main
from autograder.new import NoNewCase, new
from autograder.paths import SOLUTIONS, STAGES

from .answers import read_answers


@pytest.fixture
def places(tmp_path):
    """A copy of the cases, and a folder for answers."""
    for stage in STAGES:
        shutil.copytree(SOLUTIONS / stage / "cases", tmp_path / "solutions" / stage / "cases")
    return {"solutions": tmp_path / "solutions", "answers": tmp_path / "answers"}


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("stage, title", [("optimizers", r"Case \d+ · "), ("failures", r"Case \d\.\d · ")])
def test_a_new_case_stands_behind_the_last_and_can_be_read(places, stage, title):
    last = max(path.name for path in case_paths(stage))
    path, answers = new("uneven-batches", stage, **places)
    assert path.name == answers.name == f"{int(last[:2]) + 1:02}_uneven_batches.py"
    case = read_stage(stage, places["solutions"])[-1]
    assert case.id == "uneven-batches" and re.match(title, case.title)
    given, sign = read_answers(answers, case.of_kind("fix")[0].source)
    assert {answer.is_right for answer in given} == {True, False} and sign
    assert "THE" not in re.findall(r"[A-Z]+", path.read_text(encoding="utf-8") + answers.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", ["", "Uneven", "uneven_batches", "-uneven", "uneven-", "two--hyphens", "über", "../x", "a b", "x1"]
)
def test_a_name_that_is_no_id_is_refused(places, name):
    with pytest.raises(NoNewCase, match="words of a to z with hyphens"):
        new(name, **places)


def test_nothing_is_written_over(places, capsys):
    with pytest.raises(NoNewCase, match=r"02_spike_alert.py has that name already"):
        new("spike-alert", "optimizers", **places)
    lonely = places["answers"] / "optimizers" / "12_uneven_batches.py"
    lonely.parent.mkdir(parents=True)
    lonely.write_text("mine")
    before = files(places["solutions"].parent)
    with pytest.raises(NoNewCase, match="is there already"):
        new("uneven-batches", "optimizers", **places)
    (places["solutions"] / "optimizers" / "cases" / "99_last.py").write_text("")
    with pytest.raises(NoNewCase, match="two digits"):
        new("another", "optimizers", **places)
    (places["solutions"] / "optimizers" / "cases" / "99_last.py").unlink()
    assert files(places["solutions"].parent) == before
    assert main(["build", "--case", "uneven-batches"]) == 1 and "no case 'uneven-batches'" in capsys.readouterr().err
    assert main(["new", "spike-alert"]) == 1 and "has that name already" in capsys.readouterr().err


def test_a_new_case_stops_its_build_until_it_is_written(project_copy, tmp_path):
    course, solutions = project_copy
    path, _ = new("uneven-batches", solutions=solutions, answers=tmp_path / "answers")
    template = path.read_text(encoding="utf-8")

    def stops(text):
        path.write_text(text, encoding="utf-8")
        before = files(course), files(solutions)
        with pytest.raises(CaseError) as caught:
            build(course=course, solutions=solutions, case="uneven-batches")
        assert (files(course), files(solutions)) == before and str(path) in str(caught.value)
        return str(caught.value)

    assert "the check 'uneven-batches-check' passes with the BROKEN code: it must ask for what is broken" in stops(template)
    asking = template.replace("(2.0), 2.0,", "(2.0), 4.0,").replace("(x), x,", "(x), 2 * x,")
    assert "with the SOLUTION in place the cell 'uneven-batches-check' fails; mend one or the other" in stops(asking)
    mended = asking.replace("    return x\n    ### END SOLUTION", "    return 2 * x\n    ### END SOLUTION")
    assert ":2: write what the template leaves to you: '# ## Case 12 · TODO: what" in stops(mended)

    guide = (SOLUTIONS / "README.md").read_text(encoding="utf-8")
    path.write_text(re.search(r"```python\n(# %% \[markdown\].*?)```", guide, re.DOTALL).group(1), encoding="utf-8")
    before = files(course), files(solutions)
    assert build(course=course, solutions=solutions, case="uneven-batches") == []
    assert (files(course), files(solutions)) == before
