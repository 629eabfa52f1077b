"""From a dataset to verdicts: every claim and its control go through the same code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimates import no_estimate
from unifiedscore.inference.looks import Look
from unifiedscore.inference.verdict import SUPPORT_LEVEL, Verdict, interval_of
from unifiedscore.profiles import PROFILES, covers
from unifiedscore.study.attack.universal import SEARCH
from unifiedscore.study.attack.verdict import judge_search
from unifiedscore.study.claim import Claim
from unifiedscore.study.deciding import Result, combine_cells, decide_cell, levels_of
from unifiedscore.study.grid import Cell
from unifiedscore.study.hypotheses import measure_hypotheses
from unifiedscore.study.looks import (
    UNTIL_DECIDED,
    Standing,
    asks_for_seeds,
    first_replicates,
    first_seeds,
    over_looks,
)
from unifiedscore.study.reproduce import reproduce
from unifiedscore.study.selection import (
    OK,
    SKIPPED,
    Block,
    Unavailable,
    difference,
    groups,
    missing_labels,
    normalise,
    read,
)
from unifiedscore.study.unjudged import NotRun
from unifiedscore.validate import shown

_EPS = float(np.finfo(np.float64).eps)

ROUNDINGS = 16.0
"""An exact value without a stored error is known to this many roundings of its own size."""


def judge(study, dataset, *, until_decided: bool | None = None) -> list[Verdict]:
    """One verdict per claim of `study` whose profile the dataset covers, in the order of the claims.

    Use when a data set is measured and you want its verdicts, also of a part of it.

    Hypotheses first (a failing one makes the claim not applicable), then the test in every cell, then the control,
    which must come out refuted. Cells are judged separately with the level divided by their number: the claim is
    supported iff all are, refuted iff any is.

    Parameters
    ----------
    study : Study
    dataset : xarray.Dataset
        As `run` or `falsify` returned it, reopened, or sliced (`sel`, `isel`). A claim some of whose cells the slice
        has lost is inconclusive, whether it names them or not; fewer seeds are a smaller sample and are judged as such.

    Returns
    -------
    list of Verdict

    Raises
    ------
    StudyError
        If the dataset lacks an axis of the study's grid or repeats one of its labels.

    Examples
    --------
    >>> import xarray
    >>> from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable
    >>> claim = Claim("demo.mean", "the mean is one", "derived here", "monte_carlo", "y", Inside(0.5, 1.5),
    ...               control=Control("predict five", test=Inside(4.5, 5.5)))
    >>> study = Study("demo", "A demonstration", Grid(seed=range(16)), lambda cell, rng: {"y": 1 + 0.1 * rng.normal()},
    ...               {"y": Variable("Value")}, [claim])
    >>> y = 1 + 0.1 * np.random.default_rng(0).normal(size=16)
    >>> judge(study, xarray.Dataset({"y": ("seed", y)}, {"seed": range(16)}))[0].outcome
    'supported'
    """
    if isinstance(study, type) or not all(hasattr(study, part) for part in ("claims", "grid", "variables")):
        raise InputError(f"study must be a Study; got {shown(study)}")
    if getattr(dataset, "attrs", {}).get("evidence") == SEARCH:
        return [judge_search(study, dataset)]
    return [standing.verdict for standing in standings(study, dataset, until_decided=until_decided)]


def standings(study, dataset, *, until_decided: bool | None = None) -> list[Standing]:
    """How each claim stands: its verdict, and about how many seeds would decide it if it is undecided."""
    dataset = _check_dataset(study, dataset)
    if until_decided is None:
        until_decided = bool(dataset.attrs.get(UNTIL_DECIDED, False))
    elif not isinstance(until_decided, bool):
        raise InputError(f"until_decided must be True, False or None; got {shown(until_decided)}")
    first = first_seeds(_axes_at(study, PROFILES[0])) if until_decided else None
    found = []
    planned = dataset if first is None else first_replicates(dataset, len(_profile_axes(study, dataset)["seed"]))
    for claim in (claim for claim in study.claims if not _waits(claim, dataset)):
        if first is not None and asks_for_seeds(claim):
            found.append(over_looks(partial(_verdict, study, claim=claim), dataset, claim, first))
        else:
            found.append(_verdict(study, planned, claim))
    return found


def verdict_at(study, dataset, claim: Claim) -> Verdict:
    """The verdict on a claim that the study need not make itself, such as one at a point of a map."""
    return _verdict(study, dataset, claim).verdict


def _profile_axes(study, dataset) -> Mapping[str, tuple]:
    """The axes of the grid that a run of the data set's profile measures."""
    return _axes_at(study, profile_of(dataset, default=""))


def _axes_at(study, profile: str) -> Mapping[str, tuple]:
    """The axes of a study's grid at a profile; of its own grid where neither says more."""
    return study.profile_grid(profile).axes if profile and hasattr(study, "profile_grid") else study.grid.axes


