"""The Sinkhorn drift: barycentric projections of two-sided entropic plans, as kernel posteriors of reweighted laws."""

from __future__ import annotations

import numpy as np

from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields.difference import Difference
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import Samples
from unifiedscore.measures.entropic import SinkhornScaling, balance
from unifiedscore.measures.nodes import RANGE, as_nodes, with_weight
from unifiedscore.memory import refuse_pairs
from unifiedscore.posterior.pairs import distances
from unifiedscore.validate import integer, positive, shown


@renamed(most="max_iterations")
def sinkhorn_scaling(
    kernel: AbstractKernel, first: Samples, second: Samples, *, tolerance: float = 1e-10, max_iterations: int = 20_000
) -> SinkhornScaling:
    r"""Balance the kernel matrix between two laws in the log domain; the cost is $-\log k$ in units of $\varepsilon$.

    Use when you need the entropic plan between two samples rather than a drift.

    A Gaussian of bandwidth $\tau$ is the quadratic cost $r^2/2$ with $\varepsilon = \tau^2$, a Laplace kernel the
    cost r with $\varepsilon = \tau$. Between a law and itself the iteration is symmetric and averaged, which converges
    much faster.

    Raises
    ------
    NumericalError
        The columns are still off by more than `tolerance` after `max_iterations`, or a point is out of reach.
    """
    tolerance, max_iterations = positive(tolerance, "tolerance"), integer(max_iterations, "max_iterations")
    # The kernel, its exponential and an intermediate result of the same size are held at once.
    advice = "use fewer points, or for mixtures a smaller order="
    refuse_pairs(len(first.points), len(second.points), arrays=3, advice=advice)
    with np.errstate(over="ignore"):
        log_kernel = kernel.log_profile(distances(first.points.astype(np.float64), second.points.astype(np.float64)))
    return balance(
        log_kernel,
        first.weights,
        second.weights,
        same=first is second,
        tolerance=tolerance,
        max_iterations=max_iterations,
        wider=f"a larger bandwidth than {kernel.bandwidth:.3g}",
    )


@renamed(most="max_iterations")
def SinkhornDrift(
    kernel: AbstractKernel, *, target, model, tolerance: float = 1e-10, max_iterations: int = 20_000, order: int = 48
) -> Difference:
    r"""Return the Sinkhorn drift $V_S = T_{q \to p} - T_{q \to q}$ of two-sided entropic plans.

    Use when particles should share the target by an entropic transport plan rather than each follow it alone.

    The projection of a plan $u\,k\,v$ is $T(x) = \sum_j k(x, y_j) v_j y_j/\sum_j k(x, y_j) v_j$, the posterior mean of
    the law with masses v: the drift is that of two reweighted laws, defined everywhere, and with a Gaussian kernel
    (quadratic cost, $\varepsilon = \tau^2$) it is a gradient:
    $V_S(x_i) = -n\,\nabla_{x_i}[\mathrm{OT}_\varepsilon(q, p) - \frac12 \mathrm{OT}_\varepsilon(q, q)]$.

    Parameters
    ----------
    kernel : AbstractKernel
        $k = e^{-c/\varepsilon}$.
    target, model : Samples, GaussianMixture (d <= 3) or (m, d) array
        Memory grows with the product of their sizes.
    tolerance : float
        L1 error of the marginals at which the plans count as converged.
    max_iterations : int
        Iterations allowed.
    order : int
        Quadrature nodes an axis and component of a mixture.

    Returns
    -------
    Difference
        Of two `MeanShift` fields.

    Raises
    ------
    InputError, NumericalError
        Bad measures or too many points; plans that do not converge, or whose scalings exceed the range of floats.

    References
    ----------
    He et al. 2026, arXiv 2603.12366.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> x = np.array([[0.0], [1.0]])
    >>> us.SinkhornDrift(us.Gaussian(bandwidth=0.5), target=x + 3.0, model=x)(x).round(6)
    array([[3.],
           [3.]])
    """
    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Gaussian(bandwidth=0.5); got {shown(kernel)}")
    p, q = with_weight(as_nodes(target, "target", order)), with_weight(as_nodes(model, "model", order))
    if p.dimension != q.dimension:
        raise InputError(f"target and model must have one dimension; got {p.dimension} and {q.dimension}")
    options = {"tolerance": tolerance, "max_iterations": max_iterations}
    across, within = sinkhorn_scaling(kernel, q, p, **options), sinkhorn_scaling(kernel, q, q, **options)
    return Difference(
        MeanShift(kernel, _reweighted(p, across.log_second)), MeanShift(kernel, _reweighted(q, within.log_second))
    )


def _reweighted(law: Samples, log_mass: np.ndarray) -> Samples:
    if np.ptp(log_mass) > RANGE:
        raise NumericalError(
            f"the scalings of the entropic plan span e^{np.ptp(log_mass):.0f}, more than floating point holds; "
            "use a larger bandwidth"
        )
    return Samples(law.points, np.exp(log_mass - log_mass.max()))
