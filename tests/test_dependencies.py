"""One list of dependencies: environment.yml and the lock agree with pyproject.toml."""

import re
import subprocess
import sys
import tomllib

import yaml
from packaging.requirements import Requirement

from autograder.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WANTED = {requirement.name: requirement for requirement in map(Requirement, PROJECT["dependencies"])}
NAMED = {"jupyterlab", "numpy", "matplotlib", "nbgrader", "pytest", "nbval"}


def test_environment_yml_names_the_six_packages_as_the_project_does_and_installs_it():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    named = {requirement.name: requirement for requirement in (Requirement(entry) for entry in entries if isinstance(entry, str))}
    assert set(named) == NAMED | {"python", "pip"}
    assert str(named["python"].specifier) == str(Requirement("python" + PROJECT["requires-python"]).specifier)
    assert {name: str(named[name].specifier) for name in NAMED} == {name: str(WANTED[name].specifier) for name in NAMED}
    assert [entry for entry in entries if isinstance(entry, dict)] == [{"pip": ["-e ."]}]


def test_the_lock_satisfies_the_project_and_names_no_registry():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    locked = [Requirement(line) for line in text.splitlines() if re.match(r"[a-zA-Z]", line)]
    for name, wanted in WANTED.items():
        versions = [next(iter(pin.specifier)).version for pin in locked if pin.name == name]
        assert versions, f"{name} is not in requirements.txt: compile it again"
        assert all(version in wanted.specifier for version in versions)
    assert all(len(pin.specifier) == 1 and next(iter(pin.specifier)).operator == "==" for pin in locked)
    assert not re.search(r"https?://|^--|^-[a-z] ", text, re.MULTILINE)


def test_no_command_waits_for_a_grammar_that_no_notebook_needs():
    """jsonschema builds a parser of international addresses at its import, which takes longer than all else that starts."""
    code = "import autograder, nbformat, sys; from nbformat import validator; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