def not_run(study, dataset) -> list[NotRun]:
    """The claims that need a larger profile than the dataset was run with."""
    used = profile_of(dataset)
    return [
        NotRun(c.id, c.regime, study.name, c.profile, f"needs the profile {c.profile}; this run used {used}")
        for c in study.claims
        if _waits(c, dataset)
    ]


def _verdict(study, dataset, claim: Claim, look: Look | None = None) -> Standing:
    hypotheses, failing, unmeasured = measure_hypotheses(dataset, claim)
    control_outcome = control_detail = None
    if failing:
        estimate = no_estimate(failing)
        cells = _count(dataset, claim)
        result = Result("not_applicable", estimate, SUPPORT_LEVEL, failing, cells)
    else:
        result = _evaluate(study, dataset, claim, claim.variable, claim.where, claim.test, look)
        if unmeasured:
            result = replace(result, outcome="inconclusive", reason=unmeasured, need=math.inf)
        control = claim.control
        if control is not None:
            wrong = _evaluate(
                study,
                dataset,
                claim,
                control.variable or claim.variable,
                {**claim.where, **(control.where or {})},
                control.test or claim.test,
                look,
            )
            control_outcome = wrong.outcome
            control_detail = {
                "mutation": control.mutation,
                "estimate": wrong.estimate.value,
                "interval": interval_of(wrong.estimate, wrong.level),
                "reason": wrong.reason,
            }
            if wrong.outcome != "refuted":
                reason = _without_power(result, wrong, control.mutation)
                need = math.inf if wrong.outcome == "supported" else max(result.need, wrong.need)
                result = replace(result, outcome="inconclusive", reason=reason, need=need)
    verdict = Verdict(
        claim=claim.id,
        regime=claim.regime,
        study=study.name,
        statement=claim.statement,
        source=claim.source,
        evidence=claim.evidence,
        outcome=result.outcome,
        expected=claim.expect,
        reason=result.reason,
        finding=claim.finding,
        estimate=result.estimate.value,
        interval=interval_of(result.estimate, result.level),
        region={"low": claim.test.low, "high": claim.test.high},
        control_outcome=control_outcome,
        control_detail=control_detail,
        hypotheses=hypotheses,
        cells=result.cells,
        of=claim.test.estimand if claim.evidence == "monte_carlo" else "",
        control_kind=claim.control.kind if claim.control is not None else "none",
        sharpness=_sharpness(dataset, claim),
        reproduce=reproduce(claim.id, profile=profile_of(dataset, default=claim.profile)),
    )
    return Standing(verdict, result.need, result.parts)


def _sharpness(dataset, claim: Claim) -> float | None:
    """How near to its bound the worst cell of an inequality comes; None where nothing says so or a cell is missing."""
    try:
        block = read(dataset, claim.sharpness, claim.where) if claim.sharpness else None
    except Unavailable:
        return None
    ratios = block.values[block.status != SKIPPED] if block is not None else np.empty(0)
    if not ratios.size or not np.isfinite(ratios).all():
        return None
    return float(ratios.max())


def _without_power(result: Result, wrong: Result, mutation: str) -> str:
    """Why a claim whose control is not refuted is undecided, whatever it is by itself."""
    if result.outcome == wrong.outcome == "inconclusive" and result.reason == wrong.reason:
        return f"{result.reason}; its control ({mutation}) is inconclusive for the same reason"
    power = f"the check had no power: its control ({mutation}) came out {wrong.outcome}: {wrong.reason}"
    if result.outcome == "inconclusive":
        return f"{result.reason}; and {power}"
    if result.outcome == "refuted" and wrong.outcome == "supported":
        return f"{power}. By itself the claim is refuted: {result.reason}. Are the claim and its control swapped?"
    return power


def _evaluate(study, dataset, claim: Claim, variable: str, where, test: AbstractTest, look: Look | None) -> Result:
    """The test on every cell of `where`: what a claim and its control share."""
    cells = 0
    try:
        block, error = _blocks(study, dataset, claim, variable, where, test)
        cells = block.cells
        _refuse_slices(study, dataset, where, variable)
        if claim.evidence == "exact" and not test.needs_exact_evidence:
            _refuse_random(block)
        seeds = claim.evidence == "monte_carlo"
        parts = list(groups([block, error], along=test.axis, seeds=seeds))
        if not parts:
            raise Unavailable("the grid skips every cell that the claim selects")
        share = len(parts) if seeds else 1
        levels = levels_of(look, share)
        following = levels if look is None else levels_of(look.following(), share)
        results = [decide_cell(test, values, errors, *levels, following) for values, errors in parts]
    except Unavailable as problem:
        reason = f"{problem}{_first_message(dataset) if problem.failed else ''}"
        return Result("inconclusive", no_estimate(reason), SUPPORT_LEVEL, reason, cells, math.inf)
    return combine_cells(test, results, [values for values, _ in parts], cells)


