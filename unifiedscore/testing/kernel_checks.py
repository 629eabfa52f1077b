"""The laws of `AbstractKernel`, one check each."""

from __future__ import annotations

import math

import numpy as np

from unifiedscore.errors import NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.testing.laws import EPS, STENCIL, LawError, log_integral, require, require_everywhere


def _distances(kernel) -> np.ndarray:
    """Six decades around the bandwidth; within the support, where it is compact, and close to its edge."""
    if math.isinf(kernel.support):
        return kernel.bandwidth * np.logspace(-3, 3, 61)
    share = np.concatenate([np.logspace(-3, np.log10(0.5), 40), 1.0 - np.logspace(np.log10(0.45), -2, 21)])
    return kernel.support * kernel.bandwidth * share


def _check_is_kernel(kernel) -> None:
    require(
        isinstance(kernel, AbstractKernel),
        "a kernel is an AbstractKernel",
        "an instance",
        repr(kernel),
        "derive from it",
    )
    require(isinstance(kernel.name, str), "name", "a class-level string", repr(kernel.name), "add name: ClassVar[str]")
    same = kernel.with_bandwidth(kernel.bandwidth)
    require(
        same == kernel and hash(same) == hash(kernel),
        f"{kernel!r} is a value",
        "an equal, hashable copy from with_bandwidth",
        repr(same),
        "make it a frozen dataclass whose first field is bandwidth",
    )


def _check_support(kernel) -> None:
    """Where k may vanish: nowhere, unless a support is declared, and then everywhere beyond it."""
    require(
        kernel.support > 0,
        f"support of {kernel!r}",
        "a positive number of bandwidths",
        kernel.support,
        "state where the profile vanishes, as in support: ClassVar[float] = 1.0, or leave it infinite",
    )
    r = _distances(kernel)
    with np.errstate(all="ignore"):
        value = np.asarray(kernel.log_profile(r), dtype=float)
    if np.isneginf(value).any():
        first = _edge(kernel, float(r[int(np.isneginf(value).argmax())]))
        raise LawError(
            f"log_profile of {kernel!r} is finite within its support: expected log k(r) at every distance; got -inf "
            f"from r = {first:.4g} on; if k(r) is only too small there for floating point, as exp(-r) is, compute it "
            "in logs, e.g. a sum of kernels with np.logaddexp instead of np.log of a sum of exp; if k(r) is zero, "
            f"declare support: ClassVar[float] = {first / kernel.bandwidth:.6g}, in bandwidths"
        )
    if math.isinf(kernel.support):
        return
    outside = kernel.support * kernel.bandwidth * np.array([1.0, 1.0 + 1e-6, 1.5, 10.0, 1e3])
    with np.errstate(all="ignore"):
        beyond = np.asarray(kernel.log_profile(outside), dtype=float)
        function, parameters = kernel.compiled_tile()
        log_kernel, weight = np.full((5, 1), np.nan), np.full((5, 1), np.nan)
        function(outside[1:, None] ** 2, parameters, log_kernel[1:], weight[1:])
    for name, got, wanted in (
        ("log_profile", beyond, -np.inf),
        ("log_kernel of the compiled tile", log_kernel[1:, 0], -np.inf),
        ("weight of the compiled tile", weight[1:, 0], 0.0),
    ):
        if wrong := np.flatnonzero(got != wanted).tolist():
            at = outside[len(outside) - len(got) :][wrong[0]]
            raise LawError(
                f"{kernel!r} vanishes from its support on: expected {name} = {wanted} at r = {at:.7g}; got "
                f"{float(got[wrong[0]]):.6g}; support is the distance in bandwidths at which k becomes zero"
            )
    require(
        kernel.scale_mixture() is None,
        f"scale_mixture of {kernel!r}, whose support is compact",
        "None: a mixture of Gaussians vanishes nowhere",
        "a mixture",
        "return None; samples have every field",
    )


def _edge(kernel, high: float) -> float:
    """The least distance at which log k is -inf, by bisection below one of them."""
    low = 0.0
    with np.errstate(all="ignore"):
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (low, middle) if np.isneginf(kernel.log_profile(np.array([middle]))[0]) else (middle, high)
    return high


