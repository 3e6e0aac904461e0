"""nbgrader looks for its configuration where it is started: here. What it says lies in autograder/nbgrader_settings.py."""

from autograder.nbgrader_settings import configure

configure(get_config())  # noqa: F821 (traitlets provides get_config)
