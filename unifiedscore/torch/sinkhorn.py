"""The Sinkhorn drift on tensors: scalings of two-sided entropic plans, and mean shifts of the reweighted samples."""

from __future__ import annotations

import torch

from unifiedscore import fields
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures.nodes import RANGE
from unifiedscore.torch.batch import DENSE
from unifiedscore.torch.fields import Difference, MeanShift, laws
from unifiedscore.torch.posterior import on_compiled_engine, weighted_moments
from unifiedscore.torch.samples import Samples, host_samples, same_device
from unifiedscore.validate import integer, positive


def SinkhornDrift(
    kernel: AbstractKernel, *, target, model, tolerance: float = 1e-10, max_iterations: int = 20_000
) -> Difference:
    r"""Return the Sinkhorn drift $V_S = T_{q \to p} - T_{q \to q}$ of two samples on tensors.

    Use when a training on tensors should share the target among its points by an entropic transport plan.

    $T(x) = \sum_j k(x, y_j) v_j y_j/\sum_j k(x, y_j) v_j$ with the scalings v of the plan $u\,k\,v$ between the two
    samples. They are computed once, in float64 and in tiles, and are constants: the drift is differentiable with
    respect to the queries, not to the samples.

    Parameters
    ----------
    kernel : AbstractKernel
        $k = e^{-c/\varepsilon}$.
    target, model : unifiedscore.torch.Samples or (m, d) tensor
        Without a gradient (`.detach()`), on one device.
    tolerance : float
        L1 error of the marginals at which the plans count as converged.
    max_iterations : int

    Returns
    -------
    Difference
        Of two `MeanShift` fields.

    Raises
    ------
    InputError, NumericalError
        Bad samples, or samples that need a gradient; plans that do not converge.

    References
    ----------
    He et al. 2026, arXiv 2603.12366.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> x = torch.tensor([[0.0], [1.0]])
    >>> ust.SinkhornDrift(us.Gaussian(bandwidth=0.5), target=x + 3.0, model=x)(x).round(decimals=6)
    tensor([[3.],
            [3.]])
    """
    p, q = (_with_weight(law, name) for law, name in zip(laws(kernel, target, model), ("target", "model"), strict=True))
    same_device(p.points, q.points, ("target", "model"))
    options = {
        "tolerance": positive(tolerance, "tolerance"),
        "max_iterations": integer(max_iterations, "max_iterations"),
    }
    with torch.no_grad():
        across, within = (_log_scalings(kernel, q, law, **options) for law in (p, q))
    return Difference(MeanShift(kernel, _reweighted(p, across)), MeanShift(kernel, _reweighted(q, within)))


def _with_weight(law: Samples, name: str) -> Samples:
    """The points that carry mass: the others have no influence, and no logarithm."""
    if law.needs_gradient:
        raise InputError(
            f"{name} needs a gradient, but the scalings of an entropic plan are not differentiated; "
            f"give {name}.detach(), or compute the drift under torch.no_grad()"
        )
    if law.weights is None or bool((law.weights > 0).all()):
        return law
    kept = law.weights > 0
    return Samples(law.points[kept], law.weights[kept])


def _log_scalings(kernel, first: Samples, second: Samples, *, tolerance, max_iterations) -> torch.Tensor:
    """Log-scalings of the second law in the balanced plan between both, (m,) float64."""
    if on_compiled_engine(first.points.device) and first.size * second.size <= DENSE:
        pair = [host_samples(law.points, law.weights) for law in (first, second)]
        pair[1] = pair[0] if first is second else pair[1]
        found = fields.drifts.sinkhorn_scaling(kernel, *pair, tolerance=tolerance, max_iterations=max_iterations)
        return torch.from_numpy(found.log_second)
    x, y = (law.points.double() for law in (first, second))
    log_a, log_b = (_log_weights(law) for law in (first, second))

    def log_sum(at, points, log_mass):
        return weighted_moments(kernel, at, points, ("log_normalizer",), log_mass=log_mass)["log_normalizer"]

    log_v, error = log_b.clone(), float("inf")
    for _ in range(max_iterations):
        log_u = log_a - log_sum(x, y, log_v)
        columns = log_sum(y, x, log_u)
        error = float((torch.exp(columns + log_v) - log_b.exp()).abs().sum())
        if error <= tolerance:
            return log_v
        # Between a law and itself the averaged iteration converges much faster.
        log_v = 0.5 * (log_u + log_v) if first is second else log_b - columns
    raise NumericalError(
        f"the entropic plan has marginals off by {error:.1e} after {max_iterations} iterations, not {tolerance:.1e}; "
        "use a larger bandwidth, more iterations (max_iterations=) or a larger tolerance"
    )


def _log_weights(law: Samples) -> torch.Tensor:
    if law.weights is None:
        return law.points.new_zeros(law.size, dtype=torch.float64).sub_(torch.tensor(float(law.size)).double().log())
    weights = law.weights.detach().double()
    return (weights / weights.sum()).log()


def _reweighted(law: Samples, log_mass: torch.Tensor) -> Samples:
    span = float(log_mass.max() - log_mass.min())
    if span > RANGE:
        raise NumericalError(
            f"the scalings of the entropic plan span e^{span:.0f}, more than floating point holds; "
            "use a larger bandwidth"
        )
    return Samples(law.points, (log_mass - log_mass.max()).exp().to(law.points.device))
