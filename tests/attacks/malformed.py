"""Submissions that are damaged, oddly named or of another shape: they stop nobody, and right answers count where they can be found."""

import json
import os

import nbformat

from .attack import ADAM, CLIP, of_cells, of_files

malformed = of_files("malformed")
odd_cells = of_cells("malformed")


def right(release):
    """A notebook in which one case is mended, as plain data."""
    return json.loads(nbformat.writes(release.handed_in([ADAM])))


def raw(content):
    """A file that holds just this, text or bytes."""

    def write(release, path):
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))

    return write


def edited(change):
    """A right notebook after change(data); what comes back, if anything, takes its place."""

    def write(release, path):
        data = right(release)
        result = change(data)
        path.write_text(json.dumps(data if result is None else result))

    return write


def named(name):
    """A right notebook under another name."""

    def write(release, path):
        release.write(release.handed_in([ADAM]), path.parent.parent, name)

    return write


def version_3(release, path):
    """A right notebook in the format before this one."""
    path.write_text(nbformat.v3.writes_json(nbformat.v4.downgrade(release.handed_in([ADAM]))))


def of_code_cells(change):
    """A right notebook after change(cell) for every code cell."""

    def all_cells(data):
        for cell in data["cells"]:
            if cell["cell_type"] == "code":
                change(cell)

    return edited(all_cells)


def in_place_of(make):
    """Something else in the place of the notebook: make(path)."""
    return lambda release, path: make(path)


def unreadable(release, path):
    """A right notebook that nobody but root may read."""
    release.write(release.handed_in([ADAM]), path.parent.parent)
    path.chmod(0)


def two_versions(release, path):
    """The notebook by its right name, with one case mended, and copies of other names with another."""
    release.write(release.handed_in([ADAM]), path.parent.parent)
    for name in ("optimizers (1).ipynb", "optimizers-Copy1.ipynb", "Optimizers.ipynb"):
        release.write(release.handed_in([ADAM, CLIP]), path.parent.parent, name)


def of_another_stage(release, path):
    """The notebook of another stage in the place of this one's."""
    other = type(release)("monitoring", release.places)
    path.write_text(nbformat.writes(other.handed_in(["clip-and-log"])))


def deep_in_folders(release, path):
    """The notebook one folder too deep, as an archive unpacks it."""
    release.write(release.handed_in([ADAM]), path.parent)


def doubled_cells(data):
    data["cells"] += data["cells"]


def shuffled_cells(data):
    data["cells"].reverse()


def without_ids(data):
    for cell in data["cells"]:
        cell.pop("id")


def same_ids(data):
    for cell in data["cells"]:
        cell["id"] = "same"


def strange_cells(data):
    data["cells"][5:5] = ["text", 7, None, [], {}, {"cell_type": "code"}, {"cell_type": "heading", "source": "x", "level": 1}]
    data["cells"].append({"cell_type": "raw", "source": None, "metadata": None})


def strange_metadata(cell):
    cell["metadata"] = [["nbgrader", 1], "text", {"nbgrader": []}, {"nbgrader": {"grade_id": 7, "grade": "yes"}}, None][
        len(cell["source"]) % 5
    ]


def strange_sources(cell):
    if not cell["id"].startswith(ADAM):
        cell["source"] = [None, 7, ["a = 1\n", 7, None, {"x": 1}], {"x": 1}, ["\ud800"]][len(cell["id"]) % 5]


