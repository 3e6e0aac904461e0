"""For every reader: pictures are told in words, headings and links lead somewhere, colours can be seen and told apart."""

import ast
import functools
import itertools
import re

import nbformat
import numpy as np
import pytest
from clinic import BROKEN, MENDED
from matplotlib.colors import to_rgb

from autograder.paths import COURSE, ROOT, SOLUTIONS, STAGES, notebook_path

IGNORED = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()}
PAGES = [
    path.relative_to(ROOT)
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/**/*.md")])
    if not IGNORED & set(path.relative_to(ROOT).parts)
]
DRAWING = [path.relative_to(ROOT) for path in sorted([COURSE / "clinic/plots.py", *SOLUTIONS.glob("*/cases/*.py")])]
NOTEBOOKS = [notebook_path(folder, stage) for folder in (COURSE, SOLUTIONS) for stage in STAGES]
each_page = pytest.mark.parametrize("page", PAGES, ids=str)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
each_drawing = pytest.mark.parametrize("path", DRAWING, ids=str)


@functools.cache
def read(path):
    return nbformat.read(path, as_version=4).cells


def prose_of(cells):
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def without_code(text):
    return re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.DOTALL | re.MULTILINE)


# Words and links


def pictures_of(text):
    """The alternative texts of the pictures in markdown or HTML; None where there is none."""
    found = re.findall(r"!\[(.*?)\]\(", text, re.DOTALL)
    for tag in re.findall(r"<img\b[^>]*>", text):
        found += re.findall(r'\balt="([^"]*)"', tag) or [None]
    return found


@each_page
def test_a_page_tells_its_pictures_and_its_headings_go_down_one_level_at_a_time(page):
    text = without_code((ROOT / page).read_text(encoding="utf-8"))
    assert all(alt and len(alt) > 40 for alt in pictures_of(text))
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@each_notebook
def test_a_notebook_shows_no_picture_without_words(path):
    assert all(alt and len(alt) > 40 for text in prose_of(read(path)) for alt in pictures_of(text))
    for cell in read(path):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert not [kind for kind in data if kind.startswith("image/")], f"{cell.id}: use clinic.show, which takes words"
            assert all(alt and len(alt) > 60 for alt in pictures_of(data.get("text/html", ""))), cell.id


def links_of(text):
    """Where the links of a text go that go to no other place."""
    found = re.findall(r"\]\(([^)\s]+)\)|href=[\"']([^\"']+)", without_code(text))
    return [link for pair in found for link in pair if link and not re.match(r"[a-z]+:", link)]


def anchors_of(page):
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M), re.M)
    plain = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).replace("`", "") for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def dead_links(links, folder):
    for link in links:
        file, _, anchor = link.partition("#")
        target = (folder / file).resolve()
        if target.suffix == ".ipynb" and target.exists() and anchor in {f"cell-id={cell.id}" for cell in read(target)}:
            continue
        if not target.exists() or anchor and anchor not in anchors_of(target):
            yield link


@each_page
def test_the_links_of_a_page_lead_somewhere(page):
    path = ROOT / page
    links = [path.name + link if link.startswith("#") else link for link in links_of(path.read_text(encoding="utf-8"))]
    assert list(dead_links(links, path.parent)) == []


@each_notebook
def test_the_links_of_a_notebook_lead_somewhere(path):
    links = [link for text in prose_of(read(path)) for link in links_of(text)]
    cells = {cell.id for cell in read(path)}
    assert [link for link in links if link.startswith("#") and link.removeprefix("#cell-id=") not in cells] == []
    assert list(dead_links([link for link in links if not link.startswith("#")], path.parent)) == []


@each_notebook
def test_each_dollar_sign_opens_or_closes_a_formula(path):
    for text in map(without_code, prose_of(read(path))):
        assert "$" not in re.sub(r"\$\$.+?\$\$|\$[^$]+\$", "", text, flags=re.DOTALL), text


# Colours

WHITE, SEEN, READ = np.ones(3), 3.0, 4.5  # WCAG 2.2, 1.4.11 and 1.4.3
GROUND = {"white", "none"}
WORDS = {"text", "annotate", "set_title", "suptitle", "set_xlabel", "set_ylabel"}
COLOUR_NAMES = {"color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor", "ecolor"}
LOOK_NAMES = {"linestyle", "linewidth", "marker", "hatch", "fmt"}
# Machado, Oliveira & Fernandes 2009, doi 10.1109/TVCG.2009.113: complete protanopia, deuteranopia, tritanopia, for linear RGB.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])


