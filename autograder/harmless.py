"""Take out of a notebook what could run in the browser of whoever reads it, or call somewhere outside."""

import functools
import re

import bleach
import nbformat
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from nbconvert.preprocessors.sanitize import SanitizeHTML

from .paths import SOLUTIONS, STAGES, notebook_path

_TAGS = bleach.ALLOWED_TAGS | set(
    "br caption col colgroup dd del details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr img ins p pre s small span sub "
    "summary sup table tbody td tfoot th thead tr u".split()
)
_ATTRIBUTES = set("align alt class colspan height open rowspan scope style title width".split())
_PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")
# A cursor can have an address elsewhere.
_CSS = CSSSanitizer(allowed_css_properties=ALLOWED_CSS_PROPERTIES - {"cursor"} | {"max-width", "margin"})
_PROTOCOLS = {"http", "https", "mailto", "data"}


def _is_allowed(tag, name, value):
    if tag == "img" and name == "src":
        return _PICTURE.fullmatch(value) is not None  # a picture that lies elsewhere would tell when it is looked at
    return name in _ATTRIBUTES or (tag, name) == ("a", "href")


_POINTS = re.compile(r"[\d.e+]+ points?$")  # at the end of a line: an instructor may give a case others


@functools.cache
def _own_texts():
    cells = [cell for stage in STAGES for cell in nbformat.read(notebook_path(SOLUTIONS, stage), as_version=4).cells]
    return {cell.source for cell in cells if cell.cell_type == "markdown"}


@functools.cache
def _own_lines():
    return [_lines(text) for text in _own_texts()]


def _lines(text):
    return [_POINTS.sub("", line) for line in text.split("\n")]


def _is_own(text):
    """Whether it is a text of the course, or what `choice.choose` leaves of one: some of its lines, in their order."""
    if text in _own_texts():
        return True
    for own in _own_lines():
        rest = iter(own)
        if all(line in rest for line in _lines(text)):
            return True
    return False


class Harmless(SanitizeHTML):
    """nbconvert's own sanitizer. It keeps the course's own text as it is, and figures that lie in the page itself."""

    enabled = True
    sanitized_output_types = {"text/html"}  # not markdown, whose links can hold a script: what else the output holds is shown

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type != "code":
            if not _is_own(cell.source):
                # As it was typed, which is how the intake leaves it already.
                lines = cell.source.splitlines()
                is_verbatim = all(line.startswith("    ") for line in lines)
                cell.source = cell.source if is_verbatim else "\n".join(f"    {line}" for line in lines)
                cell.cell_type = "markdown"  # a raw cell would be put into the page as it is
                cell.pop("attachments", None)
            return cell, resources
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = {}  # such as the names of files to show in a picture's place
        return super().preprocess_cell(cell, resources, cell_index)

    def sanitize_html_tags(self, html_str):
        html = "".join(html_str) if isinstance(html_str, list) else html_str
        return bleach.clean(html, tags=_TAGS, attributes=_is_allowed, protocols=_PROTOCOLS, css_sanitizer=_CSS)