ATTACKS = [
    malformed("empty", "An empty file.", raw("")),
    malformed("one-brace", "A file that breaks off at once.", raw("{")),
    malformed(
        "broken-off",
        "A notebook of which the last half is missing.",
        lambda release, path: path.write_text(json.dumps(right(release))[:60_000]),
    ),
    malformed("a-list", "JSON, but a list.", raw("[1, 2, 3]")),
    malformed("a-number", "JSON, but a number.", raw("7")),
    malformed("null", "JSON, but nothing.", raw("null")),
    malformed(
        "an-error-page",
        "The page that the university's server showed instead.",
        raw("<!DOCTYPE html><html><body>Please log in</body></html>"),
    ),
    malformed(
        "git-conflict",
        "A notebook with the marks of a merge that was never ended.",
        lambda release, path: path.write_text(
            "<<<<<<< HEAD\n" + json.dumps(right(release), indent=1) + "\n=======\n>>>>>>> other\n"
        ),
    ),
    malformed(
        "nan-in-json", "NaN and Infinity, which JSON does not know.", raw('{"nbformat": NaN, "cells": Infinity, "metadata": {}}')
    ),
    malformed("no-cells", "A notebook without cells.", edited(lambda data: data.pop("cells") and None)),
    malformed("cells-are-a-text", "Cells that are a text.", edited(lambda data: data | {"cells": "cells"})),
    malformed("version-2", "The number of a format that is long gone.", edited(lambda data: data | {"nbformat": 2})),
    malformed("version-3", "An old format, as another program saves it.", version_3, earned=(ADAM,), may_refuse=True),
    malformed(
        "version-5", "A format of the future.", edited(lambda data: data | {"nbformat": 5}), earned=(ADAM,), may_refuse=True
    ),
    malformed(
        "version-4-99", "A minor version of the future.", edited(lambda data: data | {"nbformat_minor": 99}), earned=(ADAM,)
    ),
    malformed(
        "version-is-text",
        "A format's number that is a text.",
        edited(lambda data: data | {"nbformat": "four", "nbformat_minor": []}),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "no-metadata",
        "A notebook without metadata of its own.",
        edited(lambda data: data.pop("metadata") and None),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "other-kernel",
        "A notebook that says it is written in another language.",
        edited(
            lambda data: data["metadata"].update(
                kernelspec={"name": "ir", "display_name": "R", "language": "R"}, language_info={"name": "R"}
            )
        ),
        earned=(ADAM,),
    ),
    malformed(
        "strange-metadata",
        "Cells whose metadata is of every wrong type.",
        of_code_cells(strange_metadata),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "without-nbgrader",
        "Cells that have lost nbgrader's metadata, as some editors save them; their ids are left.",
        of_code_cells(lambda cell: cell.update(metadata={})),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed("without-ids", "Cells without ids.", edited(without_ids), earned=(ADAM,)),
    malformed("same-ids", "Cells that all have one id.", edited(same_ids), earned=(ADAM,)),
    malformed("doubled-cells", "Every cell twice.", edited(doubled_cells), earned=(ADAM,)),
    malformed("shuffled-cells", "The cells the other way round.", edited(shuffled_cells), earned=(ADAM,)),
    malformed(
        "strange-cells",
        "Cells that are texts, numbers, nothing, or of unknown kinds.",
        edited(strange_cells),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "strange-sources",
        "Code that is a number, nothing, or a list of all sorts.",
        of_code_cells(strange_sources),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "source-in-lines",
        "Code as a list of lines, as Jupyter itself saves it.",
        of_code_cells(
            lambda cell: cell.update(
                source=(cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])).splitlines(True)
            )
        ),
        earned=(ADAM,),
    ),
    malformed(
        "nul-bytes",
        "NUL bytes in code, in text and in the file.",
        edited(
            lambda data: data["cells"].append(
                {
                    "cell_type": "code",
                    "metadata": {},
                    "source": "x = 'a\0b'\0",
                    "outputs": [],
                    "execution_count": None,
                    "id": "nul",
                }
            )
        ),
        earned=(ADAM,),
    ),
    malformed("nul-file", "A file of NUL bytes, as a crash leaves it.", raw(b"\0" * 5000)),
    malformed(
        "lone-surrogates",
        "Halves of characters in code, text, ids and metadata.",
        edited(
            lambda data: data["cells"].extend(
                [
                    {
                        "cell_type": "code",
                        "metadata": {"x": "\ud800"},
                        "source": "x = '\ud800'",
                        "outputs": [],
                        "execution_count": None,
                        "id": "\udfff",
                    },
                    {"cell_type": "markdown", "metadata": {}, "source": "\udc80", "id": "half"},
                ]
            )
        ),
        earned=(ADAM,),
    ),
    malformed(
        "latin-1",
        "A file that is not in UTF-8.",
        lambda release, path: path.write_bytes(
            json.dumps(right(release) | {"metadata": {"x": "é"}}, ensure_ascii=False).encode("latin-1", "replace")
        ),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "with-a-bom",
        "A file with a byte order mark, as Windows saves it.",
        lambda release, path: path.write_text(json.dumps(right(release)), encoding="utf-8-sig"),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "utf-16",
        "A file in UTF-16.",
        lambda release, path: path.write_text(json.dumps(right(release)), encoding="utf-16"),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed(
        "crlf-file",
        "A file with Windows line ends.",
        lambda release, path: path.write_bytes(json.dumps(right(release), indent=1).replace("\n", "\r\n").encode()),
        earned=(ADAM,),
    ),
    malformed(
        "duplicate-keys",
        "JSON with every key twice.",
        lambda release, path: path.write_text(
            json.dumps(right(release))
            .replace('"metadata"', '"metadata": 1, "metadata"')
            .replace('{"cells"', '{"cells": [], "cells"')
        ),
        earned=(ADAM,),
    ),
    malformed(
        "huge",
        "A notebook of 22 MB: an output that was never cleared.",
        edited(
            lambda data: data["cells"][1].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "x" * (22 << 20)}])
        ),
        earned=(ADAM,),
        may_refuse=True,
    ),
    malformed("renamed-1", "The name that a browser gives to a second download.", named("optimizers (1).ipynb"), earned=(ADAM,)),
    malformed("renamed-2", "A name in other letters.", named("Optimizers.ipynb"), earned=(ADAM,)),
    malformed("renamed-3", "A name with one's own name in it.", named("optimizers_Zoë O'Neill FINAL.ipynb"), earned=(ADAM,)),
    malformed(
        "renamed-4", "A name with another ending, in capitals.", named("OPTIMIZERS.IPYNB"), earned=(ADAM,), may_refuse=True
    ),
    malformed(
        "renamed-5", "The name of a file that was saved as text.", named("optimizers.ipynb.json"), earned=(ADAM,), may_refuse=True
    ),
    malformed("several", "Several notebooks: the one with the right name counts.", two_versions, earned=(ADAM,)),
    malformed("too-deep", "The notebook one folder too deep.", deep_in_folders, earned=(ADAM,), may_refuse=True),
    malformed("another-stage", "The notebook of another stage, by this one's name.", of_another_stage, may_refuse=True),
    malformed(
        "no-notebook", "A folder without a notebook.", lambda release, path: (path.parent / "notes.txt").write_text("I was ill.")
    ),
    malformed("a-folder", "A folder that is named like the notebook.", in_place_of(lambda path: path.mkdir())),
    malformed("a-broken-link", "A link that leads nowhere.", in_place_of(lambda path: path.symlink_to("nowhere.ipynb"))),
    malformed("a-circle", "A link that leads to itself.", in_place_of(lambda path: path.symlink_to(path.name))),
    malformed("a-fifo", "A pipe, which waits for a writer for ever.", in_place_of(lambda path: os.mkfifo(path))),
    malformed("unreadable", "A notebook that may not be read.", unreadable, earned=(ADAM,), may_refuse=True),
    odd_cells(
        "name-with-spaces",
        "A student whose folder has spaces and apostrophes.",
        earned=(ADAM,),
        student="malformed Zoë O'Neill  (2nd)",
    ),
    odd_cells(
        "name-in-chinese", "A student whose folder is in other letters.", earned=(ADAM,), student="malformed-李小龙-Ünïcødé-🎓"
    ),
    odd_cells(
        "name-of-markup",
        "A student whose folder is markup to rich, braces to a format, and a formula to a spreadsheet.",
        earned=(ADAM,),
        student="malformed [b] [@click=x()] {student_id} %s $HOME [red",
    ),
    odd_cells(
        "name-of-an-option", "A student whose folder looks like an option.", earned=(ADAM,), student="--malformed=x;touch y"
    ),
    odd_cells(
        "name-of-a-formula",
        "A student whose folder is a formula to a spreadsheet, and a tag to a page.",
        earned=(ADAM,),
        student="=1+2<b onclick=x>malformed",
    ),
    odd_cells(
        "name-of-an-escape",
        "A student whose folder clears the instructor's screen.",
        earned=(ADAM,),
        may_refuse=True,
        student="malformed\x1b[2Jx\nnew line",
    ),
    odd_cells(
        "name-of-a-glob", "A student whose folder is a pattern that fits everybody.", earned=(ADAM,), student="malformed-*[a-z]?"
    ),
]
