"""The laws of a `Universal`, one check each."""

from __future__ import annotations

import math

import numpy as np

from unifiedscore.study.attack.evaluate import Ask, Route, Variant, evaluate
from unifiedscore.study.attack.space import Instance
from unifiedscore.study.attack.universal import Universal
from unifiedscore.testing.laws import require


def instances(universal: Universal, rng: np.random.Generator, count: int) -> list[Instance]:
    """The known hard instances and random ones of the space; fewer where `derive` refuses most of them."""
    space = universal.space
    drawn = (space.decode(rng.random(space.coordinates)) for _ in range(8 * count))
    return [*universal.starts, *[instance for instance in drawn if instance is not None][:count]]


def check_space(universal: Universal, found: list[Instance]) -> None:
    """Instances go through their text, their code and the unit cube, and come back."""
    space = universal.space
    for instance in found:
        same = space.parse(instance.text) == instance == eval(instance.code(), {"space": space})
        law = "an instance is what its text and its code say"
        require(same, law, instance, instance.text, "let derive be a function of the instance alone")
        again = space.decode(space.encode(instance))
        require(
            again is not None and set(again) == set(instance),
            "a point that encodes an instance decodes to one",
            f"an instance with {', '.join(instance)}",
            again,
            "derive must not refuse an instance for its last digit",
        )


def check_routes(universal: Universal, found: list[Instance]) -> int:
    """Quantities are functions of the instance, and the second routes agree with them; how many were compared."""
    variants: list[Variant] = ["claim"]
    if universal.control is not None and universal.control.quantity is not None:
        variants.append("control")
    compared = 0
    for variant in variants:
        for instance in found:
            values = [_measured(universal, variant, "first", instance) for _ in range(2)]
            law, advice = f"the quantity of the {variant} is deterministic", "use no random numbers and no state"
            require(_same(*values), law, values[0], values[1], f"{advice}, at {instance.code()}")
            first, second = values[0], _measured(universal, variant, "second", instance)
            if math.isnan(first["value"]) or math.isnan(second["value"]):
                continue
            compared += 1
            require(
                abs(first["value"] - second["value"]) <= first["error"] + second["error"],
                f"the two routes of the {variant} agree within their errors",
                f"{first['value']!r} +- {first['error']:.2g}",
                f"{second['value']!r} +- {second['error']:.2g}",
                f"one of the codes is wrong, or an error lacks the conditioning, at {instance.code()}",
            )
    return compared


def _measured(universal: Universal, variant: Variant, route: Route, instance: Instance) -> dict[str, float]:
    ask = Ask(universal, variant, route, instance)
    return evaluate([universal], ask.cell)


def _same(first: dict[str, float], second: dict[str, float]) -> bool:
    """Whether two evaluations are equal; NaN is equal to itself."""
    return set(first) == set(second) and all(
        first[name] == second[name] or (math.isnan(first[name]) and math.isnan(second[name])) for name in first
    )
