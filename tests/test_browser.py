"""What people see: headless Chromium against the JupyterLab that `study` opens, formgrader, and the feedback page."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import nbformat
import pytest
from playwright.sync_api import expect, sync_playwright

from autograder.cases import read_stage
from autograder.paths import COURSE, SOLUTIONS, STAGES, notebook_path

from .classroom import CASES, FULL, STAGE, hand_in, points, wait_for

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium (Debian: chromium)")

expect.set_options(timeout=60_000)  # on a busy machine
SILENT = ["--disable-gpu", "--disable-quic", "--disable-sync"]
STUDY = """import sys; from pathlib import Path; from autograder import study
study.STUDY = Path(sys.argv[1]); study.study(browser=False)"""
GRADE = """import sys; from autograder.feedback import feedback; from autograder.grade import grade
grade(root=sys.argv[1], stages=["optimizers"]); feedback(["optimizers"], root=sys.argv[1])"""
MENDS = {  # for a case the line that is broken, and what a learner types in its place
    "lr-too-high": ("return 0.1", "return len(y) / np.linalg.eigvalsh(x.T @ x)[-1] / 2"),
    "momentum-init": ("self.velocities = [new_buffer(param)", "self.velocities = [np.zeros_like(param) for param in params]"),
}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SILENT)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, request, tmp_path):
    """An empty page. Where the test fails, what it shows is kept as a picture."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        page.screenshot(path=tmp_path / "page.png")
        print(f"What the page showed: {tmp_path / 'page.png'}")
    page.close()


@contextlib.contextmanager
def serving(command, folder):
    """A Jupyter server with nobody's settings. Yields its address, a format with the path in it."""
    jupyter = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    (folder / "CONFIG").mkdir()
    (folder / "CONFIG" / "jupyter_lab_config.json").write_text('{"LabApp": {"expose_app_in_browser": true}}')  # for `bring`
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env={**os.environ, **jupyter, "IPYTHONDIR": str(folder / "ipython")},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(lambda: server.poll() is not None or list((folder / "RUNTIME").glob("jpserver-*.json")))
        assert server.poll() is None, (folder / "server.log").read_text()
        said = json.loads(next((folder / "RUNTIME").glob("jpserver-*.json")).read_text())
        yield f"{said['url']}{{}}?token={said['token']}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the server ends its kernels
        server.wait()
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not list((folder / "RUNTIME").glob("jpserver-*.json")), seconds=20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """The server of `autograder study` on a fresh copy: (the address of a notebook, the copy)."""
    folder = tmp_path_factory.mktemp("learner")
    with serving(["-c", STUDY, str(folder / "study")], folder) as address:
        yield address, folder / "study"


def open_notebook(page, learner, path):
    """Open it, and wait for its kernel. Returns the cells of the file."""
    address, study = learner
    page.goto(address.format(f"lab/tree/{path}") + "&reset")  # without the tabs of another test
    expect(page.locator(".jp-NotebookPanel-toolbar")).to_contain_text("Python 3")
    wait_until_idle(page)
    return nbformat.read(study / path, as_version=4).cells


def wait_until_idle(page):
    """Until every cell that was asked for is run."""
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=240_000)
    expect(page.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(0, timeout=240_000)


def place_of(cells, name):
    return [cell.id for cell in cells].index(name)


def cell_of(page, cells, name):
    """The cell, scrolled to: JupyterLab keeps only what is near the window in the page."""
    place = place_of(cells, name)
    page.evaluate(
        """async place => {
            const notebook = jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = place;
            await notebook.scrollToItem(place, 'center');
        }""",
        place,
    )
    return page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{place}"]')


def shown_by(page, cells, name):
    return cell_of(page, cells, name).locator(".jp-OutputArea")


def run_to(page, cells, first, last):
    """Shift+Enter again and again, from the cell `first`, in which the cursor is, to the cell `last`."""
    for _ in range(place_of(cells, last) - place_of(cells, first) + 1):
        page.keyboard.press("Shift+Enter")


def saved(page, path):
    """The cells as JupyterLab saves them."""
    page.keyboard.press("Control+s")
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)
    return nbformat.read(path, as_version=4).cells


def require_no_popup(page):
    assert page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts() == []


