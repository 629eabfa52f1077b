"""A study: a grid, a measurement and the claims it tests, checked before anything is run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.profiles import PROFILES
from unifiedscore.study.attack.universal import Universal, check_universals
from unifiedscore.study.claim import Claim, Variable, check_claims
from unifiedscore.study.grid import OWN, Cell, Grid
from unifiedscore.study.maps.map import Map, check_maps
from unifiedscore.study.numerical_error import expanding
from unifiedscore.study.selection import same_label
from unifiedscore.validate import known, sequence, shown

NO_GRID = Grid(seed=[0], skip=lambda cell: "the study makes universal claims alone")
"""The grid of a study that measures nothing: its one cell is skipped."""


def _nothing(cell: Cell, rng: np.random.Generator) -> Mapping:
    """The measurement of a study that measures nothing."""
    return {}


@final
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Study:
    """What is measured on which grid, and the claims that the numbers must bear out.

    Parameters
    ----------
    name : str
        Lower-case identifier; the data set is stored as `<name>.nc`.
    title : str
        One line that says what is studied.
    grid : Grid
        The grid of the profile "quick".
    measure : callable
        `measure(cell, rng)` returns a mapping with a number (or, for a variable with `dims`, an array) for each
        variable and each declared error. `rng` is the cell's own generator. A value that `two_rules` or `known` made
        carries its error with it; `study.measure` returns both, as they are stored. `combine` makes one of parts.
    variables : mapping of str to Variable
        What `measure` returns.
    claims : sequence of Claim
        What the numbers are held against.
    profiles : mapping of str to mapping
        Axes replaced in larger profiles, as in `{"standard": {"seed": range(64)}}`. A profile without an entry
        takes the nearest smaller one.
    inputs : sequence of path
        Data files, or folders of them, that `measure` reads, relative to the study's file. Their contents belong to
        the numbers as the code does: an edit measures again. A file below the study's folder that is read without
        being declared makes its cell fail.
    environment : sequence of str
        Environment variables that `measure` reads; their values belong to the numbers as well.
    universals : sequence of Universal
        Claims about every instance of a space, which a search attacks. A study that makes no other claims needs no
        grid, measure or variables.
    maps : sequence of Map
        Where claims are judged over two axes, by `unifiedscore map`.

    Raises
    ------
    InputError
        A name is unknown, repeated or unusable; a claim could not come out the other way.
    """

    name: str
    title: str
    grid: Grid = NO_GRID
    measure: Callable[[Cell, np.random.Generator], Mapping] = _nothing
    variables: Mapping[str, Variable] = field(default_factory=dict)
    claims: Sequence[Claim] = ()
    profiles: Mapping[str, Mapping] = field(default_factory=dict)
    inputs: Sequence[str | Path] = ()
    environment: Sequence[str] = ()
    universals: Sequence[Universal] = ()
    maps: Sequence[Map] = ()

    def __post_init__(self):
        if not isinstance(self.name, str) or not _is_name(self.name):
            raise InputError(
                f"a study's name must be a lower-case identifier such as ring_drift; got {shown(self.name)}"
            )
        object.__setattr__(self, "claims", sequence(self.claims, f"study {self.name}: claims", "Claim objects"))
        try:
            object.__setattr__(self, "inputs", _texts("inputs", self.inputs, (str, os.PathLike), "paths"))
            object.__setattr__(self, "environment", _texts("environment", self.environment, str, "names"))
            _check(self)
        except InputError as error:
            raise InputError(f"study {self.name}: {error}") from error
        object.__setattr__(self, "variables", dict(self.variables))
        object.__setattr__(self, "measure", expanding(self.measure, self.variables))
        object.__setattr__(self, "profiles", {name: dict(axes) for name, axes in self.profiles.items()})
        _align_labels(self)
        try:
            object.__setattr__(self, "maps", check_maps(self, self.maps))
        except InputError as error:
            raise InputError(f"study {self.name}: {error}") from error

    def profile_grid(self, profile: str) -> Grid:
        """The grid with the overrides of `profile` applied."""
        known(profile, "profile", PROFILES)
        upto = PROFILES[: PROFILES.index(profile) + 1]
        nearest = next((name for name in reversed(upto) if name in self.profiles), None)
        return self.grid if nearest is None else self.grid.replace(**self.profiles[nearest])

    def claim_ids(self) -> set[str]:
        """The ids of all claims, universal ones included."""
        return {entry.id for entry in (*self.claims, *self.universals)}

    def stored_variables(self) -> dict[str, Variable]:
        """The declared variables and the numerical errors they name: what every cell must return."""
        named = {v.error: v for v in self.variables.values() if v.error is not None and v.error not in self.variables}
        return dict(self.variables) | {error: _error_of(variable) for error, variable in named.items()}

    def optional_variables(self) -> dict[str, Variable]:
        """The errors `<name>_error` that a cell may return without a declaration."""
        optional = {f"{name}_error": _error_of(v) for name, v in self.variables.items() if v.error is None}
        return {name: variable for name, variable in optional.items() if name not in self.stored_variables()}


def _texts(name: str, given, kind, what: str) -> tuple[str, ...]:
    given = sequence(given, name, what)
    wrong = [item for item in given if not isinstance(item, kind) or not str(item) or "\0" in str(item)]
    if wrong:
        raise InputError(f"{name} must be a list of {what}; got {wrong[0]!r} in it")
    return tuple(os.fspath(item) for item in given)


def _align_labels(study: Study) -> None:
    """Give an axis whose labels are floats in one profile floats in all of them.

    Profiles share records: `measure` must not see the integer 1 in one and 1.0 in another.
    """
    grids = [study.grid, *(study.grid.replace(**axes) for axes in study.profiles.values())]
    for axis in study.grid.axes:
        kinds = {type(label) for grid in grids for label in grid.axes[axis]}
        if len(kinds) > 1 and str in kinds:
            raise InputError(f"study {study.name}: the axis {axis} has text in one profile and numbers in another")
        if kinds != {int, float}:
            continue
        object.__setattr__(study, "grid", study.grid.replace(**{axis: list(map(float, study.grid.axes[axis]))}))
        for axes in study.profiles.values():
            if axis in axes:
                axes[axis] = [float(label) for label in axes[axis]]


def _error_of(variable: Variable) -> Variable:
    return Variable(
        f"Numerical error of {variable.long_name}", units=variable.units, dims=variable.dims, coords=variable.coords
    )


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier() and text == text.lower()


def _check(study: Study) -> None:
    if not isinstance(study.title, str) or not study.title.strip():
        raise InputError(f"title must be one line of text; got {shown(study.title)}")
    if not isinstance(study.grid, Grid):
        raise InputError(f"grid must be a Grid; got {type(study.grid).__name__}")
    if not callable(study.measure):
        raise InputError(f"measure must be a function of (cell, rng); got {shown(study.measure)}")
    if not isinstance(study.profiles, Mapping) or not all(isinstance(a, Mapping) for a in study.profiles.values()):
        raise InputError('profiles must map names to axes, as in {"standard": {"seed": range(64)}}')
    for name, axes in study.profiles.items():
        if name not in PROFILES:
            raise UnknownNameError("profile", name, PROFILES)
        try:
            study.grid.replace(**axes)
        except InputError as error:
            raise InputError(f"profiles[{name!r}]: {error}") from error
    if study.grid is NO_GRID or study.measure is _nothing:
        _check_universals_alone(study)
    else:
        _check_variables(study)
    universals = check_universals(study.universals)
    object.__setattr__(study, "universals", universals)
    for claim in check_claims(study.claims):
        where = f"claim {claim.id}" + (f" ({claim.regime})" if claim.regime else "")
        try:
            _check_claim(study, claim)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error


def _check_universals_alone(study: Study) -> None:
    if not study.universals:
        raise InputError("a study needs a grid, a measure and variables, or universals")
    given = [name for name in ("variables", "claims", "profiles") if getattr(study, name)]
    given += [name for name, none in (("grid", NO_GRID), ("measure", _nothing)) if getattr(study, name) is not none]
    if given:
        raise InputError(f"a study that gives {', '.join(given)} needs grid, measure and variables, all three")


def _check_variables(study: Study) -> None:
    if not isinstance(study.variables, Mapping) or not study.variables:
        raise InputError("variables must map at least one name to a Variable")
    lengths: dict[str, tuple] = {}
    for name, variable in study.variables.items():
        if not isinstance(name, str) or not _is_name(name) or name in OWN or name in study.grid.axes:
            raise InputError(
                f"the variable name {name!r} must be a lower-case identifier, not an axis and none of {', '.join(OWN)}"
            )
        if not isinstance(variable, Variable):
            raise InputError(f"the variable {name} must be a Variable; got {type(variable).__name__}")
        if variable.error is not None and not _is_name(variable.error):
            raise InputError(f"the error of the variable {name} must be a name; got {shown(variable.error)}")
        for dim in variable.dims:
            if dim in study.grid.axes or not _is_name(dim):
                raise InputError(f"the extra dimension {dim!r} of {name} must be a lower-case identifier and no axis")
            if dim not in variable.coords:
                raise InputError(f"the extra dimension {dim} of {name} needs fixed labels: coords={{{dim!r}: [...]}}")
            labels = tuple(np.asarray(variable.coords[dim]).tolist())
            if lengths.setdefault(dim, labels) != labels:
                raise InputError(f"the extra dimension {dim} has different coords in {name} than in another variable")


def _check_claim(study: Study, claim: Claim) -> None:
    known = study.stored_variables() | study.optional_variables()
    for part, variable in _variables_named(claim):
        if variable not in known:
            raise UnknownNameError(f"variable of the {part}", variable, known)
    for along in (test.axis for test in _tests(claim)):
        if along is not None and along not in study.grid.axes:
            raise UnknownNameError("axis to fit along", along, study.grid.axes)
    labels = _all_labels(study, known)
    control = claim.control
    for part, selection in (
        ("where", claim.where),
        ("minus", claim.minus),
        ("control's where", (control.where if control else None) or {}),
    ):
        for axis, wanted in selection.items():
            if axis not in labels:
                raise UnknownNameError(f"axis in {part}", axis, labels)
            _check_labels(part, axis, wanted, labels[axis])


def _tests(claim: Claim) -> Iterator:
    yield claim.test
    if claim.control is not None and claim.control.test is not None:
        yield claim.control.test


def _variables_named(claim: Claim) -> Iterator[tuple[str, str]]:
    yield "claim", claim.variable
    if claim.control is not None and claim.control.variable is not None:
        yield "control", claim.control.variable
    if claim.sharpness:
        yield "sharpness", claim.sharpness
    for hypothesis in claim.hypotheses:
        yield f"hypothesis {hypothesis.name!r}", hypothesis.variable
    for test in _tests(claim):
        if test.scale_variable is not None:
            yield "test's scale", test.scale_variable


def _all_labels(study: Study, known: Mapping[str, Variable]) -> dict[str, set]:
    """Labels of every axis over all profiles, and of the extra dimensions."""
    labels = {axis: set(values) for axis, values in study.grid.axes.items()}
    for axes in study.profiles.values():
        for axis, values in study.grid.replace(**axes).axes.items():
            labels[axis] |= set(values)
    for variable in known.values():
        for dim in variable.dims:
            labels[dim] = set(np.asarray(variable.coords[dim]).tolist())
    return labels


def _check_labels(part: str, axis: str, wanted, known: set) -> None:
    if isinstance(wanted, slice):
        return
    plain = wanted.tolist() if isinstance(wanted, np.ndarray | np.generic) else wanted
    for label in plain if isinstance(plain, list | tuple | range | set | frozenset) else [plain]:
        if not any(same_label(other, label) for other in known):
            raise InputError(_unknown_label(f"label of the axis {axis} in {part}", label, known))


def _unknown_label(kind: str, label, known: set) -> str:
    """What is wrong, with the nearest labels: by distance for numbers, by spelling for text."""
    label = label.item() if isinstance(label, np.generic) else label
    number = isinstance(label, int | float) and not isinstance(label, bool)
    if not number or any(isinstance(other, str) for other in known):
        return str(UnknownNameError(kind, label, map(str, known)))
    near = sorted(known, key=lambda other: (abs(other - label), other))[:3]
    more = "" if len(near) == len(known) else f" ({len(known)} are known)"
    return f"unknown {kind} {label!r}; the nearest are: {', '.join(map(str, near))}{more}"
