"""The changelog says of each case where it departs from the source documents."""

import re

from autograder.cases import read_stage
from autograder.paths import ROOT, STAGES


def test_the_changelog_has_one_line_for_each_case_in_the_course_order():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [case.id for stage in STAGES for case in read_stage(stage) if case.is_graded]
