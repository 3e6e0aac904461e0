"""A malformed case stops the build with its file, its line and the mend; a well-formed one is read whole."""

import pytest

from autograder.cases import CaseError, read_case, read_stage, released

GOOD = """\
# %% [markdown]
# ## Case 1 · A complaint
#
# About 5 minutes · difficulty 1 of 5 · 3 points

# %% fix="my-case"
def answer():
    ### BEGIN BROKEN
    # return 41
    ### END BROKEN
    ### BEGIN SOLUTION
    return 42
    ### END SOLUTION

# %% run="my-case"
print(answer())

# %% check="my-case" points=3
def check_answer():
    check.close(answer(), 42, what="the answer is 42")

check.run(check_answer)
### BEGIN HIDDEN TESTS
check.run(check_answer)
### END HIDDEN TESTS

# %% [markdown]
# Hint 1, Hint 2, Hint 3, Discharge note
"""


def write(folder, text, name="01_my_case.py"):
    path = folder / "stage" / "cases" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_case_is_read_whole(tmp_path):
    case = read_case(write(tmp_path, GOOD))
    assert (case.id, case.points, case.title) == ("my-case", 3, "Case 1 · A complaint")
    assert [(cell.kind, cell.id, cell.line) for cell in case.cells] == [
        ("markdown", "my-case-text-1", 1),
        ("fix", "my-case", 6),
        ("run", "my-case-run", 15),
        ("check", "my-case-check", 18),
        ("markdown", "my-case-text-2", 27),
    ]


def test_a_fix_cell_may_have_a_pair_of_regions_in_each_of_its_functions(tmp_path):
    twice = GOOD.replace(
        "\n# %% run",
        "\ndef other():\n    ### BEGIN BROKEN\n    # return 1\n    ### END BROKEN\n"
        "    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION\n    # last\n\n# %% run",
    )
    fix = read_case(write(tmp_path, twice)).of_kind("fix")[0]
    assert released(fix.source) == "def answer():\n    return 41\n\ndef other():\n    return 1\n    # last"


def test_released_code_is_the_broken_region_in_place_of_the_solution(tmp_path):
    fix = read_case(write(tmp_path, GOOD)).of_kind("fix")[0]
    assert released(fix.source) == "def answer():\n    return 41"


def test_broken_code_keeps_its_indentation_comments_and_blank_lines():
    source = (
        "### BEGIN BROKEN\n# if x:\n#     # why\n#\n#     y = 1\n### END BROKEN\n### BEGIN SOLUTION\npass\n### END SOLUTION\nlast"
    )
    assert released(source) == "if x:\n    # why\n\n    y = 1\nlast"


@pytest.mark.parametrize(
    "old, new, line, words",
    [
        ("    ### END SOLUTION\n", "", 11, "the region SOLUTION is not closed"),
        ("    ### END BROKEN\n", "", 8, "the region BROKEN is not closed"),
        ("### END HIDDEN TESTS\n", "", 23, "the region HIDDEN TESTS is not closed"),
        ("    ### BEGIN BROKEN\n", "", 9, "END BROKEN without its BEGIN"),
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS", 23, "unknown region 'HIDEN TESTS'"),
        ("    # return 41", "    return 41", 9, "a line of the BROKEN region must be a comment"),
        ("def answer():", "def answer():" + "  # " + 100 * "x", 6, "wrap the lines of the cell to mend"),
        (" points=3", "", 18, "a check needs its points"),
        (" points=3", " points=0", 18, "a check needs its points"),
        (" points=3", " points=3 hard=1", 18, "unknown option 'hard'"),
        ("3 points", "4 points", 1, "the title must tell the points of its checks: · 3 points"),
        ('fix="my-case"', 'fix="other"', 6, "the file's name says 'my-case'"),
        ('# %% run="my-case"', "# %%", 15, "a code cell's header needs one of"),
        ("Hint 3", "", 1, "the text has no 'Hint 3'"),
        ("Discharge note", "", 1, "the text has no 'Discharge note'"),
        ("# %% [markdown]\n# ## Case", "# ## Case", 1, "the file must begin with a '# %%' line"),
    ],
)
def test_a_malformed_case_is_named_with_its_line_and_mend(tmp_path, old, new, line, words):
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(CaseError) as caught:
        read_case(path)
    assert str(caught.value).startswith(f"{path}:{line}: ") and words in str(caught.value)


def without_cell(start):
    """GOOD without the cell whose header begins with `start`."""
    cells = GOOD.split("# %% ")
    return "# %% ".join(cell for cell in cells if not cell.startswith(start))


@pytest.mark.parametrize("kind", ["fix", "run", "check"])
def test_a_case_without_one_of_its_cells_is_refused(tmp_path, kind):
    path = write(tmp_path, without_cell(f'{kind}="my-case"'))
    with pytest.raises(CaseError, match=f"the case has no {kind}"):
        read_case(path)


def test_an_id_used_twice_is_refused(tmp_path):
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, "02_my_case.py")
    with pytest.raises(CaseError, match=r"02_my_case.py:1: the cell id 'my-case-text-1' is used in 01_my_case.py:1 too"):
        read_stage("stage", tmp_path)


def test_a_name_defined_by_two_cases_is_refused(tmp_path):
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("my-case", "your-case"), "02_your_case.py")
    with pytest.raises(CaseError, match=r"02_your_case.py:6: 'answer' is defined in 01_my_case.py:6 too"):
        read_stage("stage", tmp_path)


def test_a_scene_that_needs_a_case_which_is_not_there_is_refused(tmp_path):
    scene = '# %% scene="my-case" needs="your-case"\nlimit = 3\n\n'
    write(tmp_path, GOOD.replace('# %% run="my-case"', scene + '# %% run="my-case"'))
    with pytest.raises(CaseError, match=r"01_my_case.py:15: the scene needs 'your-case'"):
        read_stage("stage", tmp_path)


def test_a_stage_without_cases_says_what_belongs_there(tmp_path):
    with pytest.raises(CaseError, match="there is no case here"):
        read_stage("nowhere", tmp_path)
