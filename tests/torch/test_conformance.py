"""One law: on tensors every value is that of the engine, to the rounding of the dtype, whichever way it is computed."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.fields import sharp_scale

torch = pytest.importorskip("torch")
import unifiedscore.torch as ust  # noqa: E402

MOMENTS = ("log_normalizer", "mean_shift", "score", "preconditioner", "mean_distance", "effective_samples")
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
N, M = 21, 70


def plain(rng, d):
    return rng.normal(size=(N, d)), rng.normal(size=(M, d))


def offset(rng, d):
    x, y = plain(rng, d)
    return x + 1e4, y + 1e4


def far(rng, d):
    """Queries at which every weight underflows, also those where single precision has no digits left for distances."""
    x, y = plain(rng, d)
    return x * np.geomspace(1.0, 3e3, N)[:, None], y


def ties(rng, d):
    x, y = plain(rng, d)
    x[:7], y[20:30], y[40] = y[:7], y[0], x[10]
    return x, y


def clusters(rng, d):
    """Tight groups far apart: products of coordinates resolve no distance within one."""
    x, y = plain(rng, d)
    y += 200.0 * np.sign(y[:, :1])
    return y[:N] + 0.25 * x, y


def single(rng, d):
    x, y = plain(rng, d)
    return x, y[:1]


CASES = {case.__name__: case for case in (plain, offset, far, ties, clusters, single)}


def in_units(kernel, x, y, weights, exclude, moments):
    """What an error of a moment is relative to: its own size, or the mean length of what it averages."""
    r = np.linalg.norm(y - x[:, None], axis=2)
    log_weight = kernel.log_profile(r) + np.log(weights)
    if exclude is not None:
        rows = np.flatnonzero(exclude >= 0)
        log_weight[rows, exclude[rows]] = -np.inf
    share = np.exp(log_weight - log_weight.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = np.where(r > 0, r / kernel.inverse_weight(r), 0.0)
    units = {name: np.abs(getattr(moments, name)) for name in MOMENTS}
    units["mean_shift"], units["score"] = ((share * v).sum(1)[:, None] for v in (r, pull))
    # An error of Z is one of log Z, which has a rounding of its own.
    units["log_normalizer"] = np.ones(len(x)) + units["log_normalizer"]
    return units


def agree(kernel, case, d, dtype, rng, *, weighted=False, excluded=False):
    x, y = CASES[case](rng, d)
    x, y = (torch.tensor(v).to(dtype) for v in (x, y))
    weights = torch.tensor(rng.integers(1, 9, len(y)) / 8.0).to(torch.promote_types(dtype, torch.float32))
    exclude = rng.integers(-1, len(y), N) if excluded else None
    if excluded:
        exclude[:7] = np.arange(7)
    law = us.Samples(y, weights) if weighted else us.Samples(y)
    wide = us.Samples(law.points.astype(float), law.weights)
    queries = x.double().numpy()
    expected = us.posterior_moments(kernel, wide, queries, exclude=exclude)
    given = ust.Samples(y, weights) if weighted else y
    left_out = None if exclude is None else torch.tensor(exclude)
    got = ust.posterior_moments(kernel, given, x, exclude=left_out)
    units = in_units(kernel, queries, wide.points, wide.weights, exclude, expected)
    error = got.relative_error.double().numpy() + expected.relative_error
    # The bound is not the error: it must neither be small by chance nor say nothing.
    assert (error < 0.02).all()
    for name in MOMENTS:
        value = getattr(got, name)
        assert value.dtype == dtype and value.device == x.device
        allowed = 2.0 * error.reshape((-1,) + (1,) * (value.ndim - 1)) * units[name] + 8 * torch.finfo(dtype).tiny
        gap = np.abs(value.double().numpy() - getattr(expected, name))
        assert (gap <= allowed).all(), f"{name}: {(gap / allowed).max():.2g} times the bound"
    for name in ("residual", "curl_norm"):
        assert getattr(got, name).shape == getattr(expected, name).shape


@pytest.mark.parametrize("d", [1, 3, 12])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", DTYPES[:2], ids=str)
def test_moments(way, kernel, case, d, dtype, rng):
    agree(kernel, case, d, dtype, rng)


@pytest.mark.parametrize("d", [1, 3, 12])
@pytest.mark.parametrize("case", ["plain", "ties", "clusters"])
@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_moments_of_weighted_samples(way, kernel, case, d, dtype, excluded, rng):
    if case == "clusters" and dtype in DTYPES[2:]:
        pytest.skip("half precision has one point per cluster there, and no others")
    agree(kernel, case, d, dtype, rng, weighted=True, excluded=excluded)


@pytest.mark.parametrize("bandwidth", [1e-30, 1e-8, 1e12, 1e25])
def test_any_unit_of_length(way, bandwidth, rng):
    x, y = (bandwidth * v for v in plain(rng, 3))
    kernel = us.Laplace(bandwidth)
    for dtype in DTYPES[:2]:
        got = ust.MeanShift(kernel, torch.tensor(y).to(dtype))(torch.tensor(x).to(dtype))
        expected = us.MeanShift(kernel, y)(x)
        np.testing.assert_allclose(got.double().numpy(), expected, atol=30 * torch.finfo(dtype).eps * bandwidth)


def test_points_without_weight_have_no_influence(way, kernel, rng):
    x, y = (torch.tensor(v) for v in plain(rng, 3))
    far = torch.cat([y[:4], torch.full((3, 3), 1e150, dtype=torch.float64), y[4:]])
    weights = torch.cat([torch.ones(4), torch.zeros(3), torch.ones(M - 4)])
    exclude = torch.arange(N)
    index = torch.where(exclude >= 4, exclude + 3, exclude)
    got = ust.posterior_moments(kernel, ust.Samples(far, weights), x, exclude=index)
    expected = ust.posterior_moments(kernel, y, x, exclude=exclude)
    for name in MOMENTS:
        torch.testing.assert_close(getattr(got, name), getattr(expected, name), rtol=1e-12, atol=1e-13)


FIELDS = {
    "MeanShift": lambda m, k, p, q, x: m.MeanShift(k, p)(x),
    "KernelScore": lambda m, k, p, q, x: m.KernelScore(k, p)(x),
    "Drift": lambda m, k, p, q, x: m.Drift(k, target=p, model=q)(x),
    "ScoreDifference": lambda m, k, p, q, x: m.ScoreDifference(k, target=p, model=q)(x),
    "SharpScore": lambda m, k, p, q, x: m.SharpScore(k, p)(x),
    "SharpDrift": lambda m, k, p, q, x: m.SharpDrift(k, target=p, model=q)(x),
    "sharp_scale": lambda m, k, p, q, x: (sharp_scale if m is us else m.sharp_scale)(k, p, x),
    "potential": lambda m, k, p, q, x: m.ScoreDifference(k, target=p, model=q).potential(x),
    "vectors": lambda m, k, p, q, x: m.posterior_vectors(k, p, x).log_normalizer,
    "batch": lambda m, k, p, q, x: m.batch_drift(k, x, positives=p, negatives=q).drift,
    "batch, masked": lambda m, k, p, q, x: m.batch_drift(k, x, positives=p).drift,
    "batch, kept": lambda m, k, p, q, x: m.batch_drift(k, x, positives=p, self_terms="keep").drift,
    "batch, mass": lambda m, k, p, q, x: m.batch_drift(k, x, positives=p).negative_mass,
    "batch, floored": lambda m, k, p, q, x: m.batch_drift(k, x, positives=p, floor=1e-3).drift,
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("d", [2, 12])
@pytest.mark.parametrize("dtype", DTYPES[:3], ids=str)
def test_fields(way, kernel, name, d, dtype, rng):
    p, q, x = (torch.tensor(rng.normal(size=(n, d))).to(dtype) for n in (M, 50, N))
    expected = FIELDS[name](us, kernel, *(v.double().numpy() for v in (p, q, x)))
    got = FIELDS[name](ust, kernel, p, q, x)
    assert got.dtype == dtype
    # Half precision is rounded once, at the end; what is computed in float32 has errors of some ten log-weights.
    work = torch.finfo(torch.promote_types(dtype, torch.float32)).eps
    scale = np.abs(expected).max()
    allowed = (
        2 * torch.finfo(dtype).eps + (2000 if "0.8" in str(kernel) or "2.2" in str(kernel) else 100) * work
    ) * scale
    assert np.abs(got.double().numpy() - expected).max() <= allowed


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_sinkhorn(way, same, weighted, rng):
    p, q = (torch.tensor(rng.normal(size=(n, 2))) for n in (30, 40))
    weights = torch.tensor(rng.integers(1, 5, 30) / 4.0)
    kernel = us.Gaussian(1.5)
    host = us.Samples(p, weights) if weighted else us.Samples(p)
    target = ust.Samples(p, weights) if weighted else p
    expected = us.SinkhornDrift(kernel, target=host, model=host if same else q)(q)
    got = ust.SinkhornDrift(kernel, target=target, model=target if same else q)(q)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-7)


def test_floored_share_is_counted(way, rng):
    x, p = (torch.tensor(rng.normal(size=(n, 3))) for n in (N, M))
    for options in ({}, {"self_terms": "keep"}):
        expected = us.batch_drift(us.Laplace(0.5), x, positives=p, floor=1e-4, **options)
        got = ust.batch_drift(us.Laplace(0.5), x, positives=p, floor=1e-4, **options)
        assert got.floored == pytest.approx(expected.floored, rel=1e-12)
        assert 0.02 < got.floored < 0.99


class Cauchy(us.RationalQuadratic):
    """A kernel of a user, which has no profile on tensors."""


def test_a_users_own_kernel_runs_by_its_numpy_functions(way, rng):
    x, y = (torch.tensor(v) for v in plain(rng, 3))
    got, expected = (ust.posterior_moments(kind(1.0, 1.0), y, x) for kind in (Cauchy, us.RationalQuadratic))
    for name in MOMENTS:
        torch.testing.assert_close(getattr(got, name), getattr(expected, name), rtol=1e-12, atol=1e-13)


def test_an_offset_makes_no_pair_near(rng):
    """Without the centre every product of coordinates at 1e4 would be doubtful, and each pair computed by itself."""
    from unifiedscore.torch.pairs import Tile

    x, y = (torch.tensor(v) for v in offset(rng, 12))
    tile = Tile(x, y, y[0])
    assert tile.near is None
    torch.testing.assert_close(tile.squared, (x[:, None] - y).square().sum(2), rtol=1e-11, atol=0)
