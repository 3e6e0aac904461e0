"""Read the answer files: percent files like the cases, one a case, whose code cells are answers.

    # %% right="in place"                                    must pass, as released and with the hidden checks
    # %% wrong="only m" says="only m is corrected"           must fail, in words that contain these
    # %% untouched says="neither mean is corrected"          the released code as it is; the cell stays empty
    # %% emptied says="None"                                 every function without its body; the cell stays empty
    # %% sign="last loss (nats)" above=0.6                    def sign(seed): the number in which the complaint is seen

`says` may give several phrases with | between them: all must be there.

A sign's header says what its number is, and where the complaint begins: above a limit, or below=8 one. The limit itself is
not the complaint; nan is, on either side, as a run without a number is no good run. It is seen with at least 19 of the
seeds 0 to 19 in the broken code, and with at most one in the mended. A sign that is random by nature is given as rates,
# %% sign="..." above=0.6 seeds=20 broken=0.9 mended=0.1: at least that share of broken runs, at most that share of mended
ones. A case that grades mechanics and has no honest sign says why instead: # %% sign exempt="...".
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
    """How the complaint is measured. measure: what the number is; above or below: where the complaint begins, the other is None.

    broken, mended: at least that share of broken runs shows it, at most that share of mended ones.
    """

    source: str
    measure: str = ""
    above: float | None = None
    below: float | None = None
    seeds: int = 20
    broken: float = 0.95
    mended: float = 0.05
    exempt: str = ""

    def __post_init__(self):
        if not self.exempt and (not self.measure or (self.above is None) == (self.below is None)):
            raise ValueError('a sign says what it measures, and where it is seen:  # %% sign="last loss (nats)" above=0.6')

    @property
    def limit(self):
        """In words, such as "above 0.6"."""
        return f"below {self.below:g}" if self.above is None else f"above {self.above:g}"

    def badness(self, measured):
        """`measured` as a number that is larger the worse it is; nan is worst."""
        worse = -float(measured) if self.above is None else float(measured)
        return float("inf") if worse != worse else worse

    def is_seen(self, measured):
        """Whether the complaint is seen in a run of which this was measured."""
        return self.badness(measured) > (-self.below if self.above is None else self.above)


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
        elif title == "sign" or "sign" in options:
            try:
                sign = Sign(cell.source, options.pop("sign", ""), **options)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}: mend the header of the sign: {error}") from error
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
