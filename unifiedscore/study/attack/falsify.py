"""Search for an instance that breaks a universal claim, from Python."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.study.attack.run import attack_studies
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.study import Study
from unifiedscore.validate import integer, shown

if TYPE_CHECKING:
    import xarray as xr


def falsify(
    study: Study,
    *,
    claim: str | None = None,
    budget: int | None = None,
    profile: str = "quick",
    out: str | Path = "results",
    executor: Executor | None = None,
    seed: int = 0,
    threads: int = 1,
    shrink: bool = True,
) -> xr.Dataset:
    """Attack one universal claim of a study and store what was found in `<out>/<name>.search.nc`.

    Use when you attack a theorem from Python; on the command line it is `unifiedscore falsify`.

    The instances that are evaluated depend on the study, the budget and the root seed alone: not on the executor, the
    number of workers or on how often the search was interrupted. A search that ends without a counterexample has not
    proved the claim: it has survived so many evaluations.

    Parameters
    ----------
    study : Study
    claim : str, optional
        Name of the universal, as in "universal.square" or "universal.square (small)"; needed where there are several.
    budget : int, optional
        Evaluations; by default 300, 10 000 or 200 000 by profile. The control may take as many again.
    profile : {"quick", "standard", "full"}
    out : path
    executor : concurrent.futures.Executor, optional
    seed : int
        Of the scrambled Sobol points from which the search starts.
    threads : int
    shrink : bool
        Whether a counterexample is made as simple as possible.

    Returns
    -------
    xarray.Dataset
        Every evaluation in its order; `us.judge(study, dataset)` makes a verdict of it.

    Raises
    ------
    InputError
        The study makes no universal claim, or several and none is named.
    UnknownNameError
        It makes no claim of this name.

    Examples
    --------
    >>> import unifiedscore as us
    >>> dataset = us.falsify(study, claim="universal.square", budget=300)    # doctest: +SKIP
    >>> us.judge(study, dataset)[0].outcome                                  # doctest: +SKIP
    'survived'
    """
    if not isinstance(study, Study):
        raise InputError(f"study must be a Study; got {shown(study)}")
    if claim is not None and not isinstance(claim, str):
        raise InputError(f"claim must be the name of a universal claim; got {shown(claim)}")
    names = [universal.name for universal in study.universals]
    if not names:
        raise InputError(f"study {study.name} makes no universal claim; give it universals=[Universal(...)]")
    if claim is None and len(names) > 1:
        raise InputError(f"study {study.name} makes several universal claims; name one: {', '.join(names)}")
    # The name of a claim without a regime is also the id of its regimes: the name is meant.
    chosen = [u for u in study.universals if claim in (None, u.name)]
    chosen = chosen or [u for u in study.universals if claim == u.id]
    if not chosen:
        raise UnknownNameError("universal claim", claim, names)
    if len(chosen) > 1:
        raise InputError(f"{claim} is attacked in several regimes; name one: {', '.join(u.name for u in chosen)}")
    if budget is not None:
        integer(budget, "budget")
    # A claim that is called by its name is attacked whatever its profile is; that one decides about the budget alone.
    settings = RunSettings(profile=profile, out=out, executor=executor, seed=seed, threads=threads)
    found = attack_studies([study], settings, names=[chosen[0].name], budget=budget, shrink=shrink)
    return found[study.name][chosen[0].name]
