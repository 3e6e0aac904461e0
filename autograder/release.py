"""Put together what a class is handed out: the released notebook and, beside it, the small package that it imports."""

import os
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from .choice import read_choice
from .paths import COURSE, ROOT, STAGES, notebook_path

FOLDER = "release"


def release(stage, root=ROOT, console=None):
    """Record the stage in the gradebook, and make root/release/STAGE and STAGE.zip; returns the folder.

    The folder holds STAGE.ipynb and clinic/: it works as it is, wherever a learner puts it, and is what nbgrader's exchange
    would send. Of a stage it holds what root/chosen_cases.toml names. What was there before is replaced only when the new one is
    whole. Raises ChoiceError, GradebookError.
    """
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import ExchangeFactory

    from .gradebook import generate
    from .nbgrader_settings import course_config

    root, console = Path(root), console or Console()
    config = course_config(root)
    target = root / FOLDER / stage
    read_choice(root, stage)  # what is wrong with it, nbgrader would say in more words
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as made:
        made = Path(made)
        generate(config, stage, made / "generated")
        whole, packed = _packed(made, notebook_path(made / "generated", stage))
        if target.exists():
            os.replace(target, made / "before")
        os.replace(whole, target)
        os.replace(packed, target.with_suffix(".zip"))
    said = [f"Hand out {target.with_suffix('.zip')}, or the folder {target}."]
    exchange = ExchangeFactory(config=config).exchange(coursedir=CourseDirectory(config=config), config=config)
    if Path(exchange.root).is_dir():
        how = f"nbgrader release_assignment {stage} --CourseDirectory.release_directory={FOLDER}"
        said.append(f"For nbgrader's exchange in {exchange.root}:  {how}")
    console.print("\n".join(said), markup=False, highlight=False, soft_wrap=True)
    return target


def archives(stages=None, root=ROOT, console=None):
    """Make root/release/STAGE.zip of each stage (all, unless told) from the course as it is; no gradebook is touched.

    An archive holds STAGE/STAGE.ipynb and STAGE/clinic/, and works wherever numpy and matplotlib are: unpacked, or as it is
    beside the notebook. Returns the archives.
    """
    folder, console, made_ones = Path(root) / FOLDER, console or Console(), []
    folder.mkdir(parents=True, exist_ok=True)
    for stage in stages or STAGES:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as made:
            _, packed = _packed(Path(made), notebook_path(COURSE, stage))
            made_ones.append(folder / f"{stage}.zip")
            os.replace(packed, made_ones[-1])
        console.print(f"Made {made_ones[-1]}.", markup=False, highlight=False, soft_wrap=True)
    return made_ones


def _packed(made, notebook):
    """In the folder `made`, what is handed out of the stage whose released notebook this is: (the folder, its archive)."""
    whole = made / "whole" / notebook.stem
    whole.mkdir(parents=True)
    shutil.copyfile(notebook, whole / notebook.name)
    shutil.copytree(COURSE / "clinic", whole / "clinic", ignore=shutil.ignore_patterns("__pycache__"))
    return whole, shutil.make_archive(str(made / notebook.stem), "zip", root_dir=made / "whole", base_dir=notebook.stem)
