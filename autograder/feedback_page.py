"""nbgrader's feedback page without any script, without the hidden checks, and with the cases' names in its list of marks."""

import html
import re

from nbconvert.exporters import HTMLExporter
from nbgrader import preprocessors as stock
from nbgrader.utils import is_grade

from .judge import exercises_in

# A browser that knows it runs nothing and asks nobody, whatever else the page may hold.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="'
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'; base-uri 'none'\"/>"
)


class HideHidden(stock.ClearHiddenTests):
    """nbgrader's own, for its check cells only: a learner who writes its words into a cell of theirs would else stop it."""

    def preprocess_cell(self, cell, resources, cell_index):
        return super().preprocess_cell(cell, resources, cell_index) if is_grade(cell) else (cell, resources)


def _without_fonts(style):
    """Bootstrap's style sheet names a font of icons beside the page, where it does not lie. Nothing in the page uses it."""
    return re.sub(r"@font-face\s*{[^}]*}", "", style[0])


def _named(page, notebook):
    """The page with the title of a case where nbgrader's list calls each check a "Test cell"."""
    for exercise in exercises_in(notebook):
        for check in exercise.checks:
            link = f'<a href="#{check.id}">'
            page = page.replace(f"{link}Test cell</a>", f"{link}{html.escape(exercise.title)}</a>", 1)
    return page


class FeedbackPage(HTMLExporter):
    """nbconvert's page without the scripts and fonts that its templates fetch, and with a policy that forbids any."""

    def from_notebook_node(self, nb, resources=None, **kwargs):
        page, resources = super().from_notebook_node(nb, resources, **kwargs)
        # The template's own: what stood in the notebook is escaped or cleared by now.
        page = re.sub(r"<script\b.*?</script\s*>", "", page, flags=re.DOTALL | re.IGNORECASE)
        page = re.sub(r"<style\b.*?</style\s*>", _without_fonts, page, flags=re.DOTALL | re.IGNORECASE)
        return _named(page.replace("<head>", f"<head>\n{_POLICY}", 1), nb), resources
