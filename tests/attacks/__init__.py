"""Submissions that attack the grader, or only puzzle it. Each says what it is after and what it has honestly earned."""

from . import denial, honest, host, leaks, malformed, points, protocol
from .attack import Attack, Places, Release

ATTACKS = [*points.ATTACKS, *leaks.ATTACKS, *host.ATTACKS, *denial.ATTACKS, *malformed.ATTACKS, *honest.ATTACKS, *protocol.ATTACKS]

__all__ = ["ATTACKS", "Attack", "Places", "Release"]