def _check_profile(kernel) -> None:
    start = float(kernel.log_profile(np.array([0.0]))[0])
    require(start == 0.0, f"log k(0) = 0 of {kernel!r}", 0.0, start, "normalise the profile to k(0) = 1")
    r = np.concatenate([[0.0], _distances(kernel)])
    value = np.asarray(kernel.log_profile(r), dtype=float)
    if not np.isfinite(value).all():
        at = int(np.argmin(np.isfinite(value)))
        raise LawError(
            f"log_profile of {kernel!r} is finite: expected log k(r) at every distance; got {value[at]} at "
            f"r = {r[at]:.4g}; check overflow and 0/0 there"
        )
    slack = 16 * EPS * np.maximum(1.0, np.abs(value[1:]))
    rises = np.diff(value) > slack
    at = int(rises.argmax())
    require(
        not rises.any(),
        f"the profile of {kernel!r} never increases",
        "log k(r) decreasing in r",
        f"{value[at + 1]:.10g} at r = {r[at + 1]:.4g} after {value[at]:.10g} at r = {r[at]:.4g}",
        "check the sign of log_profile and its behaviour at large r",
    )


def _check_derivative(kernel) -> None:
    r"""r^2 b = d phi / d log r by eighth-order differences in log r: step h errs by h^8/630 of the ninth derivative."""
    r = _distances(kernel)
    # At the edge of a support log k may have a singularity: the step stays small beside the distance to it.
    with np.errstate(divide="ignore"):
        h = np.minimum(0.02, np.log(kernel.support * kernel.bandwidth / r) / 35)

    def difference(h):
        steps = np.arange(1, 5)[:, None] * h
        up, down = (-kernel.log_profile(r * np.exp(sign * steps)) for sign in (1, -1))
        return (STENCIL[:, None] * (up - down)).sum(0) / h, up

    (wide, up), (slope, _) = difference(h), difference(h / 2)
    inverse = np.asarray(kernel.inverse_weight(r))
    require(
        inverse.shape == r.shape and (inverse > 0).all() and np.isfinite(inverse).all(),
        f"inverse_weight of {kernel!r}",
        f"positive finite values of shape {r.shape}",
        f"shape {inverse.shape}, smallest {inverse.min():.6g}",
        "return r / phi'(r), element by element",
    )
    own = r**2 / inverse
    # Profiles are accurate to about 1e-13 absolutely (tables, Bessel functions); powers up to r^4 need 1e-9.
    # Where a profile bends within a step, as a sum of kernels does, the two steps disagree by more than the error.
    tolerance = 1e-9 * own + 2 * (1e-12 + 16 * EPS * np.abs(up).max(0)) / h + np.abs(wide - slope)
    worst = int(np.argmax(np.abs(own - slope) / tolerance))
    require(
        (np.abs(own - slope) <= tolerance).all(),
        f"inverse_weight of {kernel!r} is r/phi'(r) of its own profile",
        f"{r[worst] ** 2 / slope[worst]:.10g} at r = {r[worst]:.4g} (differentiating log_profile)",
        f"{inverse[worst]:.10g}",
        "inverse_weight is r divided by the derivative of -log_profile, bandwidth included; compare the two formulas",
    )


def _check_constant_weight(kernel) -> None:
    inverse = kernel.inverse_weight(_distances(kernel))
    constant = bool(np.ptp(inverse) <= 1e-12 * np.abs(inverse).max())
    require(
        constant or not kernel.constant_weight,
        f"constant_weight of {kernel!r}",
        "True only if 1/b is the same at every distance",
        f"1/b between {inverse.min():.4g} and {inverse.max():.4g}",
        "leave constant_weight False: it makes V a multiple of the score",
    )


def _check_inverse_slope(kernel) -> None:
    if (slope := kernel.inverse_slope) is None:
        return
    r = np.concatenate([[0.0], _distances(kernel)])
    require_everywhere(
        kernel.inverse_weight(r),
        slope * r,
        1e-13 * slope * r,
        r=r,
        law=f"inverse_slope of {kernel!r} is 1/b divided by the distance",
        advice="leave inverse_slope None, as AbstractKernel has it, unless 1/b is proportional to the distance",
    )


def _check_tile(kernel) -> None:
    r = _distances(kernel)
    r = np.concatenate([[0.0, 0.0], r, r[30:31]]).reshape(8, 8)
    function, parameters = kernel.compiled_tile()
    log_kernel, weight = np.full(r.shape, np.nan), np.full(r.shape, np.nan)
    function(r**2, parameters, log_kernel, weight)
    alone = np.full(r.shape, np.nan)
    function(r**2, parameters, alone, np.empty((0, r.shape[1])))
    profile, inverse = kernel.log_profile(r), kernel.inverse_weight(r)
    b = np.divide(1.0, inverse, out=np.zeros_like(r), where=inverse > 0)
    # A square rounded to float32 moves log k by eps r b r/2, at most its own size, and b by as much.
    single, heavy = np.full(r.shape, np.nan, np.float32), np.full(r.shape, np.nan, np.float32)
    if 1e-6 <= kernel.bandwidth <= 1e6 and kernel.scale_mixture() is not None:  # no others are computed in it
        function((r**2).astype(np.float32), parameters, single, heavy)
    else:
        single, heavy = profile, b
    rough = 16 * np.finfo(np.float32).eps
    for name, got, expected, slack in (
        ("log_kernel", log_kernel, profile, 1e-11 * (1 + np.abs(profile))),
        ("log_kernel without weights", alone, log_kernel, 1e-13 * (1 + np.abs(profile))),
        ("weight", weight, b, 1e-10 * b),
        ("log_kernel of a float32 tile", single, profile, rough * np.abs(profile) + 1e-11),
        ("weight of a float32 tile", heavy, b, rough * b),
    ):
        require_everywhere(
            got,
            expected,
            slack,
            r=r,
            law=f"the compiled tile of {kernel!r} fills {name} as the NumPy forms do",
            advice="the tile receives SQUARED distances, stores log k and b = phi'(r)/r (0 where b diverges), and must "
            "accept a weight array without rows",
        )


