"""PyTorch, where it is installed."""

from __future__ import annotations

from unifiedscore.errors import MissingDependencyError


def require_torch():
    """Return the module torch.

    Raises
    ------
    MissingDependencyError
        With the command that installs it.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            "training needs PyTorch, which is not installed; run: pip install 'unifiedscore[train]'"
        ) from error
    return torch
