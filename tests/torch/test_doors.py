"""What comes in is checked, what goes out shares memory, and a training step needs no more than this."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError

torch = pytest.importorskip("torch")
import unifiedscore.torch as ust  # noqa: E402
from unifiedscore.torch import posterior  # noqa: E402

KERNEL = us.Laplace(1.0)
Y = torch.tensor(np.random.default_rng(0).normal(size=(30, 3)))
X = Y[:5] + 0.25


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[:0], "at least one point"),
        (X[0], r"two-dimensional.*x\[:, None\]"),
        (X[:, :2], "must have dimension 3"),
        (X + 1j, "real"),
        (X.to_sparse(), "dense"),
        (X.to("meta"), "meta"),
        (torch.where(X > 0, X, torch.nan), "must be finite"),
        ("text", "x must be"),
    ],
)
def test_bad_queries_are_refused(way, x, message):
    for call in (
        lambda x: ust.MeanShift(KERNEL, Y)(x),
        lambda x: ust.posterior_moments(KERNEL, Y, x),
        lambda x: ust.Drift(KERNEL, target=Y, model=Y + 1)(x),
    ):
        with pytest.raises(InputError, match=message):
            call(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ust.MeanShift("laplace", Y), "kernel must be a kernel"),
        (lambda: ust.MeanShift(KERNEL, Y[:0]), "measure must hold"),
        (lambda: ust.MeanShift(KERNEL, us.GaussianMixture([[0.0]], 1.0)), "draw from it"),
        (lambda: ust.Drift(KERNEL, target=Y, model=Y[:, :2]), "the same dimension; got 3 and 2"),
        (lambda: ust.SharpScore(us.RationalQuadratic(1.0, 0.5), Y), "no sharp kernel"),
        (lambda: ust.Samples(Y, torch.ones(3)), r"weights must have shape \(30,\)"),
        (lambda: ust.Samples(Y, -torch.ones(30)), "not be negative"),
        (lambda: ust.Samples(Y, torch.zeros(30)), "all be zero"),
        (lambda: ust.Samples(Y, torch.full((30,), torch.inf)), "finite"),
        (lambda: ust.posterior_moments(KERNEL, Y, X, exclude=torch.zeros(4, dtype=int)), "exclude must be an integer"),
        (lambda: ust.posterior_moments(KERNEL, Y, X, exclude=torch.full((5,), 30)), r"\[0, 30\)"),
        (lambda: ust.posterior_moments(KERNEL, Y[:1], X, exclude=torch.zeros(5, dtype=int)), "without any sample"),
        (lambda: ust.batch_drift(KERNEL, X[:1], positives=Y), "two queries"),
        (lambda: ust.batch_drift(KERNEL, X, positives=Y, self_terms="drop"), "self_terms must be one of"),
        (lambda: ust.drift_target(X[:2], X), "shape of x"),
        (lambda: ust.Difference(ust.MeanShift(KERNEL, Y), lambda x: x), "second must be a field"),
    ],
)
def test_bad_arguments_are_refused(way, call, message):
    with pytest.raises(InputError, match=message):
        call()


class Foreign:
    """An array of another library, such as JAX."""

    def __init__(self, held):
        self.held, self.dtype, self.shape = held, held.dtype, held.shape

    def __array__(self, dtype=None, copy=None):
        return self.held


def test_arrays_and_samples_of_numpy_are_taken(way):
    weights = np.arange(1.0, 31.0)
    expected = us.MeanShift(KERNEL, us.Samples(Y, weights))(X)
    for law in (us.Samples(Y, weights), ust.Samples(Y.numpy(), weights), ust.Samples(Y, torch.tensor(weights))):
        for x in (X, X.numpy(), X.tolist(), Foreign(X.numpy())):
            np.testing.assert_allclose(ust.MeanShift(KERNEL, law)(x).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", ["posterior_field", "posterior_vectors", "posterior_moments"])
def test_the_engine_computes_on_the_memory_of_the_tensors(monkeypatch, dtype, name):
    seen, original = [], getattr(posterior.compiled, name)

    def watched(kernel, law, x, *rest, **options):
        seen.append((law.points, x))
        return original(kernel, law, x, *rest, **options)

    monkeypatch.setattr(posterior.compiled, name, watched)
    y, x = Y.to(dtype), X.to(dtype)
    if name == "posterior_field":
        ust.MeanShift(KERNEL, y)(x)
    else:
        getattr(ust, name)(KERNEL, y, x)
    points, queries = seen[0]
    assert np.shares_memory(points, y.numpy()) and np.shares_memory(queries, x.numpy())


def test_what_is_written_into_the_points_later_counts(way):
    y = Y.clone()
    field = ust.MeanShift(KERNEL, y)
    before = field(X)
    y += 1.0
    torch.testing.assert_close(field(X + 1.0), before, rtol=1e-9, atol=1e-12)


def test_strides_do_not_matter(way):
    for y in (Y.T.contiguous().T, torch.stack([Y, Y], 2)[:, :, 0], Y.flip(0).flip(0)):
        torch.testing.assert_close(ust.MeanShift(KERNEL, y)(X.T.contiguous().T), ust.MeanShift(KERNEL, Y)(X))


def test_a_target_has_no_graph_and_the_loss_descends_along_the_drift(way):
    x = X.clone().requires_grad_()
    drift = ust.Drift(KERNEL, target=Y, model=x)
    target = ust.drift_target(drift, x)
    assert not target.requires_grad
    value = us.Drift(KERNEL, target=Y, model=X)(X)
    np.testing.assert_allclose(target.numpy(), X.numpy() + value, rtol=1e-12)
    for given in (drift, drift(x), value):
        x.grad = None
        loss = ust.drift_loss(x, given)
        loss.backward()
        assert loss.item() == pytest.approx(np.mean(np.sum(value**2, 1)))
        np.testing.assert_allclose(x.grad.numpy(), -2.0 / len(X) * value, rtol=1e-10)


def test_potentials_are_those_of_their_fields(way):
    x = X.clone().requires_grad_()
    for field in (
        ust.KernelScore(KERNEL, Y),
        ust.MeanShift(us.Gaussian(0.7), Y),
        ust.SharpDrift(KERNEL, target=Y, model=Y[:9] + 0.5),
    ):
        (grad,) = torch.autograd.grad(field.potential(x).sum(), x)
        torch.testing.assert_close(grad, field(X), rtol=1e-9, atol=1e-12)
    assert ust.MeanShift(KERNEL, Y).potential(x) is None
    assert ust.Drift(KERNEL, target=Y, model=X).potential(x) is None
