"""How far a drift is from a score on a user's own samples, and why."""

from __future__ import annotations

import sys
from types import ModuleType

from unifiedscore.diagnose.command import diagnose_command
from unifiedscore.diagnose.core import diagnose

__all__ = ["diagnose", "diagnose_command"]


class _CallableModule(ModuleType):
    # The public name `unifiedscore.diagnose` is a function, and importing this subpackage binds the module to the same
    # name: whichever comes last, calling it must work.
    __call__ = staticmethod(diagnose)


sys.modules[__name__].__class__ = _CallableModule
