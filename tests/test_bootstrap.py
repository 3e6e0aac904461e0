"""`python3 autograder COMMAND` on a bare machine: plain errors, and seconds the second time."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from autograder.paths import ROOT


@pytest.fixture
def bare_copy(tmp_path):
    """The project as a stranger has it, without an environment."""
    for name in ("autograder", "pyproject.toml", "requirements.txt", "requirements-test.txt"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def run(folder, *arguments, python=sys.executable, **environment):
    command = [python, "autograder", *arguments]
    return subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300)


def as_python(folder, version):
    """A command that runs the bootstrap as if this Python had another version."""
    script = folder / "as_python.py"
    script.write_text(
        "import runpy, sys\n"
        f"sys.version_info = {version}\n"
        "sys.argv = ['autograder', 'study']\n"
        "runpy.run_path('autograder', run_name='__main__')\n"
    )
    return subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, timeout=60)


def without_network(folder):
    """The environment of a process that finds no package; no cache helps it."""
    nowhere = "http://127.0.0.1:9/"  # an address where nothing listens
    offline = {"UV_INDEX_URL": nowhere, "UV_CACHE_DIR": str(folder / "cache"), "UV_HTTP_RETRIES": "0", "PIP_INDEX_URL": nowhere}
    return offline | {"PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", "PIP_FIND_LINKS": ""}


@pytest.mark.parametrize("version", [(3, 9, 2), (3, 14, 0)])
def test_a_python_outside_the_range_is_told_plainly(bare_copy, version):
    result = as_python(bare_copy, version)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert f"the course needs Python 3.11 to 3.13; this is {'.'.join(map(str, version))}" in result.stderr
    assert not (bare_copy / ".venv").exists()


@pytest.mark.parametrize("with_uv", [True, False])
def test_without_a_network_it_says_what_failed_and_tries_again_next_time(bare_copy, tmp_path, with_uv):
    if with_uv and not shutil.which("uv"):
        pytest.skip("uv is not installed")
    offline = without_network(tmp_path)
    if not with_uv:
        offline["PATH"] = os.pathsep.join(
            folder for folder in os.environ["PATH"].split(os.pathsep) if not os.path.exists(f"{folder}/uv")
        )
    base = os.path.realpath(sys.executable)  # the environment's own python has no pip
    for _ in range(2):
        result = run(bare_copy, "test", python=base, **offline)
        assert result.returncode == 1 and "Traceback" not in result.stderr.split("autograder: this step failed")[-1]
        assert "Is there a network" in result.stderr
        assert "making .venv" in result.stdout


def test_an_environment_makes_itself_anew(bare_copy, tmp_path):
    """Run with the python in .venv itself, where that is out of date, it is not left without any."""
    python = bare_copy / ".venv" / "bin" / "python"
    subprocess.run(
        [os.path.realpath(sys.executable), "-m", "venv", "--without-pip", str(bare_copy / ".venv")], check=True, timeout=60
    )
    result = run(bare_copy, "test", python=str(python), **without_network(tmp_path))
    assert "making .venv" in result.stdout and "Is there a network" in result.stderr
    assert python.exists()


def test_the_second_time_takes_seconds():
    environment = ROOT / ".venv" / "made-from.txt"
    if not environment.exists():
        pytest.skip("these tests do not run in the environment that the command makes")
    start = time.monotonic()
    result = run(ROOT, "--help", python=os.path.realpath(sys.executable))
    assert result.returncode == 0 and "study" in result.stdout and "making" not in result.stdout
    assert time.monotonic() - start < 10
