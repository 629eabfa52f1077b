"""First derivatives: of queries, samples and weights, against finite differences and the Jacobian of the engine."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.posterior import posterior_jacobian

torch = pytest.importorskip("torch")
import unifiedscore.torch as ust  # noqa: E402
from unifiedscore.torch.posterior import moments  # noqa: E402

MOMENTS = ("mean_shift", "score", "log_normalizer", "preconditioner", "mean_distance", "effective_samples")


def leaves(rng, d, n=4, m=9):
    """Queries, samples and weights that need a gradient; no two points coincide, where a kernel may have a corner."""
    sizes = ((n, d), (m, d))
    points = [torch.tensor(rng.normal(size=size), requires_grad=True) for size in sizes]
    return [*points, torch.tensor(rng.uniform(0.5, 2.0, m), requires_grad=True)]


@pytest.mark.parametrize("d", [1, 9])
@pytest.mark.parametrize("name", MOMENTS)
def test_every_moment(way, kernel, d, name, rng):
    exclude = torch.tensor([-1, 3, 0, 8])

    def value(x, y, weights):
        return moments(kernel, ust.Samples(y, weights), x, (name,), exclude=exclude)[name]

    assert torch.autograd.gradcheck(value, leaves(rng, d))


def test_all_moments_at_once(way, kernel, rng):
    def values(x, y, weights):
        return tuple(moments(kernel, ust.Samples(y, weights), x, MOMENTS).values())[:-1]

    assert torch.autograd.gradcheck(values, leaves(rng, 3))


@pytest.mark.parametrize("d", [2, 12])
@pytest.mark.parametrize("case", ["plain", "clusters", "far", "offset"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_the_gradient_of_the_mean_shift_is_the_jacobian_of_the_engine(way, kernel, d, case, dtype, rng):
    x, y = rng.normal(size=(40, d)), rng.normal(size=(90, d))
    if case == "clusters":
        y += 200.0 * np.sign(y[:, :1])
        x = y[:40] + 0.25 * x
    elif case == "far":
        x *= np.geomspace(1.0, 300.0, 40)[:, None]
    elif case == "offset":
        x, y = x + 1e4, y + 1e4
    x, y = (torch.tensor(v).to(dtype) for v in (x, y))
    g = torch.tensor(rng.normal(size=x.shape)).to(dtype)
    x.requires_grad_()
    (found,) = torch.autograd.grad(ust.MeanShift(kernel, y)(x), x, g)
    jacobian = posterior_jacobian(kernel, y.double().numpy(), x.detach().double().numpy())
    expected = np.einsum("ni,nij->nj", g.double().numpy(), jacobian)
    # E_pi[b (y - x)(y - x)^T] of the far queries is a large number from which the rest is taken.
    size = (
        np.abs(jacobian).max((1, 2))
        + 1.0
        + np.linalg.norm(x.detach().double().numpy() - y.double().numpy().mean(0), axis=1)
    )
    allowed = (1e-10 if dtype == torch.float64 else 2e-3) * size[:, None] * np.abs(g.double().numpy()).max()
    assert found.dtype == dtype
    assert (np.abs(found.double().numpy() - expected) <= allowed).all()


def test_a_batch_that_meets_itself(way, kernel, rng):
    def self_terms(x):
        return ust.posterior_vectors(kernel, x, x, exclude=torch.arange(5)).mean_shift

    assert torch.autograd.gradcheck(self_terms, torch.tensor(rng.normal(size=(5, 3)), requires_grad=True))
    kept = torch.tensor(rng.normal(size=(5, 3)))
    # With its self term every query is nearest to itself: another field.
    assert not torch.allclose(ust.MeanShift(kernel, kept)(kept), self_terms(kept), rtol=1e-2)


def test_batch_drift(way, rng):
    x, y, _ = leaves(rng, 3, n=5)
    z = torch.tensor(rng.normal(size=(4, 3)), requires_grad=True)
    kernel = us.Laplace(0.8)
    for options in ({}, {"self_terms": "keep"}):
        assert torch.autograd.gradcheck(lambda x, y: ust.batch_drift(kernel, x, positives=y, **options).drift, (x, y))  # noqa: B023
    assert torch.autograd.gradcheck(
        lambda *p: ust.batch_drift(kernel, p[0], positives=p[1], negatives=p[2]).drift, (x, y, z)
    )
    with pytest.raises(InputError, match="floor=0"):
        ust.batch_drift(kernel, x, positives=y, floor=1e-6)


def test_sinkhorn_has_a_gradient_of_the_queries_alone(way, rng):
    x, p = torch.tensor(rng.normal(size=(6, 2)), requires_grad=True), torch.tensor(rng.normal(size=(7, 2)))
    drift = ust.SinkhornDrift(us.Gaussian(1.5), target=p, model=x.detach().clone())
    assert torch.autograd.gradcheck(drift, x)
    with pytest.raises(InputError, match=r"give model\.detach\(\)"):
        ust.SinkhornDrift(us.Gaussian(1.5), target=p, model=x)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_accumulated_in_single(way, dtype, rng):
    x, y = (torch.tensor(rng.normal(size=(n, 3))).to(dtype) for n in (20, 80))
    grads = []
    for kind in (dtype, torch.float64):
        leaf = x.to(kind).requires_grad_()
        (grad,) = torch.autograd.grad(ust.MeanShift(us.Laplace(0.7), y.to(kind))(leaf), leaf, torch.ones_like(leaf))
        grads.append(grad.double())
    assert grads[0].dtype == torch.float64
    assert (grads[0] - grads[1]).abs().max() <= torch.finfo(dtype).eps * (1.0 + grads[1].abs().max())


def test_points_without_weight_get_no_gradient(way, rng):
    x, y, _ = leaves(rng, 3)
    weights = torch.tensor([0.0, 1, 2, 0, 1, 1, 1, 1, 1], dtype=torch.float64, requires_grad=True)
    ust.MeanShift(us.Laplace(1.0), ust.Samples(y, weights))(x).square().sum().backward()
    held = (weights > 0).detach()
    for leaf in (y, weights):
        assert (leaf.grad[~held] == 0).all() and (leaf.grad[held] != 0).any(-1).all()


def test_second_derivatives_are_refused_where_they_are_taken(way, rng):
    x = torch.tensor(rng.normal(size=(4, 3)), requires_grad=True)
    field = ust.MeanShift(us.Laplace(1.0), torch.tensor(rng.normal(size=(9, 3))))
    (grad,) = torch.autograd.grad(field(x).sum(), x, create_graph=True)
    with pytest.raises(NumericalError, match="second derivatives"):
        grad.sum().backward()


def test_function_transforms(way, rng):
    x = torch.tensor(rng.normal(size=(4, 3)))
    y = torch.tensor(rng.normal(size=(9, 3)))
    field = ust.MeanShift(us.Laplace(1.0), y)
    value, pull = torch.func.vjp(field, x)
    jacobian = us.MeanShift(us.Laplace(1.0), y).jacobian(x)
    torch.testing.assert_close(pull(torch.ones_like(value))[0], torch.tensor(jacobian.sum(1)))


def test_autocast_changes_nothing(way, rng):
    x, y = (torch.tensor(rng.normal(size=(n, 12))).float() for n in (20, 80))
    field = ust.MeanShift(us.Laplace(1.0), y)
    with torch.autocast("cpu", torch.bfloat16):
        inside = field(x), torch.autograd.grad(field(leaf := x.clone().requires_grad_()).sum(), leaf)[0]
    outside = field(x), torch.autograd.grad(field(leaf).sum(), leaf)[0]
    for a, b in zip(inside, outside, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


class Largest(torch.utils._python_dispatch.TorchDispatchMode):
    """Remembers the size of the largest tensor that an operation made."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_dispatch__(self, function, kinds, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for value in out if isinstance(out, tuple | list) else (out,):
            if isinstance(value, torch.Tensor):
                self.size = max(self.size, value.numel())
        return out


@pytest.mark.parametrize("d", [2, 12])
def test_no_array_of_all_pairs_is_made(tiles, kernel, d, rng):
    n, m = 300, 400
    x, y = (torch.tensor(rng.normal(size=(k, d)), requires_grad=True) for k in (n, m))
    with Largest() as largest:
        ust.posterior_moments(kernel, y, x).mean_shift.sum().backward()
        ust.batch_drift(kernel, x, positives=y).drift.sum().backward()
        with torch.no_grad():
            ust.batch_drift(kernel, x, positives=y, floor=1e-6)
            ust.SinkhornDrift(us.Gaussian(4.0), target=y, model=x, tolerance=1e-3)
    assert largest.size < n * m / 4  # the table of a Matern kernel of any smoothness has 22 240 numbers
