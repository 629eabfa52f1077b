"""One evaluation of a universal claim: a cell whose labels name the claim, the route and the instance."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, final

from unifiedscore.errors import StudyError
from unifiedscore.study.attack.space import Instance
from unifiedscore.study.attack.universal import SEARCH, Universal
from unifiedscore.study.grid import Cell
from unifiedscore.validate import shown

Variant = Literal["claim", "control"]
Route = Literal["first", "second"]
LABELS = ("claim", "instance", "regime", "route", "variant")


@final
@dataclass(frozen=True, slots=True)
class Ask:
    """An evaluation that a search asks for."""

    universal: Universal
    variant: Variant
    route: Route
    instance: Instance

    @property
    def cell(self) -> Cell:
        """The labels of the evaluation. A control that only moves the region or drops a hypothesis measures what the
        claim measures."""
        universal = self.universal
        own = self.variant == "control" and universal.control is not None and universal.control.quantity is not None
        return Cell(
            {
                "claim": universal.id,
                "regime": universal.regime or "-",
                "variant": "control" if own else "claim",
                "route": self.route,
                "instance": self.instance.text,
            }
        )


def is_evaluation(cell: Mapping) -> bool:
    """Whether a cell is an evaluation of a universal claim rather than a point of a grid."""
    return len(cell) == len(LABELS) and all(label in cell for label in LABELS)


def evaluate(universals: Iterable[Universal], cell: Mapping) -> dict[str, float]:
    """Evaluate the quantity, or its second route, that a cell names.

    Raises
    ------
    StudyError
        It does not return what a universal claim needs; the message holds the code of the instance.
    """
    regime = "" if cell["regime"] == "-" else cell["regime"]
    universal = next(u for u in universals if (u.id, u.regime) == (cell["claim"], regime))
    instance = universal.space.parse(cell["instance"])
    function: Callable = universal.quantity if cell["route"] == "first" else universal.second
    if cell["variant"] == "control" and universal.control is not None and universal.control.quantity is not None:
        function = universal.control.quantity if cell["route"] == "first" else universal.control.second
    try:
        values = function(instance)
    except Exception as error:
        error.add_note(instance.code())
        raise
    needed = ["value", "error"]
    if cell["route"] == "first":
        needed += [entry.variable for entry in (*universal.hypotheses, *universal.regular)]
        needed += [universal.unit] if isinstance(universal.unit, str) and universal.unit != "log" else []
    return _checked(values, needed, f"the {SEARCH} of {universal.name}, {cell['route']} route, at {instance.code()}")


def _checked(values, needed: list[str], where: str) -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise StudyError(f"{where}: expected a mapping from names to numbers; got {type(values).__name__}")
    if missing := [name for name in dict.fromkeys(needed) if name not in values]:
        raise StudyError(f"{where}: {', '.join(missing)} was not returned; got {', '.join(map(str, values))}")
    found = {}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise StudyError(f"{where}: {name} must be a real number; got {shown(value)}")
        found[str(name)] = float(value)
    if found["error"] < 0 or (math.isnan(found["error"]) and not math.isnan(found["value"])):
        raise StudyError(f"{where}: the error must be at least 0; got {found['error']!r}")
    return found
