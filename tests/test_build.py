"""The build: reproducible, strict about drift, and harmless when it fails."""

import hashlib
from pathlib import Path

import nbformat
import pytest

from autograder import atlas
from autograder.build import BuildError, build
from autograder.cases import CaseError, read_stage
from autograder.compare import differences, output_differences
from autograder.paths import COURSE, ROOT, STAGES, notebook_path


def digests(folder):
    kept = (path for path in Path(folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_the_repository_holds_what_its_cases_build_and_two_builds_are_the_same_bytes(project_copy, tmp_path):
    course, solutions = project_copy
    before = digests(tmp_path)
    build(course=course, solutions=solutions)
    first = digests(tmp_path)
    # Other processors make other last digits, and so other bytes: the repository is compared by tolerance.
    changed = [Path(name) for name in first if first[name] != before.get(name)]
    assert [line for name in changed for line in differences(ROOT / name, tmp_path / name)] == []
    build(STAGES[:2], course=course, solutions=solutions)  # the third, which takes longest, is made by the same lines
    assert digests(tmp_path) == first


@pytest.fixture
def small_stage(project_copy):
    """A course whose first stage has but its opening and one case, so that a build takes seconds. Returns its case too."""
    course, solutions = project_copy
    for path in (solutions / STAGES[0] / "cases").glob("*.py"):
        if not path.name.startswith(("00_", "01_")):
            path.unlink()
    build(STAGES[:1], course=course, solutions=solutions)
    return course, solutions, next((solutions / STAGES[0] / "cases").glob("01_*.py"))


def damaged_build(small_stage, old, new):
    """Build after a change to the case; the build must fail, and leave everything but the case as it was. Returns its words."""
    course, solutions, case = small_stage
    text = case.read_text(encoding="utf-8")
    assert old in text
    case.write_text(text.replace(old, new, 1), encoding="utf-8")
    before = digests(course), digests(solutions)
    with pytest.raises((BuildError, CaseError)) as caught:
        build(STAGES[:1], course=course, solutions=solutions)
    assert (digests(course), digests(solutions)) == before
    assert str(case) in str(caught.value)
    return str(caught.value)


def test_a_broken_version_that_passes_stops_the_build(small_stage):
    text = small_stage[2].read_text(encoding="utf-8")
    solution = text.split("### BEGIN SOLUTION\n")[1].split("    ### END SOLUTION")[0]
    as_comment = "".join(f"    # {line.removeprefix('    ')}\n" for line in solution.splitlines())
    assert "passes with the BROKEN code" in damaged_build(small_stage, "    # return 0.1\n", as_comment)


def test_a_solution_that_fails_stops_the_build(small_stage):
    words = damaged_build(small_stage, "return 1.5 / ", "return 15 / ")
    assert "with the SOLUTION in place the cell 'lr-too-high-check' fails" in words and "the loss never rises" in words


def test_a_broken_version_that_does_not_run_stops_the_build(small_stage):
    words = damaged_build(small_stage, "    # return 0.1\n", "    # return no_such_name\n")
    assert "the cell 'lr-too-high-run' fails" in words and "no_such_name" in words


def test_drift_is_named_with_its_case(small_stage):
    course, solutions, case = small_stage
    path = notebook_path(course, STAGES[0])
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == "lr-too-high")
    cell.source += "\n# drift"
    nbformat.write(notebook, path)
    drift = build(STAGES[:1], check=True, course=course, solutions=solutions)
    assert drift == ["course/optimizers/optimizers.ipynb: the cell 'lr-too-high' differs from its case: run  autograder build"]


def test_a_build_of_one_stage_keeps_the_others_in_the_atlas_and_drops_what_has_no_case(small_stage):
    course, solutions, _ = small_stage
    there = [case.id for stage in STAGES for case in read_stage(stage, solutions) if case.is_graded]
    page = (course / atlas.PAGE).read_text(encoding="utf-8")
    assert there[0] == "lr-too-high" and len(there) == 58
    assert list(atlas.read_alts(page)) == there
    assert {path.stem for path in (course / atlas.FOLDER).iterdir()} == set(there)
    assert (course.parent / "README.md").read_text(encoding="utf-8").count("#cell-id=") == len(there)
    kept = there[-1] + ".png"
    assert (course / atlas.FOLDER / kept).read_bytes() == (COURSE / atlas.FOLDER / kept).read_bytes()


def a_stream(text):
    return [nbformat.v4.new_output("stream", name="stdout", text=text)]


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("loss 0.50 at 3\n", "loss 0.50 at 3\n", []),
        ("loss 0.50 at 3\n", "loss 0.51 at 3\n", []),
        ("loss 0.50 at 3\n", "loss 0.70 at 3\n", ["has other numbers"]),
        ("loss 0.50 at 3\n", "cost 0.50 at 3\n", ["has other words"]),
        ("loss nan\n", "loss 0.5\n", ["has other words"]),
    ],
)
def test_outputs_are_compared_by_their_words_and_by_tolerance(old, new, said):
    assert output_differences(a_stream(old), a_stream(new)) == said


def test_another_picture_is_seen(tmp_path):
    """One pixel block of a figure painted over is drift; the same figure is none."""
    import base64
    import io
    import re

    import matplotlib.image

    path = notebook_path("solutions", STAGES[0])
    notebook = nbformat.read(path, as_version=4)
    copy = tmp_path / path.name
    nbformat.write(notebook, copy)
    assert differences(path, copy) == []
    output = next(
        output for cell in notebook.cells for output in cell.get("outputs", []) if "text/html" in output.get("data", {})
    )
    html = output.data["text/html"]
    picture = re.search(r"base64,([A-Za-z0-9+/=]+)", html).group(1)
    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(picture))).copy()
    pixels[50:150, 50:250, :3] = 0
    painted = io.BytesIO()
    matplotlib.image.imsave(painted, pixels, format="png")
    output.data["text/html"] = html.replace(picture, base64.b64encode(painted.getvalue()).decode())
    nbformat.write(notebook, copy)
    assert len(differences(path, copy)) == 1 and differences(path, copy)[0].endswith("has another picture")
