"""What a generator on tensors descends: targets without a graph, and the stop-gradient loss."""

from __future__ import annotations

import torch

from unifiedscore.errors import InputError
from unifiedscore.torch.samples import tensor_points


def drift_target(drift, x: torch.Tensor) -> torch.Tensor:
    r"""Return the target $\mathrm{sg}(x + V(x))$ of the stop-gradient loss, (n, d), without a graph.

    Use when you train a drifting model with a loss of your own.

    Parameters
    ----------
    drift : callable or (n, d) tensor
        The field V, which is evaluated at the detached points without recording a gradient, or its values there.
    x : (n, d) tensor
        Points of the generator.

    Raises
    ------
    InputError
        The drift is not of the shape of the points.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, eq. 6.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> x = torch.tensor([[1.0]], requires_grad=True)
    >>> ust.drift_target(ust.MeanShift(us.Gaussian(bandwidth=1.0), torch.tensor([[3.0]])), x)
    tensor([[3.]])
    """
    held = tensor_points(x, "x").detach()
    with torch.no_grad():
        value = drift(held) if callable(drift) else torch.as_tensor(drift)
        value = value.detach().to(held.device, held.dtype)
    if value.shape != held.shape:
        raise InputError(f"drift must have the shape of x, {tuple(held.shape)}; got {tuple(value.shape)}")
    return held + value


def drift_loss(x: torch.Tensor, drift) -> torch.Tensor:
    r"""Return $L = \frac1n \sum_i \lVert x_i - \mathrm{sg}(x_i + V_i) \rVert^2$ as a tensor.

    Use when you train a drifting model with its published loss.

    Its value is the mean squared drift, its gradient $-\frac2n \sum_i J_i^\top V_i$ with $J = \partial x/\partial
    \theta$: the drift is never differentiated, so the value is not what is descended.

    Parameters
    ----------
    x : (n, d) tensor
        Points of the generator, with their graph.
    drift : callable or (n, d) tensor or array
        V, as for `drift_target`.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, eq. 6 and Proposition 3.1; gradient derived here.

    Examples
    --------
    >>> import torch, unifiedscore.torch as ust
    >>> x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    >>> ust.drift_loss(x, torch.tensor([[0.5, 0.0]])).backward(); x.grad
    tensor([[-1.,  0.]])
    """
    return torch.mean(torch.sum((x - drift_target(drift, x)) ** 2, 1))