def _check_bandwidth(kernel) -> None:
    r, factor = _distances(kernel), 3.7
    wide = kernel.with_bandwidth(factor * kernel.bandwidth)
    for name, got, expected in (
        ("log_profile(c r) at bandwidth c tau", wide.log_profile(factor * r), kernel.log_profile(r)),
        ("inverse_weight(c r)/c^2", wide.inverse_weight(factor * r) / factor**2, kernel.inverse_weight(r)),
    ):
        require_everywhere(
            got,
            expected,
            1e-11 * (1e-2 + np.abs(expected)),
            r=r,
            law=f"bandwidth of {kernel!r} is a length: {name} is that of bandwidth tau",
            advice="the profile may depend on r / bandwidth alone",
        )


def _check_scale_mixture(kernel) -> None:
    mixture = kernel.scale_mixture()
    if mixture is None:
        return
    unit = kernel.with_bandwidth(1.0)
    r = np.logspace(-2, 2, 17)
    expected = unit.log_profile(r)
    got = np.full(r.shape, -np.inf)
    for node, mass in zip(mixture.atoms, mixture.masses, strict=True):
        got = np.logaddexp(got, np.log(mass) - node * r**2)
    if mixture.log_density is not None:
        smooth = [log_integral(lambda v, x=x: mixture.log_density(v) - np.exp(v) * x**2) for x in r]
        got = np.logaddexp(got, smooth)
    require_everywhere(
        got,
        expected,
        1e-9 * (1 + np.abs(expected)),
        r=r,
        law=f"scale_mixture of {kernel!r} integrates to the profile at bandwidth 1",
        label="log k = ",
        advice="log_density(v) is log(s g(s)) at s = e^v: note the factor s, and no bandwidth in it",
    )


def _check_complex(kernel) -> None:
    r"""1/b is analytic near real r: on a circle its mean is the value at the centre, and its mean times e^{i t} is 0.

    The circle is small because 1/b may have poles near the real axis, as that of a sum of Gaussian kernels does.
    """
    r = _distances(kernel)
    r = r[(r > 1e-2 * kernel.bandwidth) & (r < min(10.0, 0.95 * kernel.support) * kernel.bandwidth)]
    turn = np.exp(2j * np.pi * (np.arange(8)[:, None] + 0.5) / 8)
    circle = r * (1.0 + 1e-6 * turn)
    law = f"inverse_weight of {kernel!r} accepts complex r and is analytic in it"
    advice = "use NumPy or scipy functions that take complex arguments, and no abs, real, conj or comparison of r"
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(kernel.inverse_weight(circle))
    except Exception as error:
        raise LawError(f"{law}: expected complex values; got {type(error).__name__}: {error}; {advice}") from error
    require(value.shape == circle.shape, law, f"shape {circle.shape}", value.shape, advice)
    real = np.asarray(kernel.inverse_weight(r))
    for got, expected in ((value.mean(axis=0), real), (real + (value * turn).mean(axis=0), real)):
        require_everywhere(got, expected, 1e-9 * np.abs(real), r=r, law=law, advice=advice)


