"""Compare a built file with the one in the repository: sources byte for byte, outputs and alternative texts by tolerance.

Matrix kernels differ between processors in the last bit, so printed numbers and pictures may differ a little; pictures are
compared only where matplotlib is the locked one, because another version draws other pixels.
"""

import base64
import io
import re
from importlib.metadata import version

import matplotlib.image
import nbformat
import numpy as np

from .paths import ROOT

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
ALT = re.compile(r'(?<= alt=")[^"]*')  # tells what was measured, as an output does
PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
NUMBER_RTOL = 0.05  # printed numbers have two digits, and survive a change of the last bit by construction
PICTURE_MEAN = 0.01  # mean absolute difference of the pixels' channels, which go from 0 to 1


def differences(there, built):
    """Lines that say how the file `there` differs from the one just `built`; none where they agree."""
    if not there.exists():
        return ["it is not there: run  autograder build"]
    if there.suffix == ".png":
        return [f"it {how}" for how in _picture_differences([there.read_bytes()], [built.read_bytes()])]
    if there.suffix == ".md":
        return [
            f"it {how}: run  autograder build" for how in _page_differences(*(path.read_text("utf-8") for path in (there, built)))
        ]
    if there.suffix != ".ipynb":
        return [] if there.read_bytes() == built.read_bytes() else ["it differs: run  autograder build"]
    old, new = (nbformat.read(path, as_version=4) for path in (there, built))
    if [cell.id for cell in old.cells] != [cell.id for cell in new.cells]:
        return ["it has other cells than its cases: run  autograder build"]
    lines = []
    for before, after in zip(old.cells, new.cells):
        if (before.cell_type, before.source, before.metadata) != (after.cell_type, after.source, after.metadata):
            lines.append(f"the cell {after.id!r} differs from its case: run  autograder build")
        elif before.cell_type == "code":
            lines += [f"the output of {after.id!r} {how}" for how in output_differences(before.outputs, after.outputs)]
    return lines


def output_differences(old, new):
    """How two cells' outputs differ, as the ends of sentences."""
    if [output.output_type for output in old] != [output.output_type for output in new]:
        return ["is of another kind"]
    said = []
    for before, after in zip(old, new):
        text_before, text_after = _text(before), _text(after)
        said += _picture_differences(pictures_in(text_before), pictures_in(text_after))
        said += _word_differences(*(PICTURE.sub("PICTURE", text) for text in (text_before, text_after)))
    return said


def pictures_in(html):
    """The pictures inside a text, each as the bytes of a PNG file."""
    return [base64.b64decode(text) for text in PICTURE.findall(html)]


def is_locked_matplotlib():
    """Whether this environment draws with the matplotlib that the lock names."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(r"^matplotlib==(\S+)", lock, re.MULTILINE).group(1) == version("matplotlib")


def _page_differences(old, new):
    if ALT.sub("", old) != ALT.sub("", new):
        return ["differs"]
    return [f"{how} in an alternative text" for how in _word_differences(*(" | ".join(ALT.findall(page)) for page in (old, new)))]


def _word_differences(old, new):
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return ["has other words"]
    return [] if np.allclose(_numbers(old), _numbers(new), rtol=NUMBER_RTOL, atol=1e-9) else ["has other numbers"]


def _text(output):
    if output.output_type == "stream":
        return f"{output.name}: {output.text}"
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return "\n".join(f"{kind}: {content}" for kind, content in sorted(output.data.items()))


def _numbers(text):
    return [float(number) for number in NUMBER.findall(text)]


def _picture_differences(old, new):
    """How two lists of pictures, each the bytes of a PNG file, differ."""
    if len(old) != len(new):
        return ["has another number of pictures"]
    if not is_locked_matplotlib():
        return []
    for before, after in zip(old, new):
        before, after = (matplotlib.image.imread(io.BytesIO(png))[..., :3] for png in (before, after))
        if before.shape != after.shape:
            return ["has a picture of another size"]
        if np.mean(np.abs(before - after)) > PICTURE_MEAN:
            return ["has another picture"]
    return []
