"""The old home of one-step generators, which are in `unifiedscore.learned`; goes with the next release."""

from __future__ import annotations

import warnings

_NAMES = "OneStepGenerator drift_loss matched_kernel mean_preconditioner new_generator train_generator"
__all__ = _NAMES.split()


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module 'unifiedscore.train' has no attribute {name!r}")
    from unifiedscore import learned

    warnings.warn(
        f"unifiedscore.train.{name} is deprecated and goes with the next release: write unifiedscore.learned.{name}",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(learned, name)
