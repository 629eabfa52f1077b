"""What is diagnosed: two supports, the queries between them, and what was left out of which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.arrays import is_array_like
from unifiedscore.diagnosis.remarks import refuse_degenerate, remarks, same_samples
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import Samples, as_samples
from unifiedscore.measures.distances import nearest_neighbours

MINIMUM = 12
"""Samples of each law below which no three disjoint folds and no held-out queries can be formed."""
_FOLD = 40


@final
@dataclass(frozen=True, slots=True)
class Support:
    """Samples of one law, with the member to leave out at each query (-1 for none), and their disjoint folds."""

    samples: Samples
    exclude: np.ndarray
    folds: tuple[np.ndarray, ...]

    def fold(self, number: int) -> tuple[Samples, np.ndarray]:
        """One fold as a law of its own, and what to leave out of it."""
        index = self.folds[number]
        position = np.full(self.samples.size + 1, -1)
        position[index] = np.arange(len(index))
        return Samples(self.samples.points[index], self.samples.weights[index]), position[self.exclude]


@final
@dataclass(frozen=True, slots=True)
class Data:
    """Both supports, the queries with their masses, the field that the user gave at them, and notes in words.

    `held_out` counts the queries that were taken out of the model's sample, 0 where the user gave them.
    """

    target: Support
    model: Support
    queries: np.ndarray
    query_weights: np.ndarray
    field: np.ndarray | None
    notes: tuple[str, ...]
    held_out: int


def prepare(target, model, *, queries, field, max_samples, max_queries, folds, rng) -> Data:
    """Check everything at the door, subsample, hold out queries and cut disjoint folds."""
    target, model = _as_law(target, "target"), _as_law(model, "model")
    if target.dimension != model.dimension:
        raise InputError(
            f"target and model must have one dimension; got {target.dimension} and {model.dimension} "
            f"(shapes {target.points.shape} and {model.points.shape})"
        )
    evaluated = callable(field) and not is_array_like(field)
    if field is not None and queries is None and not evaluated:
        raise InputError("field needs queries: the points at which it was computed")
    refuse_degenerate(target, model)
    notes = remarks(target, model, _members)
    same = same_samples(target, model)
    target = _subsample(target, "target", max_samples, rng, notes)
    # Equal laws in another order would differ by rounding, and their drift would not be exactly zero.
    model = target if same else _subsample(model, "model", max_samples, rng, notes)
    count = 0
    if queries is None:
        held = rng.permutation(model.size)
        count = min(max_queries, max(4, model.size // 5))
        x, weights = model.points[held[:count]], model.weights[held[:count]]
        model = Samples(model.points[held[count:]], model.weights[held[count:]])
        notes.append(f"queries: {count} points of the model, held out of its sample")
        if evaluated:
            field = _field_values(field, x)
    else:
        x, weights, field = _user_queries(queries, field, target.dimension, max_queries, rng, notes)
    smallest = min(target.size, model.size)
    # Folds too small are biased, folds too few give a hopeless Student quantile: at least five of four samples.
    parts = max(3, min(folds, max(smallest // _FOLD, min(5, smallest // 4))))
    notes.append(
        f"intervals: {parts} disjoint folds of about {smallest // parts} samples a law, and the queries; "
        "rows are taken to be independent draws"
    )
    supports = [_support(m, n, x, parts, rng, notes) for m, n in ((target, "target"), (model, "model"))]
    return Data(*supports, x, weights / weights.sum(), field, tuple(notes), count)


def noted(data: Data, note: str) -> Data:
    """The same data with one more note."""
    return replace(data, notes=(*data.notes, note))


def within_reach(data: Data, kernels: Sequence[AbstractKernel]) -> Data:
    """Drop the held-out queries from which a compact kernel reaches no sample of some fold: no field is defined there.

    Queries of the user are refused instead, and so is a kernel that loses most of the held-out ones.
    """
    kernel = min(kernels, key=lambda kernel: kernel.support * kernel.bandwidth)
    # Differences of the drift are taken within 1e-4 bandwidths of a query.
    radius = (kernel.support - 2e-4) * kernel.bandwidth
    if radius == np.inf:
        return data
    nearest = [_nearest(*law.fold(i), data.queries) for law in (data.target, data.model) for i in range(len(law.folds))]
    kept = (np.stack(nearest) < radius).all(axis=0)
    lost, size = int((~kept).sum()), len(kept)
    if not lost:
        return data
    where = "" if data.held_out else f", the first query {int(np.argmin(kept))},"
    text = (
        f"{lost} of {size} queries{where} have no sample within the support of the kernel {kernel.name}, "
        f"r < {kernel.support * kernel.bandwidth:.3g}, in one of the {len(data.target.folds)} folds of target or model"
    )
    if not data.held_out or lost > size // 2:
        leave = "" if data.held_out else "leave these queries out, or "
        raise NumericalError(f"{text}; {leave}choose a larger bandwidth, fewer folds or more samples")
    field = None if data.field is None else data.field[kept]
    supports = [replace(law, exclude=law.exclude[kept]) for law in (data.target, data.model)]
    weights = data.query_weights[kept]
    found = Data(*supports, data.queries[kept], weights / weights.sum(), field, data.notes, data.held_out)
    return noted(found, f"{text}: they are left out")


def _nearest(samples: Samples, exclude, x) -> np.ndarray:
    """Distance of every query to the nearest sample but the one to leave out, (n,)."""
    distance, index = nearest_neighbours(samples.points, x, 2)
    return np.where(index[:, 0] == exclude, distance[:, 1], distance[:, 0])


def _as_law(value, name) -> Samples:
    law = as_samples(value, name)
    keep = law.weights > 0
    law = Samples(law.points[keep].astype(np.float64), law.weights[keep])
    if law.size < MINIMUM:
        raise InputError(
            f"{name} must hold at least {MINIMUM} samples (of positive weight) to be cut into folds; got {law.size}"
        )
    return law


def _subsample(law: Samples, name: str, limit: int, rng, notes: list[str]) -> Samples:
    if law.size <= limit:
        return law
    index = rng.choice(law.size, size=limit, replace=False)
    notes.append(f"{name}: a random {limit} of its {law.size} samples (raise max_samples for more)")
    return Samples(law.points[index], law.weights[index])


def _user_queries(queries, field, dimension, limit, rng, notes):
    x = validate.points(queries, "queries", dimension=dimension).astype(np.float64)
    field = None if field is None else _field_values(field, x)
    if len(x) > limit:
        index = np.sort(rng.choice(len(x), size=limit, replace=False))
        notes.append(f"queries: a random {limit} of the {len(x)} given (raise max_queries for more)")
        x, field = x[index], None if field is None else field[index]
    return x, np.ones(len(x)), field


def _field_values(field, x) -> np.ndarray:
    """The user's field at the queries: values computed before, or a field or function that gives them."""
    given = field(x) if callable(field) and not is_array_like(field) else field
    values = validate.points(given, "field").astype(np.float64)
    if values.shape != x.shape:
        raise InputError(f"field must hold one vector a query, shape {x.shape}; got shape {values.shape}")
    if not values.any():
        raise InputError("field is zero at every query, so there is nothing to decompose")
    return values


def _support(law: Samples, name: str, x, count: int, rng, notes: list[str]) -> Support:
    exclude = _members(law.points, x)
    found = int((exclude >= 0).sum())
    if found:
        notes.append(f"{name}: {found} queries are members of its sample, each left out at its own query")
    return Support(law, exclude, tuple(np.array_split(rng.permutation(law.size), count)))


def _members(points, x) -> np.ndarray:
    """For each query the index of an equal sample, -1 for none."""
    # Adding 0.0 turns -0.0 into 0.0, so that equal numbers have equal bytes.
    index = {row.tobytes(): i for i, row in enumerate(points + 0.0)}
    return np.array([index.get(row.tobytes(), -1) for row in x + 0.0])
