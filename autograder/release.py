"""Put together what a class is handed out: the released notebook and, beside it, the small package that it imports."""

import os
import shutil
import tempfile
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from rich.console import Console

from .choice import read_choice
from .gradebook import generate
from .nbgrader_settings import course_config
from .paths import COURSE, ROOT

FOLDER = "release"


def release(stage, root=ROOT, console=None):
    """Record the stage in the gradebook, and make root/release/STAGE and STAGE.zip; returns the folder.

    The folder holds STAGE.ipynb and clinic/: it works as it is, wherever a learner puts it, and is what nbgrader's exchange
    would send. Of a stage it holds what root/chosen_cases.toml names. What was there before is replaced only when the new one is
    whole. Raises ChoiceError, GradebookError.
    """
    root, console = Path(root), console or Console()
    config = course_config(root)
    target = root / FOLDER / stage
    read_choice(root, stage)  # what is wrong with it, nbgrader would say in more words
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as made:
        made = Path(made)
        generate(config, stage, made / "generated")
        whole = made / "whole" / stage
        shutil.copytree(made / "generated" / stage, whole)
        shutil.copytree(COURSE / "clinic", whole / "clinic", ignore=shutil.ignore_patterns("__pycache__"))
        packed = shutil.make_archive(str(made / stage), "zip", root_dir=made / "whole", base_dir=stage)
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
