"""The kinds of evidence, in the order of their columns: what of their figures is told, what may not fall, what is told below."""

import importlib
import importlib.util
import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind. name: of its module here.

    cells: the texts of its columns, from a list of figures: of one case, or of many, which are added up.
    scores: from the figures of one case numbers that may not fall, by their names. details: from those figures what is told of
    the case below the table, in lines. is_counted: its figures are counts, the same on each machine: the page may tell no other.
    """

    name: str
    columns: tuple
    cells: Callable
    scores: Callable = lambda figures: {}
    details: Callable = lambda figures: []
    is_counted: bool = True


def _of(part, whole):
    return f"{part} of {whole}" + (f" ({part / whole:.0%})" if whole else "")


def _sum(figures, name):
    return sum(each[name] for each in figures)


def _answers(figures):
    return [str(_sum(figures, "right")), str(_sum(figures, "wrong")), _of(_sum(figures, "diagnosed"), _sum(figures, "wrong"))]


def _diagnosis_rate(figures):
    return {"share diagnosed": figures["diagnosed"] / figures["wrong"]}


def _undiagnosed(figures):
    return [f"not diagnosed: {name}. It is told: {figures['told'][name]}" for name in figures["undiagnosed"]]


def _blanks(figures):
    return [str(_sum(figures, "tried"))]


def _mutants(figures):
    return [str(_sum(figures, "made")), _of(_sum(figures, "killed"), _sum(figures, "made") - _sum(figures, "still right"))]


def _kill_rate(figures):
    return {"kill rate": figures["killed"] / (figures["made"] - figures["still right"])}


def _survivors(figures):
    return [f"survives: {each['change']}, {each['why']}" for each in figures["survivors"]]


def _signs(figures):
    measured = [each for each in figures if "seeds" in each]
    if not measured:
        return ["none"] * 3
    effect = statistics.median(each["effect"] for each in measured)
    return [*(_of(_sum(measured, name), _sum(measured, "seeds")) for name in ("seen", "wrongly seen")), f"{effect:.2f}"]


def _sign_scores(figures):
    return {"share seen": figures["seen"], "share not wrongly seen": -figures["wrongly seen"]} if "seeds" in figures else {}


def _sign(figures):
    if "exempt" in figures:
        return [f"no sign: {figures['exempt']}"]
    medians = f"median {figures['broken']} broken, {figures['mended']} mended"
    return [f"sign: {figures['measure']}, {figures['limit']}; {medians}"]


def _parity(figures):
    """Of one case how far it lies from a framework's; of many how many agree."""
    agree = [each for each in figures if "largest difference" in each]
    differ = [each for each in figures if "differs" in each]
    if len(figures) == 1:
        return [f"{agree[0]['largest difference']:.0e}" if agree else "differs" if differ else ""]
    return [f"{len(agree)} agree" + (f", {len(differ)} differ" if differ else "")]


def _agreement(figures):
    return {"agreement": "largest difference" in figures}


def _counterpart(figures):
    agrees = [f"agrees with {figures['with']} in {figures['configurations']} configurations"] if "with" in figures else []
    return agrees + ([f"differs: {figures['differs']}"] if "differs" in figures else [])


KINDS = {
    kind.name: kind
    for kind in (
        Kind("answers", ("right", "wrong", "diagnosed"), _answers, _diagnosis_rate, _undiagnosed),
        Kind("blanks", ("blanks",), _blanks),
        Kind("mutants", ("mutants", "killed"), _mutants, _kill_rate, _survivors),
        Kind("signs", ("seen broken", "seen mended", "effect"), _signs, _sign_scores, _sign, is_counted=False),
        Kind("parity", ("parity",), _parity, _agreement, _counterpart, is_counted=False),
    )
    if importlib.util.find_spec(f"{__package__}.{kind.name}")
}


def module_of(kind):
    """The module that proves this kind."""
    return importlib.import_module(f"{__package__}.{kind}")
