"""A counterexample is made as simple as it can be while both routes still refute the claim by a visible margin."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import final

from unifiedscore.study.attack.certify import Certificate, compare
from unifiedscore.study.attack.evaluate import Ask, Variant
from unifiedscore.study.attack.space import Instance
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.attack.yardstick import Yardstick
from unifiedscore.study.records import Record

EVALUATIONS = 300
KEPT = 0.1  # share of the margin that a simpler instance keeps: at the boundary nobody would see what is wrong


@final
@dataclass(frozen=True, slots=True)
class Shrunk:
    """The simplest counterexample found, the instances on the way to it, and how many were tried."""

    certificate: Certificate
    path: tuple[Instance, ...]
    tried: int


def shrink(
    universal: Universal, variant: Variant, yardstick: Yardstick, start: Certificate
) -> Generator[list[Ask], list[Record], Shrunk]:
    """Greedy: the first simpler instance that is still certified is taken, until none is or all is used."""
    best, path, tried, seen = start, [], 0, {start.instance}
    least = KEPT * start.margin
    moved = True
    while moved:
        moved = False
        for simpler in universal.space.simpler(best.instance):
            if simpler in seen:
                continue
            if tried >= EVALUATIONS:
                return Shrunk(best, tuple(path), tried)
            seen.add(simpler)
            tried += 1
            found = yield from _both(universal, variant, yardstick, simpler, least)
            if found is not None:
                best, moved = found, True
                path.append(simpler)
                break
    return Shrunk(best, tuple(path), tried)


def _both(
    universal: Universal, variant: Variant, yardstick: Yardstick, instance: Instance, least: float
) -> Generator[list[Ask], list[Record], Certificate | None]:
    """The certificate of a simpler instance; None where it is no counterexample, or hardly one."""
    (first,) = yield [Ask(universal, variant, "first", instance)]
    if first.status != "ok" or not yardstick.candidate(first.values) or yardstick.margin(first.values) < least:
        return None
    (second,) = yield [Ask(universal, variant, "second", instance)]
    found = compare(instance, first.values, second, yardstick)
    return found if found.certified else None
