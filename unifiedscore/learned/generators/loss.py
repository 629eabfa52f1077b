"""The stop-gradient drift loss, which is that of `unifiedscore.torch`."""

from __future__ import annotations

import numpy as np

from unifiedscore.extras import require_torch


def drift_loss(x, drift: np.ndarray):
    """Return the loss of `unifiedscore.torch.drift_loss`, importing it when it is called.

    Use when you push your own network along a drift that is computed elsewhere.
    """
    require_torch("training")
    from unifiedscore.torch import drift_loss as loss

    return loss(x, drift)
