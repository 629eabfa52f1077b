"""The reported error of a posterior covers the truth: against sums in 60 digits, at ordinary and at extreme points."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import unifiedscore as us

KERNELS = {
    "gaussian": lambda h, d: us.Gaussian(h),
    "laplace": lambda h, d: us.Laplace(h),
    "matern 3/2": lambda h, d: us.Matern(h, 1.5),
    "matern 0.8": lambda h, d: us.Matern(h, 0.8),
    "matern 7/2": lambda h, d: us.Matern(h, 3.5),
    "rational quadratic": lambda h, d: us.RationalQuadratic(h, 0.5),
    "student": lambda h, d: us.StudentT(h, 3.0, d),
}


def forms(kernel, r):
    """log k and 1/b at r > 0 in the precision of mpmath, from the definitions."""
    t, name = mp.mpf(kernel.bandwidth), kernel.name
    if name == "gaussian":
        return -(r**2) / (2 * t**2), t**2
    if name == "laplace":
        return -r / t, t * r
    z = r / t
    if name == "matern":
        if kernel.smoothness == 0.8:
            nu = mp.mpf(0.8)
            upper = mp.besselk(nu, z)
            return mp.log(2 ** (1 - nu) / mp.gamma(nu) * z**nu * upper), t * r * upper / mp.besselk(nu - 1, z)
        if kernel.smoothness == 1.5:
            return mp.log1p(z) - z, t**2 * (1 + z)
        theta = [mp.mpf(1), 1 + z]
        for n in (2, 3):
            theta.append((2 * n - 1) * theta[-1] + z**2 * theta[-2])
        return mp.log(theta[3] / 15) - z, t**2 * theta[3] / theta[2]
    c2, beta = (t**2, kernel.exponent) if name == "rational_quadratic" else (t**2 * kernel.degrees, kernel.exponent)
    return -beta * mp.log1p(r**2 / c2), (c2 + r**2) / (2 * beta)


def truth(kernel, points, query):
    total, shift, score, inverse, distance, slope = mp.mpf(0), 0, 0, mp.mpf(0), mp.mpf(0), mp.mpf(0)
    for y in points:
        gap = [mp.mpf(float(b)) - mp.mpf(float(a)) for a, b in zip(query, y, strict=True)]
        r = mp.sqrt(sum(g**2 for g in gap))
        if r == 0:
            w, w_b, w_inverse = mp.mpf(1), 0, mp.mpf(float(kernel.inverse_weight(np.zeros(()))))
        else:
            log_k, w_inverse = forms(kernel, r)
            w = mp.exp(log_k)
            w_b = w / w_inverse
        total, inverse, distance, slope = total + w, inverse + w * w_inverse, distance + w * r, slope + w_b * r
        shift, score = shift + w * mp.matrix(gap), score + w_b * mp.matrix(gap)
    return {
        "log_normalizer": mp.log(total / len(points)),
        "mean_shift": shift / total,
        "score": score / total,
        "preconditioner": inverse / total,
        "mean_distance": distance / total,
        "length of mean_shift": distance / total,
        "length of score": slope / total,
    }


def worst(kernel, points, x):
    """Largest ratio of an error to the reported one; vectors relative to the mean length of what they average."""
    got, ratio = us.posterior_moments(kernel, points, x), 0.0
    for i, query in enumerate(x):
        true, bound = truth(kernel, points, query), mp.mpf(float(got.relative_error[i]))
        for name in ("log_normalizer", "mean_shift", "score", "preconditioner", "mean_distance"):
            value = getattr(got, name)[i]
            if name in ("mean_shift", "score"):
                gap = mp.norm(mp.matrix([mp.mpf(float(v)) for v in value]) - true[name])
                size = true[f"length of {name}"]
            else:
                gap, size = abs(mp.mpf(float(value)) - true[name]), abs(true[name])
                # An error of log Z is a relative one of Z.
                size = mp.mpf(1) if name == "log_normalizer" else size
            # Weights below e^-708 are none: what they would add is below the smallest normal number, times distances.
            ratio = max(ratio, float(gap / (bound * size + mp.mpf("1e-300"))))
    return ratio


def places(points, rng):
    d = points.shape[1]
    return {
        "ordinary": rng.normal(size=(2, d)),
        "at a point": points[:2].copy(),
        "beside a point": points[2:4] + 1e-9 * rng.normal(size=(2, d)),
        "between": 0.5 * (points[4:5] + points[5:6]),
    }


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(60):
        yield


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2, 7, 8, 16])
@pytest.mark.parametrize("bandwidth", [0.03, 0.3, 1.0, 100.0])
def test_the_error_covers_the_truth(kernel, d, bandwidth):
    rng = np.random.default_rng(d)
    points = rng.normal(size=(9, d))
    kernel = KERNELS[kernel](bandwidth, d)
    for name, x in places(points, rng).items():
        assert worst(kernel, points, x) <= 1.0, name


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [2, 8])
@pytest.mark.parametrize("setting", ["offset", "clusters", "far point", "tiny", "huge", "near the origin"])
def test_at_extremes(kernel, d, setting):
    rng, kernel = np.random.default_rng(d), KERNELS[kernel](0.5, d)
    points = rng.normal(size=(8, d))
    x = np.concatenate([points[:2], points[2:4] + 1e-3, rng.normal(size=(2, d))])
    if setting == "offset":
        points, x = points + 1e8, x + 1e8
    elif setting == "clusters":
        points = np.concatenate([points, points + 1e8, points - 3e4])
        x = np.concatenate([x, x + 1e8, x - 3e4])
    elif setting == "far point":
        points = np.concatenate([[np.full(d, 1e16)], [np.full(d, -1e12)], points])
    elif setting in ("tiny", "huge"):
        scale = {"tiny": 1e-150, "huge": 1e140}[setting]
        points, x, kernel = scale * points, scale * x, kernel.with_bandwidth(scale * kernel.bandwidth)
    else:
        x = np.concatenate([np.full((1, d), 1e-160), np.full((1, d), 1e-300)])
        points[0] = 0.0
    assert worst(kernel, points, x) <= 1.0


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 3, 9])
def test_beyond_the_squares_the_answer_is_right_or_refused(kernel, d):
    """Points and bandwidth at 1e-165: fields and log Z are those of unit size; the preconditioner is no number."""
    rng = np.random.default_rng(d)
    points, x, scale = rng.normal(size=(6, d)), rng.normal(size=(3, d)), 2.0**-548
    unit, small = KERNELS[kernel](1.0, d), KERNELS[kernel](scale, d)
    from unifiedscore.posterior import posterior_vectors

    want, got = posterior_vectors(unit, points, x), posterior_vectors(small, scale * points, scale * x)
    np.testing.assert_allclose(got.log_normalizer, want.log_normalizer, rtol=1e-13)
    np.testing.assert_allclose(got.mean_shift / scale, want.mean_shift, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got.score * scale, want.score, rtol=1e-12, atol=1e-13)
    with pytest.raises(us.UnifiedScoreError, match="underflows"):
        us.posterior_moments(small, scale * points, scale * x)


def test_the_case_that_was_found():
    field = us.MeanShift(us.Gaussian(0.5), [[1e16], [0.0], [1.0]])
    np.testing.assert_allclose(field([[0.1]]), us.MeanShift(us.Gaussian(0.5), [[0.0], [1.0]])([[0.1]]), rtol=1e-15)
    # A heavy tail does give the far point its share.
    heavy = us.MeanShift(us.RationalQuadratic(1.0, 0.5), [[1e200], [0.0]])([[0.0]])
    np.testing.assert_allclose(heavy, [[1.0]], rtol=1e-12)
