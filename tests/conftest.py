"""Shared by all suites."""

import shutil

import pytest

from autograder.paths import COURSE, ROOT, SOLUTIONS


@pytest.fixture
def project_copy(tmp_path):
    """A copy of what a build reads and writes, (course, solutions), which a test may damage."""
    ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for folder in (COURSE, SOLUTIONS):
        shutil.copytree(folder, tmp_path / folder.name, ignore=ignore)
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path / "course", tmp_path / "solutions"