def _first_message(dataset) -> str:
    """What a failed cell said, as far as the dataset tells: mostly all of them say the same."""
    try:
        return f": {json.loads(dataset.attrs['failed_cells'])[0]['message']}"
    except (KeyError, IndexError, TypeError, ValueError):
        return ""


def _blocks(study, dataset, claim: Claim, variable: str, where, test) -> tuple[Block, Block | None]:
    """The tested values, with the partner subtracted, and their numerical errors (or the scale of an identity)."""
    paired = {**where, **claim.minus} if claim.minus else None
    block = read(dataset, variable, where)
    if test.scale_variable is not None:
        return block, _like(read(dataset, test.scale_variable, where), block)
    size = np.abs(block.values)
    if paired is not None:
        partner = read(dataset, variable, paired)
        block, size = difference(block, partner), size + np.abs(partner.values)
    if claim.evidence == "monte_carlo":
        return block, None
    declared = study.variables.get(variable)
    name = (declared.error if declared is not None else None) or f"{variable}_error"
    if name not in dataset.variables:
        if claim.evidence == "exact":
            return block, Block(block.dims, block.labels, ROUNDINGS * _EPS * size, block.status)
        raise Unavailable(f"no numerical error is stored for {variable}; let the measurement return {name}")
    error = read(dataset, name, where)
    if paired is not None:
        error = difference(error, read(dataset, name, paired), sign=+1)
    return block, _like(error, block)


def _refuse_slices(study, dataset, where, variable: str):
    """A slice must not decide a claim about more than the slice."""
    profile = profile_of(dataset, default="")
    grid = study.profile_grid(profile) if profile and hasattr(study, "profile_grid") else study.grid
    exists = lambda cell: not grid.skipped(Cell(cell))  # noqa: E731
    if not hasattr(grid, "skipped"):
        exists = lambda cell: True  # noqa: E731
    lost = missing_labels(grid.axes, dataset, where, exists)
    declared = study.variables.get(variable)
    if declared is not None and declared.dims and not lost:
        inner = {dim: np.asarray(declared.coords[dim]).tolist() for dim in declared.dims}
        gone = [dim for dim in inner if dim not in dataset[variable].dims]
        lost = f"the dataset is a part of the grid: it has lost the dimension {gone[0]} of {variable}" if gone else ""
        lost = lost or missing_labels(inner, dataset, where, lambda cell: True)
    if lost:
        raise Unavailable(lost)


def _refuse_random(block: Block):
    """Randomness is not exact: values that change with the seed need an interval over seeds."""
    if "seed" not in block.dims:
        return
    seed = block.dims.index("seed")
    values = np.where(block.status == OK, block.values, np.nan)
    known = np.isfinite(values)
    high = np.where(known, values, -np.inf).max(axis=seed)
    low = np.where(known, values, np.inf).min(axis=seed)
    size = np.where(known, np.abs(values), 0.0).max(axis=seed)
    if (high - low > 2 * ROUNDINGS * _EPS * size).any():
        raise Unavailable(
            "the values change with the seed, and randomness is not exact: call the evidence monte_carlo, or name one "
            "seed in where"
        )


def _like(other: Block, block: Block) -> Block:
    """`other` with the dims of `block`: a scale or an error may lack the variable's extra dimensions."""
    extra = [dim for dim in other.dims if dim not in block.dims]
    if extra:
        raise Unavailable(f"the scale or error has an extra dimension {extra[0]} that the variable lacks")
    order = [other.dims.index(dim) for dim in block.dims if dim in other.dims]
    shape = [len(other.labels[dim]) if dim in other.dims else 1 for dim in block.dims]
    values = np.broadcast_to(other.values.transpose(order).reshape(shape), block.values.shape)
    return Block(block.dims, block.labels, values, block.status)


def _count(dataset, claim: Claim) -> int:
    try:
        return read(dataset, claim.variable, claim.where).cells
    except Unavailable:
        return 0


def _check_dataset(study, dataset):
    if not hasattr(dataset, "data_vars") or not hasattr(dataset, "expand_dims"):
        raise InputError(f"judge needs an xarray.Dataset as dataset, as run returns it; got {type(dataset).__name__}")
    return normalise(dataset, study.grid.axes)


def profile_of(dataset, default: str = "full") -> str:
    """The profile of the run; a dataset that does not say hides no claim."""
    profile = dataset.attrs.get("profile", default)
    return profile if isinstance(profile, str) and profile in PROFILES else default


def _waits(claim: Claim, dataset) -> bool:
    return not covers(profile_of(dataset), claim.profile)
