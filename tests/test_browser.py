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

from autograder.paths import COURSE, SOLUTIONS, STAGES, notebook_path

from .classroom import CASES, FULL, STAGE, hand_in, points, wait_for

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium (Debian: chromium)")

expect.set_options(timeout=60_000)  # on a busy machine
SILENT = ["--disable-gpu", "--disable-quic", "--disable-sync"]
STUDY = "import sys; from pathlib import Path; from autograder import study\n"
STUDY += "study.STUDY = Path(sys.argv[1]); study.study(browser=False)"
GRADE = """import sys; from autograder.feedback import feedback; from autograder.grade import grade
grade(root=sys.argv[1], stages=["optimizers"]); feedback(["optimizers"], root=sys.argv[1])"""
MENDS = {  # for a case the line that is broken, and what a learner types in its place
    "lr-too-high": ("return 0.1", "return len(y) / np.linalg.eigvalsh(x.T @ x)[-1] / 2"),
    "momentum-init": ("new_buffer(param)", "self.velocities = [np.zeros_like(param) for param in params]"),
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
    page.goto(address.format(f"lab/tree/{path}"))
    expect(page.locator(".jp-NotebookPanel-toolbar")).to_contain_text("Python 3")
    wait_until_idle(page)
    cells = nbformat.read(study / path, as_version=4).cells
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(len(cells))
    return cells


def wait_until_idle(page, seconds=120):
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=1000 * seconds)


def run_all(page, choice):
    """Choose from the menu Run, and wait until the kernel has nothing more to do."""
    busy = page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=choice, exact=True).click()
    expect(busy).to_be_visible()
    wait_until_idle(page)


def run(page, cells, name):
    """Run one cell by Shift+Enter; returns what it shows, as text."""
    cell = cell_of(page, cells, name)
    cell.scroll_into_view_if_needed()
    cell.locator(".jp-InputPrompt, .jp-InputCollapser, .jp-Placeholder").first.click()
    page.keyboard.press("Shift+Enter")
    wait_until_idle(page)
    return cell.locator(".jp-OutputArea").inner_text()


def cell_of(page, cells, name):
    return page.locator(".jp-Notebook .jp-Cell").nth([cell.id for cell in cells].index(name))


def mend(page, cells, case):
    """Type the mended line in the place of the broken one, as at a keyboard."""
    line, typed = MENDS[case]
    cell_of(page, cells, case).locator(".cm-line", has_text=line).click()
    for key in ("Home", "Shift+End"):
        page.keyboard.press(key)
    page.keyboard.type(typed)


def saved(page, learner, path):
    """The cells as JupyterLab saves them."""
    file = learner[1] / path
    before = file.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    wait_for(lambda: file.stat().st_mtime_ns > before)
    return nbformat.read(file, as_version=4).cells


def require_no_popup(page):
    assert page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts() == []


def fresh(learner, stage, name, cases=()):
    """A notebook of its own, as released but for the cells of `cases`, which are mended; returns its path in the copy."""
    path = f"{stage}/{name}.ipynb"
    notebook = nbformat.read(notebook_path(COURSE, stage), as_version=4)
    solved = {cell.id: cell.source for cell in nbformat.read(notebook_path(SOLUTIONS, stage), as_version=4).cells}
    for cell in notebook.cells:
        cell.source = solved[cell.id] if cell.id in cases else cell.source
    notebook.cells = [cell for cell in notebook.cells if not re.search(r"-run(-|$)", cell.id)]  # a figure takes its time
    nbformat.write(notebook, learner[1] / path)
    return path


def test_run_all_goes_to_the_end_and_two_cases_are_mended_at_the_keyboard(page, learner):
    path = f"{STAGE}/{STAGE}.ipynb"
    cells = open_notebook(page, learner, path)
    run_all(page, "Run All Cells")
    require_no_popup(page)
    executed = [cell for cell in saved(page, learner, path) if cell.cell_type == "code"]
    assert [cell.execution_count for cell in executed] == list(range(1, len(executed) + 1))
    figures = page.locator(".jp-OutputArea figure")
    expect(figures).to_have_count(sum(bool(re.search(r"-run(-|$)", cell.id)) for cell in cells))
    assert min(len(figure.get_attribute("alt") or "") for figure in figures.locator("img").all()) > 60
    assert min(map(len, figures.locator("figcaption").all_text_contents())) > 20
    for case in MENDS:
        assert "Not yet: " in cell_of(page, cells, f"{case}-check").locator(".jp-OutputArea").text_content()
        mend(page, cells, case)
        run(page, cells, case)
        assert run(page, cells, f"{case}-check").strip() == "Passed."


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_as_it_was_written(page, learner, stage):
    """Its maths is drawn, the table of contents has its cases, links lead there, and its first check runs and fails."""
    path = f"{stage}/{stage}.ipynb"
    cells = open_notebook(page, learner, path)
    require_no_popup(page)
    headings = re.findall(r"^##? (.+)$", "\n".join(cell.source for cell in cells if cell.cell_type == "markdown"), re.MULTILINE)
    page.get_by_role("tab", name="Table of Contents").click()
    contents = page.locator(".jp-TableOfContents-tree .jp-tocItem-content")
    expect(contents.nth(len(headings) - 1)).to_be_attached()
    assert set(headings) <= set(contents.all_text_contents())
    assert formulas_left(page) == []


def formulas_left(page):
    """What stands in the text as it was typed where a formula should be, or is drawn as an error."""
    return page.evaluate(
        """() => {
            const text = [...document.querySelectorAll('.jp-RenderedMarkdown')].flatMap(cell => {
                const copy = cell.cloneNode(true);
                copy.querySelectorAll('mjx-container, code, pre').forEach(drawn => drawn.remove());
                return copy.textContent.match(/.{0,40}\\$.{0,40}|.{0,40}Math processing error/g) || [];
            });
            return [...text, ...[...document.querySelectorAll('mjx-merror')].map(error => error.textContent)];
        }"""
    )


def validate(page, learner, path):
    """Press nbgrader's Validate; returns what it says."""
    open_notebook(page, learner, path)
    page.get_by_role("button", name="Validate", exact=True).click()
    dialog = page.locator(".jp-Dialog-content", has_text="Validation Results")
    said = dialog.inner_text(timeout=120_000)
    dialog.get_by_role("button", name="Ok").click()
    return said


def test_the_validate_button_fails_as_released_and_passes_when_all_is_mended(page, learner):
    assert "failed" in validate(page, learner, fresh(learner, STAGE, "untouched"))
    assert "Success! Your notebook passes all the tests." in validate(page, learner, fresh(learner, STAGE, "mended", CASES))


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
