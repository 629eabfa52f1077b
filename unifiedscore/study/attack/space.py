"""A space of instances: everything that a universal claim speaks of, as points of a unit cube."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import final

import numpy as np

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.study.attack.parameters import Integer, Parameter
from unifiedscore.study.attack.ragged import Many
from unifiedscore.validate import shown

Value = float | int | str | tuple
OWN = ("value", "error", "margin", "stage", "feasible", "variant", "evaluation", "u", "slot", "derive")


@final
class Instance(Mapping[str, Value]):
    """One point of a space: the values of its parameters, and the numbers derived from them; read-only.

    Two instances are equal if their parameters are. `text` is the canonical form that records are named after.
    """

    __slots__ = ("_derived", "_values")

    def __init__(self, values: Mapping[str, Value], derived: Mapping[str, Value] | None = None):
        self._values, self._derived = dict(values), dict(derived or {})

    def __getitem__(self, name: str) -> Value:
        if name in self._values:
            return self._values[name]
        if name in self._derived:
            return self._derived[name]
        known = ", ".join((*self._values, *self._derived))
        raise KeyError(f"{name} is not a parameter of this instance; it has {known}")

    def __iter__(self) -> Iterator[str]:
        return iter((*self._values, *self._derived))

    def __len__(self) -> int:
        return len(self._values) + len(self._derived)

    def __eq__(self, other) -> bool:
        return self.text == other.text if isinstance(other, Instance) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self):
        return Instance, (self._values, self._derived)

    @property
    def values_given(self) -> dict[str, Value]:
        """The parameters alone, without what is derived from them."""
        return dict(self._values)

    @property
    def text(self) -> str:
        """The parameters as JSON, every float with all its digits, in the order of their names."""
        return json.dumps(self._values, sort_keys=True, separators=(",", ":"))

    def code(self) -> str:
        """Python that makes this instance, where `space` is its space."""
        return f"space.instance({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"

    def __repr__(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self._values.items())


@final
class Space:
    """Named parameters, and perhaps numbers that follow from them.

    Parameters
    ----------
    derive : callable, optional
        `derive(instance)` returns a mapping of dependent numbers, or None where there is no such instance. A hypothesis
        that is an equation (equal norms) belongs here: a penalty alone would leave the search without instances.
    **parameters : Parameter

    Raises
    ------
    InputError
        A parameter has an unusable name, or a `Many` counts by what is not an Integer of the space.

    Examples
    --------
    >>> from unifiedscore.study.attack.parameters import Real
    >>> space = Space(x=Real(-1, 1), y=Real(-1, 1))
    >>> space.decode([0.5, 1.0])
    x=0.0, y=1.0
    >>> space.instance(x=0.5, y=0.0)["x"]
    0.5
    """

    __slots__ = ("_order", "derive", "parameters")

    def __init__(self, *, derive: Callable[[Instance], Mapping | None] | None = None, **parameters: Parameter):
        if not parameters:
            raise InputError("a space needs at least one parameter")
        for name, parameter in parameters.items():
            if not name.isascii() or name != name.lower() or name in OWN:
                raise InputError(f"the parameter {name!r} must have a lower-case name other than {', '.join(OWN)}")
            if not isinstance(parameter, Parameter):
                raise InputError(f"the parameter {name} must be Real, Integer, ...; got {shown(parameter)}")
            for count, most in _counts(parameter):
                if not isinstance(parameters.get(count), Integer):
                    raise InputError(f"the parameter {name} counts by {count!r}, which must be an Integer of the space")
                if parameters[count].high > most:
                    raise InputError(
                        f"the parameter {name} holds at most {most}; {count} goes to {parameters[count].high}"
                    )
        if derive is not None and not callable(derive):
            raise InputError(f"derive must be a function of an instance; got {shown(derive)}")
        self.parameters, self.derive = dict(parameters), derive
        integers = [name for name, parameter in parameters.items() if isinstance(parameter, Integer)]
        self._order = (*integers, *(name for name in parameters if name not in integers))

    @property
    def coordinates(self) -> int:
        """Length of a point of the unit cube."""
        return sum(parameter.coordinates for parameter in self.parameters.values())

    @property
    def counts(self) -> dict[str, int]:
        """The Integers by which some parameter counts."""
        names = {count for parameter in self.parameters.values() for count, _ in _counts(parameter)}
        return {name: self.parameters[name].low for name in self.parameters if name in names}

    def decode(self, u) -> Instance | None:
        """The instance at a point of the unit cube; None where `derive` says that there is none."""
        u = np.asarray(u, dtype=float)
        if u.shape != (self.coordinates,) or not ((u >= 0) & (u <= 1)).all():
            raise InputError(f"u must be {self.coordinates} numbers in [0, 1]; got {shown(u)}")
        parts, values = self._parts(u), {}
        for name in self._order:
            values[name] = self.parameters[name].decode(parts[name], values)
        return self._derived({name: values[name] for name in self.parameters})

    def instance(self, **values) -> Instance:
        """The instance with these values of all parameters.

        Raises
        ------
        InputError
            A parameter is missing, unknown or out of range, or there is no such instance.
        """
        for name in values:
            if name not in self.parameters:
                raise UnknownNameError("parameter", name, self.parameters)
        if missing := [name for name in self.parameters if name not in values]:
            raise InputError(f"an instance of this space needs {', '.join(missing)} as well")
        checked: dict[str, Value] = {}
        for name in self._order:
            checked[name] = self.parameters[name].check(values[name], checked, name)
        instance = self._derived({name: checked[name] for name in self.parameters})
        if instance is None:
            raise InputError(f"there is no instance with {Instance(checked)!r}: derive returned None")
        return instance

    def parse(self, text: str) -> Instance:
        """The instance that `Instance.text` wrote."""
        return self.instance(**{name: _tuples(value) for name, value in json.loads(text).items()})

    def encode(self, instance: Mapping) -> np.ndarray:
        """A point of the unit cube that decodes to the instance, up to rounding; inactive coordinates are 1/2."""
        return np.concatenate([p.encode(instance[name], instance) for name, p in self.parameters.items()])

    def active(self, instance: Mapping) -> np.ndarray:
        """Which coordinates of its point an instance depends on."""
        return np.concatenate([parameter.active(instance) for parameter in self.parameters.values()])

    def complexity(self, instance: Mapping) -> tuple[float, ...]:
        """Counts, other whole numbers, entries that are not simple, digits: the smaller, the simpler."""
        counts = self.counts
        integers = [(n, p) for n, p in self.parameters.items() if isinstance(p, Integer)]
        free = [_rank(p, instance[n]) for n, p in integers if n not in counts]
        pairs = [parameter.complexity(instance[name]) for name, parameter in self.parameters.items()]
        sums = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        return sum(instance[name] for name in counts), sum(free), *sums

    def simpler(self, instance: Instance) -> Iterator[Instance]:
        """Instances to try instead, in the order counts, whole numbers, names, numbers."""
        whole = sorted(self.parameters, key=lambda name: (name not in self.counts, self._order.index(name)))
        for name in whole:
            for found in self.parameters[name].simpler(instance[name], instance):
                values = instance.values_given | {name: found}
                if name in self.counts:
                    values = {n: self.parameters[n].fitted(value, values) for n, value in values.items()}
                try:
                    simpler = self.instance(**values)
                except InputError:  # longer than before, or derive refuses it
                    continue
                if self.complexity(simpler) < self.complexity(instance):
                    yield simpler

    def _derived(self, values: dict[str, Value]) -> Instance | None:
        if self.derive is None:
            return Instance(values)
        derived = self.derive(Instance(values))
        if derived is None:
            return None
        if not isinstance(derived, Mapping) or set(derived) & set(values):
            raise InputError(f"derive must return a mapping of new names, or None; got {shown(derived)}")
        return Instance(values, derived)

    def _parts(self, u: np.ndarray) -> dict[str, np.ndarray]:
        ends = np.cumsum([parameter.coordinates for parameter in self.parameters.values()])
        return dict(zip(self.parameters, np.split(u, ends[:-1]), strict=True))


def _counts(parameter: Parameter) -> Iterator[tuple[str, int]]:
    while isinstance(parameter, Many):
        yield parameter.count, parameter.at_most
        parameter = parameter.of


def _rank(parameter: Integer, value: int) -> float:
    """Simple integers first, in their order; then by size, powers of two before their neighbours."""
    if value in parameter.simple:
        return parameter.simple.index(value)
    return len(parameter.simple) + math.log2(max(abs(value), 1)) + (0.0 if value & (value - 1) == 0 else 0.5)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
