"""Modules and functions of tensors as fields."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError

torch = pytest.importorskip("torch")
import unifiedscore.torch as ust  # noqa: E402

X = np.random.default_rng(0).normal(size=(11, 3))


@pytest.fixture
def network():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.Dropout(0.5), torch.nn.SiLU(), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 3)
    )
    net[1].eval()
    return net


def modes(net):
    return [part.training for part in net.modules()]


def test_a_module_is_evaluated_as_it_will_be_used_and_left_as_it_was(network):
    before, state = modes(network), {k: v.clone() for k, v in network.state_dict().items()}
    assert any(before) and not all(before)
    field = us.as_field(network)
    value = field(X)
    assert field.dimension == 3 and value.dtype == np.float64
    assert modes(network) == before
    assert all(torch.equal(v, state[k]) for k, v in network.state_dict().items())
    with torch.no_grad():
        expected = network.eval()(torch.tensor(X).float())
    np.testing.assert_allclose(value, expected.numpy(), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(us.as_field(network, dimension=3, batch_size=2)(X[:4]), us.as_field(network)(X[:4]))


def test_modes_are_restored_after_an_error(network):
    before = modes(network)
    network[4] = torch.nn.Linear(8, 2)
    with pytest.raises(InputError, match=r"shape \(11, 3\)"):
        us.as_field(network, dimension=3)(X)
    assert modes(network) == before


def test_the_batch_is_cut_into_pieces():
    seen = []

    def function(x):
        seen.append((len(x), x.dtype, torch.is_grad_enabled()))
        return -x

    value = us.as_field(function, dimension=3, tensors=True, batch_size=4)(X)
    np.testing.assert_array_equal(value, -X)
    assert seen == [(4, torch.float64, False), (4, torch.float64, False), (3, torch.float64, False)]
    seen.clear()
    us.as_field(function, dimension=3, dtype=torch.bfloat16)(X)
    assert seen == [(11, torch.bfloat16, False)]
    lengths = []
    us.as_field(lambda x: (lengths.append(len(x)), x)[1], dimension=3, batch_size=6)(X)
    assert lengths == [6, 5]


def test_another_dtype_leaves_the_module_alone(network):
    field = us.as_field(network, dtype=torch.float64)
    us.testing.check_field(field, X)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("batch_size", [None, 4])
def test_the_jacobian_is_that_of_the_function(batch_size):
    matrix = torch.tensor(np.random.default_rng(1).normal(size=(3, 3)))
    options = {"dimension": 3, "dtype": torch.float64, "batch_size": batch_size}
    field = us.as_field(lambda x: torch.tanh(x @ matrix.T), **options)
    expected = (1 - np.tanh(X @ matrix.numpy().T) ** 2)[:, :, None] * matrix.numpy()
    np.testing.assert_allclose(field.jacobian(X), expected, rtol=1e-12)
    us.testing.check_field(field, X)


def test_fields_on_tensors_are_fields():
    y = torch.tensor(np.random.default_rng(2).normal(size=(30, 3)))
    first, second = us.as_field(ust.MeanShift(us.Laplace(1.0), y)), us.MeanShift(us.Laplace(1.0), y)
    np.testing.assert_allclose(first(X), second(X), rtol=1e-12)
    np.testing.assert_allclose(first.jacobian(X), second.jacobian(X), rtol=1e-9, atol=1e-11)
    us.testing.check_field(first, X)


def test_methods_of_modules_take_tensors(network):
    np.testing.assert_array_equal(us.as_field(network.forward)(X), us.as_field(network)(X))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda net: us.as_field(net[:3]), "dimension must be given"),
        (lambda net: us.as_field(torch.tanh), "dimension must be given"),
        (lambda net: us.as_field(net, dtype="float32"), "dtype must be a float type"),
        (lambda net: us.as_field(net, dtype=torch.int64), "dtype must be a float type"),
        (lambda net: us.as_field(net, device="nowhere"), "device must be a device"),
        (lambda net: us.as_field(net, batch_size=0), "batch_size must be at least 1"),
        (lambda net: us.as_field(net, tensors="yes"), "tensors must be"),
        (lambda net: us.as_field(net, tensors=False, device="cpu"), "leave them out"),
        (lambda net: us.as_field(lambda x: 3.0, dimension=3, tensors=True)(X), "must return a tensor"),
        (lambda net: us.as_field(lambda x: x / 0, dimension=3, tensors=True)(X), "finite values"),
    ],
)
def test_bad_arguments_are_refused(network, build, message):
    with pytest.raises(InputError, match=message):
        build(network)