def require_contents(page, cells):
    """JupyterLab's own table of contents has the stage and its cases."""
    titles = re.findall(r"^##? (.+)$", "\n".join(cell.source for cell in cells if cell.cell_type == "markdown"), re.MULTILINE)
    page.get_by_role("tab", name="Table of Contents").click()
    for title in titles:
        expect(page.locator(".jp-TableOfContents-tree .jp-tocItem-content", has_text=title).first).to_be_attached()


def badly_drawn(page):
    """What stands in the text as it was typed where a formula should be, and what MathJax does not understand."""
    return page.evaluate(
        """() => {
            const typed = [...document.querySelectorAll('.jp-RenderedMarkdown')].flatMap(text => {
                const copy = text.cloneNode(true);
                copy.querySelectorAll('mjx-container, code, pre').forEach(drawn => drawn.remove());
                return copy.textContent.match(/.{0,40}\\$.{0,40}|.{0,40}Math processing error/g) || [];
            });
            return [...typed, ...[...document.querySelectorAll('mjx-merror')].map(error => error.textContent)];
        }"""
    )


def run_all(page, learner, stage):
    """Open a stage, run all of it, and save it. Returns the cells of the file."""
    path = f"{stage}/{stage}.ipynb"
    cells = open_notebook(page, learner, path)
    require_no_popup(page)
    require_contents(page, cells)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")).to_be_visible()
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=900_000)
    require_no_popup(page)
    executed = [cell for cell in saved(page, learner[1] / path) if cell.cell_type == "code"]
    assert [cell.execution_count for cell in executed] == list(range(1, len(executed) + 1))
    return cells


def test_run_all_goes_to_the_end_and_two_cases_are_mended_at_the_keyboard(page, learner):
    cells = run_all(page, learner, STAGE)
    for cell in cells:
        if re.search(r"-run(-|$)", cell.id):
            figure = shown_by(page, cells, cell.id).locator("figure")
            expect(figure).to_have_count(1)
            assert len(figure.locator("img").get_attribute("alt")) > 60 and len(figure.locator("figcaption").inner_text()) > 20
        elif cell.cell_type == "markdown":
            expect(cell_of(page, cells, cell.id).locator(".jp-RenderedMarkdown")).not_to_be_empty()
            assert badly_drawn(page) == []
    for case, (line, typed) in MENDS.items():
        expect(shown_by(page, cells, f"{case}-check")).to_contain_text("Not yet: ")
        cell_of(page, cells, case).locator(".cm-line", has_text=line).click()
        page.keyboard.press("Home")
        page.keyboard.press("Shift+End")
        page.keyboard.type(typed)
        run_to(page, cells, case, f"{case}-check")
        wait_until_idle(page)
        expect(shown_by(page, cells, f"{case}-check")).to_have_text("Passed.")


@pytest.mark.parametrize("stage", STAGES[1:])
def test_run_all_goes_to_the_end_in_the_other_stages(page, learner, stage):
    cells = run_all(page, learner, stage)
    last = [cell.id for cell in cells if cell.id.endswith("-check")][-1]
    expect(shown_by(page, cells, last)).to_contain_text("Not yet: ")


@pytest.mark.parametrize("case", ["validation-early-stop", "diag-init"])
def test_a_panel_of_the_atlas_leads_to_its_case(page, learner, case):
    page.goto(learner[0].format("lab/tree/atlas.md") + "&reset")
    panel = page.locator(f'.jp-RenderedMarkdown a[href*="cell-id={case}-text-1"]').first
    title = next(cell.title for stage in STAGES for cell in read_stage(stage) if cell.id == case)
    panel.click()
    expect(page.locator(".jp-Notebook").get_by_role("heading", name=title)).to_be_in_viewport()


def test_every_formula_is_drawn(page, learner):
    """Those that hold a command of TeX's, each once, in one cell."""
    texts = [
        re.sub(r"^```.*?^```$|`[^`\n]+`", "", cell.source, flags=re.DOTALL | re.MULTILINE)
        for stage in STAGES
        for cell in nbformat.read(notebook_path(COURSE, stage), as_version=4).cells
        if cell.cell_type == "markdown"
    ]
    formulas = sorted(
        {formula for text in texts for formula in re.findall(r"\$\$.+?\$\$|\$[^$]+\$", text, re.S) if "\\" in formula}
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("\n\n".join(formulas))])
    nbformat.write(notebook, learner[1] / "formulas.ipynb")
    page.goto(learner[0].format("lab/tree/formulas.ipynb") + "&reset")
    expect(page.locator("mjx-container")).to_have_count(len(formulas), timeout=120_000)
    assert badly_drawn(page) == []


