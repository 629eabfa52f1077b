"""The drift of a batch as it is trained, on tensors: Algorithm 2 with joint row and column softmax."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

import torch

from unifiedscore.errors import InputError
from unifiedscore.fields.drifts import batch_drift as host_batch_drift
from unifiedscore.kernels import AbstractKernel
from unifiedscore.torch.pairs import Tile
from unifiedscore.torch.posterior import on_compiled_engine, weighted_moments
from unifiedscore.torch.profiles import profile_of
from unifiedscore.torch.samples import same_device, tensor_points, working_dtype
from unifiedscore.torch.tiles import blocks, tile_sizes
from unifiedscore.validate import choice, positive, shown

DENSE = 2**22
"""Most pairs for which the function on arrays is called, which holds all of them at once."""


@dataclass(frozen=True, slots=True)
class BatchDrift:
    """What Algorithm 2 gives for one batch of tensors.

    Use when you read what `batch_drift` of tensors returned.

    Attributes
    ----------
    drift : (n, d) tensor
        The field at the queries, with its graph.
    positive_mass, negative_mass : (n,) tensors
        Row sums a and b of the affinities to positives and negatives.
    floored : float
        Share of the affinities that the floor replaced.
    """

    drift: torch.Tensor
    positive_mass: torch.Tensor
    negative_mass: torch.Tensor
    floored: float


def batch_drift(
    kernel: AbstractKernel,
    queries: torch.Tensor,
    *,
    positives: torch.Tensor,
    negatives: torch.Tensor | None = None,
    self_terms: Literal["mask", "keep"] = "mask",
    floor: float = 0.0,
) -> BatchDrift:
    r"""Compute the drift of Algorithm 2 at every query of a batch of tensors, in tiles.

    Use when a training step on tensors takes the published batch drift, and the batch may be large.

    $V_i = a_i b_i\,(m^+_i - m^-_i)$ with weights $k_{ij}/\sqrt{\mathrm{col}_j}$ in the means of positives and negatives
    and $a_i = \sum_+ k_{ij}/\sqrt{\mathrm{row}_i\,\mathrm{col}_j}$, b likewise. Row and column sums are normalisers of
    kernel posteriors, and the means are mean shifts of reweighted samples: no array of all pairs is held beyond a tile,
    and gradients reach queries, positives and negatives, through the column sums too. Under `torch.no_grad` or
    with detached tensors it is the target of the stop-gradient loss.

    Parameters
    ----------
    kernel : AbstractKernel
    queries, positives, negatives : (n, d), (m, d), (l, d) tensors
        On one device. Negatives are the queries themselves by default.
    self_terms : {"mask", "keep"}
        Whether a query meets itself among the negatives (only where these are the queries).
    floor : float
        Lower bound of the squared affinity, as in `unifiedscore.batch_drift`; a positive one has no gradient.

    Raises
    ------
    InputError
        Wrong shapes or devices, a masked batch of a single query, a gradient of floored affinities.
    NumericalError
        A point so far from all queries, or a query from all points, that none of its weights is a number.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, Algorithm 2.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> x, p, q = (torch.tensor(v)[:, None] for v in ([0.0, 1.0], [2.0, 3.0], [-1.0, 0.5]))
    >>> ust.batch_drift(us.Laplace(bandwidth=1.0), x, positives=p, negatives=q).drift.ravel()
    tensor([0.7363, 1.1230])
    """
    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(kernel)}")
    x = tensor_points(queries, "queries")
    y = tensor_points(positives, "positives", dimension=x.shape[1])
    own = negatives is None
    z = x if own else tensor_points(negatives, "negatives", dimension=x.shape[1])
    same_device(x, y, ("queries", "positives"))
    same_device(x, z, ("queries", "negatives"))
    masked = choice(self_terms, "self_terms", ("mask", "keep")) == "mask" and own
    if masked and len(x) == 1:
        raise InputError("a masked batch needs two queries or more: a single one would have no negative left")
    floor = positive(floor, "floor", allow_zero=True)
    recorded = torch.is_grad_enabled() and any(part.requires_grad for part in (x, y, z))
    if recorded and floor:
        raise InputError(
            "the gradient of floored affinities is not implemented; use floor=0, or compute the target of a "
            "stop-gradient loss under torch.no_grad()"
        )
    if not recorded and on_compiled_engine(x.device) and len(x) * (len(y) + len(z)) <= DENSE:
        return _by_arrays(kernel, x, y, None if own else z, self_terms, floor)
    dtype, wide = x.dtype, working_dtype(x, y, z)
    x, y, z = (part.to(wide) for part in (x, y, z))
    left_out = torch.arange(len(x), device=x.device) if masked else None
    # Sums over the queries for each positive and negative, and over both of these for each query.
    columns = _log_sum(kernel, y, x, None), _log_sum(kernel, z, x, left_out)
    row = torch.logaddexp(_log_sum(kernel, x, y, None), _log_sum(kernel, x, z, left_out))
    if floor:
        drift, a, b, floored = _floored(kernel, (x, y, z), row, columns, masked, floor)
        return BatchDrift(drift.to(dtype), a.to(dtype), b.to(dtype), floored)
    wants = ("mean_shift", "log_normalizer")
    plus = weighted_moments(kernel, x, y, wants, log_mass=-0.5 * columns[0])
    minus = weighted_moments(kernel, x, z, wants, log_mass=-0.5 * columns[1], exclude=left_out)
    a, b = (torch.exp(part["log_normalizer"] - 0.5 * row) for part in (plus, minus))
    drift = (a * b)[:, None] * (plus["mean_shift"] - minus["mean_shift"])
    return BatchDrift(drift.to(dtype), a.to(dtype), b.to(dtype), 0.0)


def _by_arrays(kernel, x, y, z, self_terms, floor) -> BatchDrift:
    """The function on arrays, on the memory of the tensors."""
    host = [None if part is None else part.detach().to(working_dtype(part)).numpy() for part in (x, y, z)]
    found = host_batch_drift(
        kernel, host[0], positives=host[1], negatives=host[2], self_terms=self_terms, floor=floor
    )  # fmt: skip
    values = (torch.from_numpy(v).to(x.dtype) for v in (found.drift, found.positive_mass, found.negative_mass))
    return BatchDrift(*values, found.floored)


def _log_sum(kernel, x, points, exclude) -> torch.Tensor:
    """log sum_j k(x_i, y_j), (n,)."""
    found = weighted_moments(kernel, x, points, ("log_normalizer",), exclude=exclude)
    return found["log_normalizer"] + log(len(points))


def _floored(kernel, parts, row, columns, masked, floor):
    """The drift with affinities of at least the root of the floor, tile by tile; masked ones are floored too."""
    x, least, profile = parts[0], floor**0.5, profile_of(kernel)
    sums, vectors, replaced = [], [], 0
    for place, (points, column) in enumerate(zip(parts[1:], columns, strict=True)):
        mass, vector = x.new_zeros(len(x)), torch.zeros_like(x)
        for start, stop in blocks(len(x), tile_sizes(x.device)[0]):
            for first, last in blocks(len(points), tile_sizes(x.device)[1]):
                tile = Tile(x[start:stop], points[first:last], points[0])
                affinity = profile.log_kernel(tile.squared)
                affinity.sub_(0.5 * row[start:stop, None]).sub_(0.5 * column[first:last]).exp_()
                if masked and place == 1:
                    begin, end = max(start, first), min(stop, last)  # of the diagonal, which may pass the tile by
                    rows = torch.arange(begin, max(begin, end), device=x.device)
                    affinity[rows - start, rows - first] = 0.0
                replaced += int((affinity.square() < floor).sum())
                affinity.clamp_min_(least)
                mass[start:stop] += affinity.sum(1)
                vector[start:stop] += tile.to_rows(affinity)
        sums.append(mass)
        vectors.append(vector)
    (a, b), (plus, minus) = sums, vectors
    floored = replaced / (len(x) * (len(parts[1]) + len(parts[2])))
    return b[:, None] * plus - a[:, None] * minus, a, b, floored