def linear(colour, alpha=1.0):
    """A colour over white in linear RGB."""
    seen = alpha * np.array(to_rgb(colour)) + 1 - alpha
    return np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)


def contrast(colour, alpha=1.0):
    """The contrast ratio of WCAG 2.2 to white: from 1, none, to 21."""
    return 1.05 / (TO_XYZ[1] @ linear(colour, alpha) + 0.05)


def lab(rgb):
    """CIE L*a*b* of a colour in linear RGB, for daylight D65."""
    xyz = TO_XYZ @ rgb / (TO_XYZ @ WHITE)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(a, b):
    """The CIE 1976 difference of two colours, to whoever tells them apart worst. About 2 is just seen side by side."""
    seen = [[lab(np.clip(np.asarray(vision) @ linear(colour), 0, 1)) for colour in (a, b)] for vision in VISIONS.values()]
    return min(float(np.linalg.norm(first - second)) for first, second in seen)


def colours_in(node):
    """The colours that a value may have; of `style["color"]`, whatever style is called, those of both runs."""
    if isinstance(node, ast.IfExp):
        return colours_in(node.body) | colours_in(node.orelse)
    if isinstance(node, ast.Constant):
        return {node.value} - {None}
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "'color'":
        runs = {"BROKEN": [BROKEN], "MENDED": [MENDED]}.get(ast.unparse(node.value), [BROKEN, MENDED])
        return {style["color"] for style in runs}
    return set()


@functools.cache
def drawn_in(path):
    """What is drawn: for each call or dict that names a colour line, colours by what has them, alpha, its name, look."""
    found = []
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            formats = [
                arg for arg in node.args if isinstance(arg, ast.Constant) and re.fullmatch(r"[-:.osXDv^]+", str(arg.value))
            ]
            named |= {"fmt": formats[0]} if formats else {}
        elif isinstance(node, ast.Dict):
            named = {key.value: value for key, value in zip(node.keys, node.values) if isinstance(key, ast.Constant)}
            name = "dict"
        else:
            continue
        colours = {key: colours_in(named[key]) - GROUND for key in COLOUR_NAMES & set(named)}
        if any(colours.values()):
            alpha = named["alpha"].value if isinstance(named.get("alpha"), ast.Constant) else 1.0
            found.append((node.lineno, colours, alpha, name, {key: ast.unparse(named[key]) for key in LOOK_NAMES & set(named)}))
    return found


@each_drawing
def test_what_is_drawn_can_be_seen_and_words_can_be_read(path):
    """Of a face and its edge, one has to be seen."""
    for line, colours, alpha, name, _ in drawn_in(path):
        ratios = [min(contrast(colour, alpha) for colour in some) for some in colours.values() if some]
        assert max(ratios) >= (READ if name in WORDS else SEEN), f"{path}:{line}: too pale, {max(ratios):.2f} : 1"


def looks_in(path):
    """What tells apart what is drawn: the colours that it may have, and the rest of its look."""
    for _, colours, _, name, look in drawn_in(path):
        seen = {colour for some in colours.values() for colour in some if contrast(colour) >= SEEN}
        if seen and name not in WORDS:
            yield seen, look


@each_drawing
def test_colours_that_some_readers_confuse_differ_in_more_than_colour(path):
    """So do the broken and the mended run, whose colours nobody confuses, but a printer may."""
    for (one, look), (another, other_look) in itertools.combinations(looks_in(path), 2):
        are_runs = {*one, *another} == {BROKEN["color"], MENDED["color"]} and len(one) == len(another) == 1
        are_alike = any(a != b and difference(a, b) < 20 for a in one for b in another)
        if are_runs or are_alike:
            assert look != other_look, f"{path}: {one} and {another}, both {look}, differ in nothing else"


def test_the_broken_and_the_mended_run_are_told_apart_without_colour_too():
    assert difference(BROKEN["color"], MENDED["color"]) > 60
    assert BROKEN["linestyle"] != MENDED["linestyle"]
    assert MENDED["linewidth"] > 1.5 * BROKEN["linewidth"]


def test_the_measures_are_right():
    """#767676 is the palest grey that WCAG allows for words; red and green come closer to those whom they confuse."""
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01) and contrast("black") == pytest.approx(21)
    assert difference("black", "white") == pytest.approx(100, abs=0.1)
    assert difference("#ff0000", "#00ff00") < 0.6 * np.linalg.norm(lab(linear("#ff0000")) - lab(linear("#00ff00")))
