"""`python3 autograder COMMAND` on a bare machine: make .venv from the lock, install the project in it, run the command.

Standard library only, and no syntax newer than Python 3.6, so that an old Python reads as far as the message that names it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK, TEST_LOCK = "requirements.txt", "requirements-test.txt"
OLDEST, NEWEST = (3, 11), (3, 13)


def stop(message):
    sys.exit("autograder: " + message)


def dotted(version):
    return ".".join(str(part) for part in version)


def require_supported_python():
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    names = ["python" + dotted((3, minor)) for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    found = next((name for name in names if shutil.which(name)), None)
    stop(
        "the course needs Python {} to {}; this is {}.\n".format(dotted(OLDEST), dotted(NEWEST), dotted(sys.version_info[:3]))
        + (
            "Found a newer one: run  {} autograder {}".format(found, " ".join(sys.argv[1:]))
            if found
            else "Install one of them, then run this command with it. Nothing has been changed."
        )
    )


def stamp_of(*names):
    """What an environment was made from: these files, and this Python."""
    content = b"".join((ROOT / name).read_bytes() for name in names)
    return hashlib.sha256(content).hexdigest() + " " + dotted(sys.version_info[:3]) + "\n"


def this_python():
    """The Python that runs; where that is the one in .venv, which is removed when it is made anew, the one it was made with."""
    return sys._base_executable if Path(sys.prefix).resolve() == VENV.resolve() else sys.executable


def installer():
    """The start of a command line that installs into .venv: uv where it is there, else this Python's own pip."""
    if shutil.which("uv"):
        # Without bytecode every kernel would compile what it imports, and start slowly.
        return ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON)]
    # A Debian Python refuses to install into itself; it may install into another environment.
    return [this_python(), "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check", "install", "--quiet"]


def run_steps(steps):
    for step in steps:
        if subprocess.call(step) != 0:
            stop(
                "this step failed; what it said stands above:\n    {}\n".format(" ".join(step))
                + "Is there a network, and room on the disk? Nothing outside .venv was changed; run the command again to retry."
            )


def make_environment():
    print("autograder: first run with these packages: making .venv and installing them (a minute or two).", flush=True)
    if VENV.exists():
        shutil.rmtree(str(VENV))
    install = installer()
    if install[0] != "uv" and subprocess.call([this_python(), "-m", "pip", "--version"], stdout=subprocess.DEVNULL) != 0:
        stop("this Python has no pip. Install pip (on Debian: apt install python3-pip) or uv, and run the command again.")
    run_steps(
        [
            [this_python(), "-m", "venv", "--without-pip", str(VENV)],
            install + ["-r", str(ROOT / LOCK)],
            install + ["--no-deps", "-e", str(ROOT)],
        ]
    )


def ensure_environment(is_for_tests):
    """Make .venv where it is not there, or is made from something else. The tests need more packages than the course."""
    stamp, wanted = VENV / "made-from.txt", stamp_of(LOCK, "pyproject.toml")
    if not PYTHON.exists() or not stamp.exists() or stamp.read_text() != wanted:
        make_environment()
        stamp.write_text(wanted)
    stamp, wanted = VENV / "tests-made-from.txt", stamp_of(TEST_LOCK)
    if is_for_tests and (not stamp.exists() or stamp.read_text() != wanted):
        print("autograder: installing what only the tests need.", flush=True)
        run_steps([installer() + ["-r", str(ROOT / TEST_LOCK)]])
        stamp.write_text(wanted)


def main():
    require_supported_python()
    ensure_environment(is_for_tests=sys.argv[1:2] in (["test"], ["prove"]))
    command = [str(PYTHON), "-m", "autograder.cli"] + sys.argv[1:]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
