"""The stop-gradient drift loss."""

from __future__ import annotations

import numpy as np

from unifiedscore.train.torch_module import require_torch


def drift_loss(x, drift: np.ndarray):
    r"""Return $L = \frac1n \sum_i \lVert x_i - \mathrm{sg}(x_i + V_i) \rVert^2$ as a tensor.

    Its value is the mean squared drift, its gradient $-\frac2n \sum_i J_i^\top V_i$ with $J = \partial x/\partial
    \theta$: the drift is never differentiated, so the value is not what is descended.

    Parameters
    ----------
    x : (n, d) tensor
        Points of the generator, with their graph.
    drift : (n, d) array
        V at these points.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, eq. 6 and Proposition 3.1; gradient derived here.
    """
    torch = require_torch()
    goal = x.detach() + torch.as_tensor(drift, dtype=x.dtype)
    return torch.mean(torch.sum((x - goal) ** 2, 1))