def _check_population(kernel) -> None:
    """Population moments and fields of mixtures on the line against direct integration over y.

    The widths span those of the kernel's own Gaussians, so that each of them has a say somewhere.
    """
    from unifiedscore.measures import GaussianMixture, Samples
    from unifiedscore.posterior import posterior_moments, posterior_vectors

    if kernel.scale_mixture() is None:
        return
    tau = kernel.bandwidth
    for width, gap, at in ((1.0, 0.0, 1.3), (0.5, 1.0, 0.3), (0.05, 0.1, 0.2), (20.0, 10.0, 7.0)):
        law, x = GaussianMixture([[-gap * tau], [gap * tau]], (width * tau) ** 2), at * tau
        expected, routes = _by_integration(kernel, law, x), {}
        try:
            routes["by scale mixture"] = posterior_vectors(kernel, law, [[x]])
        except NumericalError as error:
            require(
                False,
                f"population fields of {kernel!r}",
                "an integral over the scale mixture",
                str(error),
                "return None from scale_mixture where there is none, and pass narrow peaks as atoms",
            )
        try:
            routes["by scale mixture, all moments"] = posterior_moments(kernel, law, [[x]])
        except NumericalError:
            # 1/b has no decomposition, or the mixture several parts: the engine says so by name, which is lawful.
            pass
        nodes, weights = expected.pop("nodes")
        routes["by weighted samples"] = posterior_vectors(kernel, Samples(nodes[:, None], weights), [[x]])
        for route, got in routes.items():
            for name in (name for name in expected if hasattr(got, name)):
                value, want = np.ravel(getattr(got, name))[0], expected[name]
                slack = 1e-8 * (abs(want) + (name in _LENGTHS) * 1e-3 * expected[_LENGTHS.get(name, name)])
                require(
                    abs(value - want) <= slack,
                    f"{name} of {kernel!r} against a Gaussian mixture, {route} and by direct integration",
                    repr(float(want)),
                    repr(float(value)),
                    "scale_mixture, inverse_weight and the compiled tile must describe the kernel of log_profile",
                )


# A vector may vanish; what it averages does not.
_LENGTHS = {"mean_shift": "mean_distance", "score": "mean_slope"}


def _by_integration(kernel, law, x: float) -> dict:
    """Moments at x of a mixture on the line, and the rule (nodes, weights) that gave them."""
    sigma, means = float(np.sqrt(law.variances[0])), law.means[:, 0]
    nodes, unit = np.polynomial.legendre.leggauss(40)
    # Panels that shrink geometrically towards r = 0, where profiles may behave like a small power of r.
    reach = (np.abs(means - x).max() + 12.0 * sigma) / sigma
    edges = sigma * np.concatenate([[0.0], np.geomspace(1e-12, 0.25, 40), np.arange(0.5, reach, 0.25)])
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    r, step = (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * unit).ravel()
    y = np.concatenate([x - r, x + r])
    step, r = np.tile(step, 2) * np.exp(law.log_density(y[:, None])), np.tile(r, 2)
    mass, inverse = step * np.exp(kernel.log_profile(r)), kernel.inverse_weight(r)
    total = mass.sum()
    return {
        "log_normalizer": np.log(total),
        "mean_shift": (mass * (y - x)).sum() / total,
        "score": (mass * (y - x) / inverse).sum() / total,
        "preconditioner": (mass * inverse).sum() / total,
        "mean_distance": (mass * r).sum() / total,
        "mean_slope": (mass * r / inverse).sum() / total,
        "nodes": (y, step),
    }


def without(kernel) -> tuple[str, ...]:
    """What the kernel lawfully does without, a sentence each: the checks above hold for the rest alone."""
    from unifiedscore.measures import GaussianMixture
    from unifiedscore.posterior import posterior_moments

    if kernel.scale_mixture() is None:
        why = "it vanishes beyond its support" if math.isfinite(kernel.support) else "scale_mixture returns None"
        return (f"No field of a population (GaussianMixture), only those of samples: {why}.",)
    law = GaussianMixture([[0.0]], kernel.bandwidth**2)
    try:
        posterior_moments(kernel, law, [[0.7 * kernel.bandwidth]])
    except NumericalError as error:
        return (f"No posterior_moments of a population (GaussianMixture), only its fields: {error}.",)
    return ()


def _check_sharp(kernel) -> None:
    """k#' = -r k says that 1/b of the sharp kernel is k#/k: compared without differentiating anything."""
    sharp = kernel.sharp()
    if sharp is None:
        return
    r = kernel.bandwidth * np.logspace(-2, 2, 41)
    own = np.exp(sharp.log_scale + sharp.kernel.log_profile(r) - kernel.log_profile(r))
    expected = sharp.kernel.inverse_weight(r)
    require_everywhere(
        own,
        expected,
        1e-9 * expected,
        r=r,
        law=f"sharp() of {kernel!r} has the derivative -r k(r)",
        label="k#/k = 1/b of the sharp kernel = ",
        advice="check the profile and log_scale = log k#(0), the integral of t k(t) over (0, infinity)",
    )


KERNEL_CHECKS = (
    _check_is_kernel,
    _check_support,
    _check_profile,
    _check_derivative,
    _check_constant_weight,
    _check_inverse_slope,
    _check_tile,
    _check_bandwidth,
    _check_scale_mixture,
    _check_complex,
    _check_population,
    _check_sharp,
)