def validate(page, learner, name, cases=()):
    """Press nbgrader's Validate on a notebook in which `cases` are mended; returns what it says."""
    notebook = nbformat.read(notebook_path(COURSE, STAGE), as_version=4)
    solved = {cell.id: cell.source for cell in nbformat.read(notebook_path(SOLUTIONS, STAGE), as_version=4).cells}
    for cell in notebook.cells:
        cell.source = solved[cell.id] if cell.id in cases else cell.source
    notebook.cells = [cell for cell in notebook.cells if not re.search(r"-run(-|$)", cell.id)]  # a figure takes its time
    nbformat.write(notebook, learner[1] / STAGE / name)
    open_notebook(page, learner, f"{STAGE}/{name}")
    page.get_by_role("button", name="Validate", exact=True).click()
    dialog = page.locator(".jp-Dialog-content", has_text="Validation Results")
    said = dialog.inner_text(timeout=240_000)
    dialog.get_by_role("button", name="Ok").click()
    return said


def test_a_learner_has_the_validate_button_and_none_of_the_instructors_tools(page, learner):
    open_notebook(page, learner, notebook_path("", STAGE).as_posix())
    expect(page.get_by_role("button", name="Validate", exact=True)).to_be_visible()
    assert page.locator(".lm-MenuBar-item", has_text="Nbgrader").count() == 0


def test_the_validate_button_fails_as_released_and_passes_when_all_is_mended(page, learner):
    assert "failed" in validate(page, learner, "untouched.ipynb")
    assert "Success! Your notebook passes all the tests." in validate(page, learner, "mended.ipynb", CASES)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A class in which ada is graded and has feedback, and grace has only handed in: (the address of its server, its folder)."""
    root = tmp_path_factory.mktemp("teacher")
    (root / "nbgrader_config.py").write_text(
        "from autograder.nbgrader_settings import configure\n"
        f"configure(get_config(), {str(root)!r}).CourseDirectory.source_directory = {str(SOLUTIONS)!r}\n"
    )
    hand_in(root, "ada", list(CASES)[:1], solved=True)
    subprocess.run(
        [sys.executable, "-c", GRADE, str(root)], check=True
    )  # in this process Playwright's event loop would be in its way
    intruder = nbformat.v4.new_code_cell(f"open({str(root / 'was-here')!r}, 'w')")
    hand_in(root, "grace", list(CASES)[:2], [intruder], solved=True)
    with serving(["-m", "jupyterlab", "--no-browser", "--allow-root"], root) as address:
        yield address, root


def test_formgrader_lists_grades_in_the_sandbox_and_shows_the_marks(page, teacher):
    address, root = teacher
    page.goto(address.format("formgrader"))
    page.get_by_role("row", name=STAGE).locator(".num-submissions a").click()
    ada, grace = page.locator("tr", has_text="ada"), page.locator("tr", has_text="grace")
    expect(ada).to_contain_text(f"{points(list(CASES)[:1])} / {FULL}")
    expect(grace).to_contain_text("needs autograding")
    grace.locator(".autograde a").click()
    expect(page.locator("#success-modal")).to_contain_text("Successfully autograded", timeout=120_000)
    page.locator("#success-modal").get_by_role("button", name="Close").last.click()
    expect(grace).to_contain_text(f"{points(list(CASES)[:2])} / {FULL}")
    assert not (root / "was-here").exists()
    page.goto(address.format(f"formgrader/manage_students/grace/{STAGE}"))
    expect(page.locator("tr", has_text=STAGE)).to_contain_text(f"{points(list(CASES)[:2])} / {FULL}")


def test_the_feedback_page_opens_without_script_or_request(page, teacher):
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    path = notebook_path(teacher[1] / "feedback" / "ada", STAGE).with_suffix(".html")
    page.goto(path.as_uri())
    expect(page.get_by_role("heading", name=f"{STAGE} (Score: {points(list(CASES)[:1])}.0 / {FULL}.0)")).to_be_visible()
    assert "Passed." in page.locator("body").inner_text() and "Not yet: " in page.locator("body").inner_text()
    assert page.locator("script").count() == 0
    assert [request for request in requests if not request.startswith("data:")] == [path.as_uri()]
    assert complaints == []
