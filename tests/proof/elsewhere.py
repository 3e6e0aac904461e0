"""`autograder prove --versions`: the same proof on other Pythons, and with other numpys and matplotlibs, from this checkout.

Each environment of `versions.ENVIRONMENTS` gets a folder below .versions/, which git ignores, and runs one after the other.

    python -m tests.proof.elsewhere NAME [CASE]    what runs in the environment NAME, by its own Python
"""

import os
import shutil
import subprocess
import sys

from autograder.__main__ import LOCK, TEST_LOCK, stamp_of
from autograder.kept import write_whole
from autograder.paths import ROOT

from . import prove, record, versions

FOLDER = ROOT / ".versions"


class NoEnvironment(Exception):
    """An environment that does not exist, or cannot be made here; the text says why."""


def prove_versions(names=(), case=None):
    """Prove what has changed in these environments, in all unless given, and write the page.

    Returns lines about what is amiss, or could not be run; none where all is well. Raises NoEnvironment for a name that is none.
    """
    for name in names:
        if name not in versions.ENVIRONMENTS:
            raise NoEnvironment(f"there is no environment {name!r}; there are {', '.join(versions.ENVIRONMENTS)}")
    prove.units(case)  # says so where there is no such case
    lines = []
    try:
        for name in names or versions.ENVIRONMENTS:
            try:
                python = made(name, versions.ENVIRONMENTS[name])
            except NoEnvironment as error:
                lines.append(f"{name} was not run: {error}")
                continue
            print(f"autograder: proving in {name}.", flush=True)
            if _run([python, "-m", __name__, name, *([case] if case else [])]) != 0:
                lines.append(f"{name}: not everything was proven; what it said stands above")
    finally:
        prove.write_page()
    return lines


def prove_here(name, case=None):
    """Prove in this process's environment what is not proven in it as it stands. Returns lines about what is amiss.

    Each result is kept at once. A unit is amiss where it cannot be proven, or comes out worse than in the record.
    """
    recorded, kept = record.read(), versions.read()
    here = versions.part_of(kept, name)
    hashes = {unit: unit.hash() for unit in prove.units(case)}
    todo = [unit for unit in hashes if here["proven"].get(str(unit)) != versions.hash_in(here["has"], hashes[unit])]
    todo.sort(key=lambda unit: unit.kind == "answers")  # last what hangs on the grader, which changes most
    lines, left_out = [], 0
    for unit, came in prove.tried(todo):
        if prove.NOT_HERE in came:
            left_out += 1
            continue
        found = prove.complaints(unit, came, recorded) if unit.of(recorded) else [f"{unit} is in no record: {unit.mend}"]
        versions.note(here, str(unit), hashes[unit], is_amiss=bool(found))
        lines += found
        versions.write(kept)
    if left_out:
        print(f"{name}: parity was left out for {left_out} cases, as torch could not be installed.")
    return lines


def made(name, environment):
    """The Python of this environment, which is made where it is not there, or other packages are asked for."""
    folder = FOLDER / name
    python, stamp, wanted = folder / "bin" / "python", folder / "made-from.txt", stamp_of(LOCK, TEST_LOCK, "pyproject.toml")
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print(f"autograder: making the environment {name} in {FOLDER.name}/ (a minute or two).", flush=True)
    version = environment.python
    if shutil.which("uv"):
        venv, install = ["uv", "venv", "--quiet", "--python", version], ["uv", "pip", "install", "--quiet", "--compile-bytecode"]
        install += ["--python", python]
    else:
        venv, install = (
            [f"python{version}", "-m", "venv"],
            [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"],
        )
    if _run([*venv, folder]) != 0:
        raise NoEnvironment(f"Python {version} cannot be had: install it, or uv, which brings it")
    steps = [["-r", LOCK, "-r", TEST_LOCK], ["--no-deps", "-e", "."]]
    steps += [["--no-deps", *environment.pins()]] if environment.pins() else []
    if any(_run([*install, *step]) != 0 for step in steps):
        raise NoEnvironment("its packages could not be installed; why stands above")
    _run([*install, *versions.PROJECT["optional-dependencies"]["parity"]])  # without it parity is left out, which is told
    write_whole(stamp, wanted)
    return python


def _run(command):
    """Run it in the checkout; returns its exit status. One that is interrupted is waited for: it keeps what it has done."""
    try:
        with subprocess.Popen([os.fspath(each) for each in command], cwd=ROOT) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:
                process.wait()
                raise
    except FileNotFoundError:
        return 127


def main():
    """Prove in this environment; the exit code is 1 where something is amiss."""
    try:
        lines = prove_here(*sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    print("\n".join(lines or [f"{sys.argv[1]}: everything is proven."]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
