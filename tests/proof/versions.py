"""The environments in which the proof passes too, and what has passed in each: versions.json.

An environment has a Python of its own, and what the lock names for it, the newest numpy and matplotlib among them; or, in their
place, the oldest that pyproject.toml allows. Of a unit that came out there as it stands in the record, or better, a hash over its
own hash and the versions is kept.
"""

import hashlib
import json
import platform
import re
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from autograder.kept import write_whole
from autograder.paths import ROOT

VERSIONS = Path(__file__).with_name("versions.json")
PACKAGES = ("numpy", "matplotlib", "torch")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@dataclass(frozen=True)
class Environment:
    """python: such as "3.12". is_oldest: with the oldest numpy and matplotlib in place of the locked."""

    python: str
    is_oldest: bool = False

    def pins(self):
        """What it has in place of what the lock names: ["numpy==2.1", ...]."""
        lowest = [line.replace(">=", "==") for line in PROJECT["dependencies"] if re.match("(numpy|matplotlib)>=", line)]
        return lowest if self.is_oldest else []


ENVIRONMENTS = {"3.11": Environment("3.11"), "3.12": Environment("3.12"), "3.13": Environment("3.13")}
ENVIRONMENTS["3.11-oldest"] = Environment("3.11", is_oldest=True)


def read():
    """{name of an environment: {"has": {package: version or None}, "proven": {unit: hash}, "amiss": [unit], "stale": n}}.

    stale: how many of the proven units had changed since, when the page was written last.
    """
    return json.loads(VERSIONS.read_text(encoding="utf-8")) if VERSIONS.exists() else {}


def write(kept):
    ordered = {name: kept[name] | {"proven": dict(sorted(kept[name]["proven"].items()))} for name in ENVIRONMENTS if name in kept}
    write_whole(VERSIONS, json.dumps(ordered, indent=1) + "\n")


def installed():
    """What this environment has: {"python": version, "numpy": version, ...}; None for a package that is not there."""
    there = {each.name: each.version.split("+")[0] for each in metadata.distributions() if each.name in PACKAGES}
    return {"python": platform.python_version()} | {name: there.get(name) for name in PACKAGES}


def here():
    """The name of the environment that this process's Python is taken for, where the lock is installed; None where it is none."""
    name = ".".join(platform.python_version_tuple()[:2])
    return name if name in ENVIRONMENTS else None


def part_of(kept, name):
    """What `kept` holds of the environment `name`, which is this process's; begun anew where it has other versions now."""
    part, has = kept.setdefault(name, {}), installed()
    if _without_torch(part.get("has", {})) != _without_torch(has):
        part |= {"has": has, "proven": {}, "amiss": [], "stale": 0}
    part["has"] |= {package: version for package, version in has.items() if version}
    return part


def note(part, unit, hash, is_amiss):
    """Note in an environment's part what came of a unit, by its name, with this hash of its own."""
    part["amiss"] = sorted({*part["amiss"]} - {unit} | ({unit} if is_amiss else set()))
    part["proven"].pop(unit, None)
    if not is_amiss:
        part["proven"][unit] = hash_in(part["has"], hash)


def hash_in(has, hash):
    """The hash of a unit, whose own is `hash`, in an environment that has these versions; torch's is in parity's own."""
    return hashlib.sha256(json.dumps([hash, _without_torch(has)], sort_keys=True).encode()).hexdigest()[:16]


def _without_torch(has):
    return {package: version for package, version in has.items() if package != "torch"}


def stale(here, hashes):
    """How many units were proven in an environment, and have changed since. here: its part of what `read` returns.

    hashes: the own hash of each unit that there is, by its name.
    """
    return sum(name not in hashes or kept != hash_in(here["has"], hashes[name]) for name, kept in here["proven"].items())


def brought_up_to_date(hashes):
    """What `read` returns without units that are no more, and with what is stale counted anew; written, too."""
    kept = read()
    for here in kept.values():
        here["proven"] = {name: kept for name, kept in here["proven"].items() if name in hashes}
        here["amiss"] = [name for name in here["amiss"] if name in hashes]
        here["stale"] = stale(here, hashes)
    if kept:
        write(kept)
    return kept


def told_stale(kept, hashes):
    """A line for each environment in which something was proven that has changed since."""
    counts = {name: stale(here, hashes) for name, here in kept.items()}
    told = "{}: {} changed since: run  autograder prove --versions {}"
    return [told.format(name, "1 unit has" if n == 1 else f"{n} units have", name) for name, n in counts.items() if n]


def amiss(kept):
    """A line for each unit that came out worse in an environment than in the record."""
    return [
        f"{unit} is amiss in {name}: run  autograder prove {unit.partition('/')[2].partition(':')[0]} --versions {name}"
        for name, here in kept.items()
        for unit in here["amiss"]
    ]


def rows(kept, total):
    """The cells of each environment's row on the page; total: how many units there are."""
    for name in ENVIRONMENTS:
        here = kept.get(name)
        if here is None:
            yield [name, *["not run"] * (2 + len(PACKAGES))]
            continue
        was, has = here["stale"], [here["has"][package] or "none" for package in ("python", *PACKAGES)]
        yield [name, *has, f"{len(here['proven']) - was} of {total}" + (f", {was} stale" if was else "")]
