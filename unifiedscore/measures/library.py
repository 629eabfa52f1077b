"""Named measures and named pairs: one table each, their parameters read from the builders' signatures."""

from __future__ import annotations

from inspect import Parameter, signature

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.measures import carried, pairs, real, shapes
from unifiedscore.measures.gaussian_mixture import GaussianMixture
from unifiedscore.measures.samples import Samples

_MEASURES = {
    "two_moons": shapes.two_moons,
    "checkerboard": shapes.checkerboard,
    "spirals": shapes.spirals,
    "swiss_roll": shapes.swiss_roll,
    "circle12": shapes.circle12,
    "digits": real.digits,
    "image_patches": real.image_patches,
    **carried.CARRIED,
}

_PAIRS = {
    "ring_mog": pairs.ring_mog,
    "ring_mog_shifted": pairs.ring_mog_shifted,
    "ring_mog_norms": pairs.ring_mog_norms,
    "raw_mog": pairs.raw_mog,
    "digits": real.digits_pair,
    "mnist": carried.mnist_pair,
    "image_patches": real.image_patches_pair,
    "circle12": shapes.circle12_pair,
    **{name: shapes.shape_pair(_MEASURES[name]) for name in ("two_moons", "checkerboard", "spirals", "swiss_roll")},
}

_FIXED_DIMENSION = {
    "digits": 64,
    "mnist": 784,
    "circle12": 2,
    "two_moons": 2,
    "checkerboard": 2,
    "spirals": 2,
    "swiss_roll": 3,
}


def measure_names() -> list[str]:
    """Names that `load_measure` knows.

    Use when you want to see which data sets `load_measure` knows.
    """
    return sorted(_MEASURES)


def pair_names() -> list[str]:
    """Names that `load_pair` knows.

    Use when you want to see which pairs `load_pair` knows.
    """
    return sorted(_PAIRS)


def load_measure(name: str, **parameters) -> Samples:
    """A named data set.

    Use when an experiment needs a standard data set by name rather than points of your own.

    Parameters
    ----------
    name : str
        ========================================= ========================================================
        two_moons, checkerboard, spirals           in the plane; n, rng (required), shape parameters
        swiss_roll                                 in space; n, rng (required), noise
        circle12                                   twelve points on a circle; radius, angle
        digits                                     real, d = 64; label, scaled
        image_patches                              real, d = p^2 or 3 p^2; patch, colour, photograph, n, rng
        mnist                                      real, d = 784; label, scaled                  (extra `data`)
        faces                                      real, d = 625                                 (extra `data`)
        mesh:airplane, ant, globe, nut, sphere     points on a surface in space; n, rng          (extra `data`)
        ========================================= ========================================================
    **parameters
        As in the builders of `unifiedscore.measures.shapes`, `real` and `carried`. Every set of the first four is an
        independent draw; scikit-learn's moons and circles are not: their angles are equally spaced.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    InputError
        For a parameter that the set does not have, or a missing one.
    MissingDependencyError
        For a set that a package carries which is not installed.

    Examples
    --------
    >>> load_measure("digits", label=3).dimension
    64
    """
    return _build("measure", name, _MEASURES, parameters)


def load_pair(
    name: str, *, dimension: int | None = None, **parameters
) -> tuple[GaussianMixture, GaussianMixture] | tuple[Samples, Samples]:
    """A named (target, model) pair.

    Use when an experiment needs a target and a model that differ in a known way.

    Parameters
    ----------
    name : str
        Mixtures in any dimension: ring_mog, ring_mog_shifted (the means differ), ring_mog_norms (the spreads differ),
        raw_mog (dimension >= 12). Samples: image_patches (one photograph against the other), digits (two groups of
        writers, or labels=(a, b)), mnist (every second image, or labels=(a, b)), circle12, two_moons, checkerboard,
        spirals, swiss_roll (against Gaussian points of equal mean and covariance, or model="same").
    dimension : int, optional
        Needed for mixtures; p^2 or 3 p^2 for image patches; fixed for the others.
    **parameters
        As in the builders of `unifiedscore.measures.pairs`, `shapes` and `real`, where their provenance stands.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    InputError
        For a parameter that the pair does not have, a missing one, or an impossible dimension.

    References
    ----------
    [Lai et al. 2026, arXiv 2603.07514, section 6] for the ring.

    Examples
    --------
    >>> target, model = load_pair("ring_mog", dimension=2**20)
    >>> target.reduced().dimension
    3
    """
    fixed = _FIXED_DIMENSION.get(name) if isinstance(name, str) else None
    if dimension is not None and fixed is not None:
        if dimension != fixed:
            raise InputError(f"pair {name!r} has dimension {fixed}; got dimension={dimension!r}")
    elif dimension is not None:
        parameters["dimension"] = dimension
    return _build("pair", name, _PAIRS, parameters)


def _build(kind: str, name, table: dict, parameters: dict):
    if not isinstance(name, str) or name not in table:
        raise UnknownNameError(f"{kind} name", name, table)
    known = signature(table[name]).parameters
    shown = ", ".join(k if v.default is Parameter.empty else f"{k}={v.default!r}" for k, v in known.items())
    unknown = [k for k in parameters if k not in known]
    if unknown:
        raise InputError(f"{kind} {name!r} has no parameter {', '.join(map(repr, unknown))}; it takes: {shown}")
    missing = [k for k, v in known.items() if v.default is Parameter.empty and k not in parameters]
    if missing:
        raise InputError(f"{kind} {name!r} needs the parameter {', '.join(missing)}; it takes: {shown}")
    return table[name](**parameters)
