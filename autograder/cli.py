"""The command line: `autograder COMMAND`."""

import argparse
import sys

from .paths import STAGES


def main(argv=None):
    """Run one command; returns its exit status. Expected failures are one plain message and status 1."""
    parser = argparse.ArgumentParser(prog="autograder", description="Study, build, test and grade the Training Clinic.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="make solutions/ and course/ from the cases")
    build.add_argument("stage", nargs="*", choices=[*STAGES, []], metavar="STAGE", help=f"{', '.join(STAGES)}; all unless given")
    build.add_argument("--check", action="store_true", help="write nothing; say what differs, and fail where something does")
    build.set_defaults(run=_build)

    options = parser.parse_args(argv)
    return options.run(options)


def _build(options):
    from .build import BuildError, build
    from .cases import CaseError

    try:
        drift = build(options.stage, check=options.check)
    except (BuildError, CaseError) as error:
        return _fail(str(error))
    for line in drift:
        print(line)
    if not drift:
        print("Everything is as its cases say." if options.check else "Built.")
    return 1 if drift else 0


def _fail(message):
    print(f"autograder: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
