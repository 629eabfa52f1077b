"""PyTorch, where it is installed: loaded by what needs it, when that is called."""

from __future__ import annotations

from unifiedscore.errors import MissingDependencyError


def require_torch(what: str):
    """Return the module torch.

    Parameters
    ----------
    what : str
        What needs it, as the error says it: "training", "a field on tensors".

    Raises
    ------
    MissingDependencyError
        With the command that installs it.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} needs PyTorch, which is not installed; run: pip install 'unifiedscore[torch]'"
        ) from error
    return torch
