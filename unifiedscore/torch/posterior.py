"""The kernel posterior on tensors: the compiled engine where it can, tiles of torch operations elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from math import frexp

import numpy as np
import torch

from unifiedscore import posterior as compiled
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import Samples as HostSamples
from unifiedscore.posterior.loops import NEAR
from unifiedscore.torch.host import host_gradients, slope_rule
from unifiedscore.torch.pairs import DIRECT
from unifiedscore.torch.samples import (
    Samples,
    as_samples,
    host_samples,
    refuse_infinite,
    same_device,
    tensor_points,
    working_dtype,
)
from unifiedscore.torch.tiles import SCALARS, VECTORS, Law, gradients, in_doubt, rounding_of_products, values
from unifiedscore.validate import shown

_ALL = (*VECTORS, *SCALARS)
# Powers of the unit of length in each moment.
_DEGREES = {"mean_shift": 1, "score": -1, "preconditioner": 2, "mean_distance": 1}
# A bandwidth within 2^+-20 leaves room for its square, and those of all distances, also in single precision.
_RANGE = 20


@dataclass(frozen=True, slots=True)
class PosteriorMoments:
    r"""Moments of the kernel posterior $\pi_x(y) = k(x, y)\mu(y)/Z(x)$ at n queries, as tensors with their graph.

    Use when you read what `posterior_moments` of tensors returned.

    Attributes
    ----------
    log_normalizer, preconditioner, mean_distance, effective_samples : (n,) tensors
        $\log Z$, $\alpha = E_\pi[1/b]$, $E_\pi r$ and $1/\sum_j \pi_j^2$.
    mean_shift, score : (n, d) tensors
        $V = E_\pi[y - x]$ and $s = \nabla\log Z = E_\pi[b\,(y - x)]$.
    relative_error : (n,) tensor
        Bound on the relative rounding error, as in `unifiedscore.PosteriorMoments`; without a graph.
    residual, curl_norm : (n, d), (n,) tensors
        $V - \alpha s$, and the Frobenius norm of the antisymmetric part of $\nabla V$; made when they are read.
    """

    log_normalizer: torch.Tensor
    mean_shift: torch.Tensor
    score: torch.Tensor
    preconditioner: torch.Tensor
    mean_distance: torch.Tensor
    effective_samples: torch.Tensor
    relative_error: torch.Tensor

    @property
    def residual(self) -> torch.Tensor:
        r"""Covariance residual $\delta = V - \alpha s$, (n, d)."""
        return self.mean_shift - self.preconditioner[:, None] * self.score

    @property
    def curl_norm(self) -> torch.Tensor:
        r"""Frobenius norm of $\mathrm{antisym}(\nabla V) = -\frac12 (V s^\top - s V^\top)$, (n,)."""
        size = torch.linalg.vector_norm(self.mean_shift, dim=1)
        if self.mean_shift.shape[1] == 1:
            return torch.zeros_like(size)
        unit = self.mean_shift / torch.where(size > 0, size, torch.ones_like(size))[:, None]
        across = self.score - (self.score * unit).sum(1, keepdim=True) * unit
        return size * torch.linalg.vector_norm(across, dim=1) / 2.0**0.5


@dataclass(frozen=True, slots=True)
class PosteriorVectors:
    """Mean shift and score at n queries, both (n, d), and log Z (n,), as tensors with their graph.

    Use when you read what `posterior_vectors` of tensors returned.
    """

    mean_shift: torch.Tensor
    score: torch.Tensor
    log_normalizer: torch.Tensor


def posterior_moments(kernel: AbstractKernel, measure, x, *, exclude=None) -> PosteriorMoments:
    r"""Compute all moments of the kernel posterior of a sample on tensors, in one pass.

    Use when you need several moments of the same points inside a program of tensors, or their gradients.

    $E_\pi f(x) = \sum_j \pi_j(x) f(x, y_j)$ with $\pi_j(x) \propto m_j\,k(\lVert x - y_j\rVert)$. On the CPU, without a
    gradient to record, the compiled engine computes on the memory of your tensors; otherwise tiles of torch operations
    with a running log-sum-exp do, on any device, and no array of all pairs exists. First derivatives with respect to
    queries, samples and weights are analytic and computed tile by tile; second derivatives are refused.

    Parameters
    ----------
    kernel : AbstractKernel
    measure : unifiedscore.torch.Samples or (m, d) tensor
    x : (n, d) tensor
        Queries of any float dtype, on the device of the measure. float16 and bfloat16 are computed in float32, and
        float32 in float64 where a bound says that it must be.
    exclude : (n,) int tensor, optional
        For each query the index of one sample to leave out, -1 for none.

    Returns
    -------
    PosteriorMoments
        In the dtype of `x`.

    Raises
    ------
    InputError
        Wrong shapes, types or devices, non-finite values, or an exclusion that leaves a query without samples.
    NumericalError
        A result leaves the range of floats.

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514; the derivatives are derived here.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> data = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> ust.posterior_moments(us.Gaussian(bandwidth=1.0), data, torch.tensor([[1.0, 0.0]])).mean_shift
    tensor([[0., 0.]])
    """
    found = moments(kernel, measure, x, _ALL, exclude=exclude)
    return PosteriorMoments(**found)


def posterior_vectors(kernel: AbstractKernel, measure, x, *, exclude=None) -> PosteriorVectors:
    """Mean shift, score and log Z of a sample on tensors, in one pass.

    Use when you need these alone, at a lower price than all moments.

    Parameters, errors and gradients as for `posterior_moments`.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> x = torch.tensor([[1.0]], requires_grad=True)
    >>> height = ust.posterior_vectors(us.Gaussian(bandwidth=1.0), torch.tensor([[0.0]]), x).log_normalizer
    >>> height.sum().backward(); x.grad
    tensor([[-1.]])
    """
    return PosteriorVectors(**moments(kernel, measure, x, ("mean_shift", "score", "log_normalizer"), exclude=exclude))


def moments(kernel, measure, x, wants: tuple[str, ...], *, exclude=None, name: str = "measure") -> dict:
    """Return the wanted moments, and with all of them `relative_error`, in the dtype of `x`."""
    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(kernel)}")
    law = as_samples(measure, name)
    x = tensor_points(x, "x", dimension=law.dimension, finite=False)
    same_device(x, law.points, ("x", name))
    exclude = _checked_exclusion(exclude, x, law)
    records = law.needs_gradient or (torch.is_grad_enabled() and x.requires_grad)
    if not records and on_compiled_engine(x.device):
        return _by_the_engine(kernel, host_samples(law.points, law.weights), x, wants, exclude)
    refuse_infinite(x, "x")  # which the engine does itself
    return _by_tiles(kernel, law, x, wants, exclude)


def on_compiled_engine(device: torch.device) -> bool:
    """Whether the compiled engine reaches the memory of this device."""
    return device.type == "cpu"


def _checked_exclusion(exclude, x, law) -> torch.Tensor | None:
    if exclude is None:
        return None
    index = torch.as_tensor(exclude)
    if index.is_floating_point() or index.is_complex() or index.dtype == torch.bool or index.shape != x.shape[:1]:
        raise InputError(
            f"exclude must be an integer tensor of shape ({len(x)},); got {index.dtype} of shape {tuple(index.shape)}"
        )
    index = index.to(x.device, torch.int64)
    if bool((index < -1).any()) or bool((index >= law.size).any()):
        raise InputError(
            f"exclude must hold indices in [0, {law.size}) or -1; got {int(index.min())} ... {int(index.max())}"
        )
    return index


def _by_the_engine(kernel, law: HostSamples, x, wants, exclude) -> dict[str, torch.Tensor]:
    """The compiled engine, on the memory of the tensors; half precision goes in as float32."""
    held = x.detach()
    host = (held.float() if held.element_size() < 4 else held).numpy()
    arguments = (kernel, law, host)
    options = {} if exclude is None else {"exclude": exclude.numpy()}
    if len(wants) == 1 and wants[0] in VECTORS:
        found = {wants[0]: compiled.posterior_field(*arguments, wants[0], **options)}
    elif set(wants) <= {*VECTORS, "log_normalizer"}:
        record = compiled.posterior_vectors(*arguments, **options)
        found = {name: getattr(record, name) for name in wants}
    else:
        record = compiled.posterior_moments(*arguments, **options)
        found = {name: getattr(record, name) for name in (*wants, "relative_error")}
        if host.dtype.itemsize > x.element_size():
            found["relative_error"] = found["relative_error"] + torch.finfo(x.dtype).eps
    return {name: torch.from_numpy(value).to(x.dtype) for name, value in found.items()}


def _by_tiles(kernel, law, x, wants, exclude) -> dict[str, torch.Tensor]:
    # The processor computes in float64 anyway.
    dtype = torch.float64 if on_compiled_engine(x.device) else working_dtype(x, law.points)
    points, queries, log_mass = law.points.to(dtype), x.to(dtype), None
    if law.weights is not None:
        points, log_mass, exclude = _with_weight(law, points, exclude)
    found = weighted_moments(kernel, queries, points, wants, log_mass=log_mass, exclude=exclude)
    if set(wants) == set(_ALL):
        found["relative_error"] = _rounding(kernel, points, queries, found, x.dtype)
    return {name: value.to(x.dtype) for name, value in found.items()}


def weighted_moments(kernel, x, points, wants: tuple[str, ...], *, log_mass=None, exclude=None) -> dict:
    r"""Return the wanted moments under masses $e^{l_j}$, which are not made to sum to one: $Z = \sum_j e^{l_j} k$.

    Parameters
    ----------
    x, points : (n, d), (m, d) tensors
        In one dtype, float32 or float64, on one device.
    log_mass : (m,) tensor, optional
        Without it all masses are 1/m.
    """
    exponent = frexp(kernel.bandwidth)[1]
    exponent = exponent if abs(exponent) > _RANGE else 0
    if exponent:
        # A power of two, which is exact.
        kernel = kernel.with_bandwidth(float(np.ldexp(kernel.bandwidth, -exponent)))
        points, x = (torch.ldexp(part, part.new_tensor(-exponent)) for part in (points, x))
    order = tuple(name for name in _ALL if name in wants or name == "log_normalizer")
    found = dict(zip(order, _Posterior.apply(x, points, log_mass, exclude, kernel, order), strict=True))
    _refuse_overflow(found, kernel, exclude, len(points))
    for name, degree in _DEGREES.items():
        if exponent and name in found:
            found[name] = torch.ldexp(found[name], found[name].new_tensor(exponent * degree))
    return {name: found[name] for name in wants}


def _with_weight(law: Samples, points: torch.Tensor, exclude):
    """The points of positive weight, their log-weights, and indices into them: others influence nothing."""
    kept, weights = law.weights.detach() > 0, law.weights.to(torch.promote_types(points.dtype, law.weights.dtype))
    if not bool(kept.all()):
        points, weights = points[kept], weights[kept]
        if exclude is not None:
            place = torch.where(kept, kept.cumsum(0) - 1, -1)
            exclude = torch.where(exclude >= 0, place[exclude.clamp_min(0)], -1)
    weights = weights / weights.detach().max()
    return points, (weights / weights.sum()).log().to(points.dtype), exclude


class _Posterior(torch.autograd.Function):
    """The wanted moments as one node of the graph; the backward pass visits the tiles again."""

    @staticmethod
    def forward(queries, points, log_mass, exclude, kernel, order):
        law = Law(kernel, points, log_mass)
        with _plain_products(queries.device):
            found = _resolved(law, queries, exclude, frozenset(order))
        return tuple(found[name] for name in order)

    @staticmethod
    def setup_context(ctx, inputs, output):
        queries, points, log_mass, exclude, kernel, order = inputs
        ctx.save_for_backward(queries, points, log_mass, exclude, *output)
        ctx.kernel, ctx.order = kernel, order
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx, *cotangents):
        queries, points, log_mass, exclude, *output = ctx.saved_tensors
        slopes = {name: g for name, g in zip(ctx.order, cotangents, strict=True) if g is not None}
        needs = tuple(ctx.needs_input_grad[:3])
        if not slopes:
            return (None,) * 6
        known = dict(zip(ctx.order, output, strict=True))
        with torch.no_grad(), _plain_products(queries.device):
            found = _gradients(Law(ctx.kernel, points, log_mass), queries, exclude, known, slopes, needs)
        if torch.is_grad_enabled():
            found = tuple(None if g is None else _Once.apply(g, queries, points, log_mass, *cotangents) for g in found)
        return (*found, None, None, None)


class _Once(torch.autograd.Function):
    """A gradient that cannot be differentiated again, and says so only where somebody tries."""

    @staticmethod
    def forward(gradient, *inputs):
        return gradient.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, *cotangents):
        raise NumericalError(
            "second derivatives of a kernel posterior on tensors are not implemented; take them by finite differences "
            "of the first ones, or use the Jacobian of unifiedscore.MeanShift"
        )


def _resolved(law: Law, x, exclude, wants) -> dict[str, torch.Tensor]:
    """The moments: of the compiled engine on the processor, of tiles elsewhere, with the rows that single precision may
    get wrong in float64."""
    if on_compiled_engine(x.device):
        return _engine_values(law, x, exclude, wants)
    found = values(law, x, exclude, wants)
    if x.dtype == torch.float64:
        return found
    rows = torch.nonzero(in_doubt(law, x, found["log_normalizer"]))[:, 0]
    if len(rows):
        wide = law.wide()
        left_out = None if exclude is None else exclude[rows].to(wide.points.device)
        again = values(wide, x[rows].to(wide.points), left_out, wants)
        for name, value in again.items():
            found[name][rows] = value.to(found[name])
    return found


def _engine_values(law: Law, x, exclude, wants) -> dict[str, torch.Tensor]:
    """What the compiled engine computes; its weights have sum one, which is made up for."""
    if law.log_mass is None:
        return _by_the_engine(law.kernel, host_samples(law.points, None), x, tuple(wants), exclude)
    mass = law.log_mass.double()
    weights = (mass - mass.max()).exp()
    found = _by_the_engine(law.kernel, host_samples(law.points, weights), x, tuple(wants), exclude)
    return found | {"log_normalizer": found["log_normalizer"] + mass.logsumexp(0).to(x.dtype)}


def _gradients(law: Law, x, exclude, known, slopes, needs):
    """The gradients: compiled on the processor; elsewhere of tiles, in float64 for the rows whose values were."""
    if x.dtype == torch.float64 and on_compiled_engine(x.device) and slope_rule(law.kernel) is not None:
        return host_gradients(law, x, exclude, known, slopes, needs)
    if x.dtype == torch.float64:
        return gradients(law, x, exclude, known, slopes, needs)
    doubt = in_doubt(law, x, known["log_normalizer"])
    parts = [(law, torch.nonzero(~doubt)[:, 0]), (law.wide(), torch.nonzero(doubt)[:, 0])]
    out = [torch.zeros_like(x) if needs[0] else None, None, None]
    for part, rows in parts:
        if not len(rows):
            continue
        device, wide = part.points.device, part is not law
        some, left_out = x[rows].to(part.points), None if exclude is None else exclude[rows].to(device)
        own = {name: value[rows] for name, value in known.items()}
        if wide:
            own = values(part, some, left_out, frozenset(known))
        cotangents = {name: g[rows].to(part.points) for name, g in slopes.items()}
        found = gradients(part, some, left_out, own, cotangents, needs)
        if needs[0]:
            out[0][rows] = found[0].to(x)
        for place in (1, 2):
            if needs[place]:
                value = found[place].to(x)
                out[place] = value if out[place] is None else out[place] + value
    return tuple(out)


@contextmanager
def _plain_products(device: torch.device):
    """Matrix products in the dtype of their factors: autocast and TF32 keep three digits of a distance."""
    before = torch.get_float32_matmul_precision()
    with torch.autocast(device.type, enabled=False):
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)


def _refuse_overflow(found, kernel, exclude, m) -> None:
    height = found["log_normalizer"].detach()
    if not bool((alive := torch.isfinite(height)).all()):
        query = int(torch.nonzero(~alive)[0])
        if m == 1 and exclude is not None and int(exclude[query]) >= 0:
            raise InputError(f"exclude leaves query {query} without any sample of positive weight")
        support = kernel.support * kernel.bandwidth
        reach = f" within the support of the kernel, r < {support:.3g}" if np.isfinite(support) else ""
        raise NumericalError(
            f"query {query} has no sample{reach} whose weight is a number: its distances, or their ratio to the "
            f"bandwidth {kernel.bandwidth:.3g}, are out of range; leave out the query, or choose a larger bandwidth"
        )
    for name, value in found.items():
        if not bool(torch.isfinite(value.detach()).all()):
            raise NumericalError(
                f"{name} overflows {value.dtype}: distances, or their ratio to the bandwidth {kernel.bandwidth:.3g}, "
                "are out of its range; rescale the points or the bandwidth"
            )


def _rounding(kernel, points, queries, found, dtype) -> torch.Tensor:
    """Bound on the relative rounding error of the moments, (n,); see `unifiedscore.PosteriorMoments.relative_error`."""
    with torch.no_grad():
        law, least = Law(kernel, points, None), torch.finfo(queries.dtype).tiny
        work = torch.full_like(found["log_normalizer"], torch.finfo(queries.dtype).eps)
        if queries.dtype != torch.float64:
            doubt = in_doubt(law, queries, found["log_normalizer"])
            work = torch.where(doubt, np.finfo(np.float64).eps, work)
        reach = queries.shape[1] ** 0.5 * (points.abs().max() + queries.abs().amax(1))
        distance = found["mean_distance"]
        deep = torch.where(distance > 0, reach.log() - distance.clamp_min(least).log(), 0.0).clamp_min(0.0)
        size = 8.0 + 4.0 * (found["log_normalizer"].abs() + deep + np.log(len(points)))
        if queries.shape[1] >= DIRECT:
            # Products of coordinates: r^2 is wrong by some eps (|x|^2 + |y|^2), and log k by b/2 of that. They are
            # taken of pairs beyond r^2 = (|x|^2 + |y|^2)/256 alone, which bounds the relative error of r^2 and 1/b.
            size += 4.0 * rounding_of_products(law, queries) + 1.0 / NEAR
        bound = work * size + np.finfo(np.float64).eps * kernel.rounding
        return bound + (0.0 if dtype == torch.float64 else torch.finfo(dtype).eps)
