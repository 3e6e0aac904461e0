"""Read the answer files: percent files like the cases, one a case, whose code cells are answers.

    # %% right="in place"                                    must pass, as released and with the hidden checks
    # %% wrong="only m" says="only m is corrected"           must fail, in words that contain these
    # %% untouched says="neither mean is corrected"          the released code as it is; the cell stays empty
    # %% emptied says="None"                                 every function without its body; the cell stays empty
    # %% sign                                                def sign(seed): whether the complaint is seen in a run

`says` may give several phrases with | between them: all must be there. A sign that is random is given as rates over more
seeds, # %% sign seeds=20 broken=0.9 mended=0.1: at least that share of broken runs, at most that share of mended ones. A
case that grades mechanics and has no honest sign says why instead: # %% sign exempt="...".
"""

import ast
from dataclasses import dataclass
from pathlib import Path

import jupytext

from autograder.cases import released

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Answer:
    name: str
    is_right: bool
    source: str
    says: tuple = ()


@dataclass(frozen=True)
class Sign:
    source: str
    seeds: int = 5
    broken: float = 1.0
    mended: float = 0.0
    exempt: str = ""


def answer_path(stage, case_path):
    return FOLDER / stage / case_path.name


def read_answers(path, fix):
    """The answers and the Sign in the file `path`. fix: the source of the case's cell, with both its regions."""
    answers, sign = [], None
    for cell in jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells:
        options = {name: value for name, value in cell.metadata.items() if name != "lines_to_next_cell"}
        title = options.pop("title", None)  # jupytext takes a bare word in a header for the cell's title
        says = tuple(options.get("says", "").split("|"))
        if cell.cell_type == "markdown":
            continue
        if "right" in options:
            answers.append(Answer(options["right"], True, cell.source))
        elif "wrong" in options:
            answers.append(Answer(options["wrong"], False, cell.source, says))
        elif title == "untouched":
            answers.append(Answer("untouched", False, released(fix), says))
        elif title == "emptied":
            answers.append(Answer("emptied", False, emptied(released(fix)), says))
        elif title == "sign":
            sign = Sign(cell.source, **options)
        else:
            raise ValueError(f"{path}: a cell's header is none of right, wrong, untouched, emptied, sign: {cell.metadata}")
    return answers, sign


def emptied(source):
    """`source` with `pass` for the body of every function and method."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = [ast.Pass()]
    return ast.unparse(tree)
