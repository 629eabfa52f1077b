"""From a stored search to a verdict: refuted, survived, or inconclusive because it could not have decided."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from unifiedscore.errors import StudyError
from unifiedscore.inference.verdict import LOOSE, SHARP, Verdict, claim_name
from unifiedscore.study.attack.explore import STAGES
from unifiedscore.study.attack.space import Instance
from unifiedscore.study.attack.store import FEASIBLE, VARIANTS, disagreement
from unifiedscore.study.attack.universal import SEARCH, Universal
from unifiedscore.study.attack.yardstick import Yardstick
from unifiedscore.study.reproduce import reproduce

if TYPE_CHECKING:
    import xarray as xr

    from unifiedscore.study.study import Study

FEW = 0.05  # share of feasible instances below which the search is warned about


def judge_search(study: Study, dataset: xr.Dataset) -> Verdict:
    """The verdict on one universal claim.

    Raises
    ------
    StudyError
        The data set is not a search of this study.
    """
    try:
        name = claim_name(dataset.attrs["claim"], dataset.attrs["regime"])
        universal = next(u for u in study.universals if u.name == name)
        found = {
            part: json.loads(dataset.attrs[part])
            for part in ("worst", "worst_values", "certificates", "counterexample", "shrink_path", "control")
        }
        budget, evaluations = int(dataset.attrs["budget"]), int(dataset.attrs["evaluations"])
    except (KeyError, ValueError, StopIteration) as error:
        raise StudyError(f"the data set is not a search of the study {study.name}; search again") from error
    claim = dataset.isel(evaluation=np.flatnonzero(dataset["variant"].values == VARIANTS.index("claim")))
    feasible = claim["feasible"].values == FEASIBLE.index("feasible")
    share = float(feasible.mean()) if feasible.size else 0.0
    sharpness, per_seed = _sharpness(universal, claim, feasible)
    outcome, reason = _outcome(universal, found, feasible, budget, sharpness)
    if 0 < share < FEW:
        reason += f"; only {100 * share:.2g} % of the instances satisfied the hypotheses: build them into the space"
    values = found["worst_values"] or {}
    value, error = values.get("value", math.nan), values.get("error", math.nan)
    counterexample = _counterexample(dataset, universal, found)
    if counterexample is not None:
        value, error = counterexample["value"], counterexample["error"]
    known = math.isfinite(value) and math.isfinite(error)
    kind = "numerical" if known else "none"
    low, high = (value - error, value + error) if known else (math.nan, math.nan)
    pinned = universal.sharpness
    return Verdict(
        claim=universal.id,
        regime=universal.regime,
        study=study.name,
        statement=universal.statement,
        source=universal.source,
        evidence=SEARCH,
        outcome=outcome,
        expected=universal.expect,
        reason=reason,
        finding=universal.finding,
        estimate=value,
        interval={"low": low, "high": high, "level": None, "kind": kind},
        region=dict(zip(("low", "high"), universal.region, strict=True)),
        control_outcome=None if universal.control is None else ("refuted" if found["control"] else SURVIVED),
        control_detail=_control(universal, found["control"], int(dataset.attrs["control_evaluations"])),
        hypotheses=_hypotheses(universal, values),
        cells=evaluations,
        control_kind="none" if universal.control is None else universal.control.kind,
        # Of an identity the tolerance is no bound that an instance could attain.
        sharpness=None if universal.clear > 1 or math.isnan(sharpness) else sharpness,
        reproduce=reproduce(universal.id, profile=str(dataset.attrs.get("profile", universal.profile))),
        search={
            "budget": budget,
            "evaluations": evaluations,
            "feasible": share,
            "undefined": int((claim["feasible"].values == FEASIBLE.index("undefined")).sum()),
            "root_seed": int(dataset.attrs["root_seed"]),
            "stage": _stage(claim, feasible),
            "sharpness": sharpness,
            "per_seed": per_seed,
            "sharpness_expected": None if pinned is None else dict(zip(("low", "high"), pinned, strict=True)),
            "worst": None if found["worst"] is None else _shown(dataset, universal, found["worst"]),
            "counterexample": counterexample,
        },
    )


SURVIVED = "survived"


def _outcome(universal, found: dict, feasible: np.ndarray, budget: int, sharpness: float) -> tuple[str, str]:
    certificates = found["certificates"]
    certified = [entry for entry in certificates if entry["certified"]]
    if certified:
        shrunk = found["counterexample"]
        moves = len(found["shrink_path"])
        simple = f", made simpler in {moves} moves" if moves else ""
        return "refuted", (
            f"a counterexample with the value {shrunk['value']:.6g} was certified by a second route "
            f"({shrunk['second']['value']:.6g}){simple}"
        )
    if certificates:
        where = Instance(certificates[0]["instance"]).code()
        return "inconclusive", f"{disagreement(certificates[0])}, at {where}; one of the two codes is wrong"
    if not feasible.any():
        names = ", ".join(entry.name for entry in universal.hypotheses) or "the domain of the quantity"
        return "inconclusive", f"no instance satisfies the hypotheses ({names}) among {budget} evaluations"
    if universal.control is not None and not found["control"]:
        return "inconclusive", (
            f"the search had no power: within {budget} evaluations, none of them at a known instance, it did not "
            f"refute the control ({universal.control.mutation})"
        )
    if universal.clear > 1:
        return (
            SURVIVED,
            f"not refuted in {budget} evaluations; the largest residual is {sharpness:.2g} of the tolerance",
        )
    return SURVIVED, f"not refuted in {budget} evaluations{_sharp(sharpness)}"


def _sharp(sharpness: float) -> str:
    """How close the worst instance came to the bound, in words."""
    if math.isnan(sharpness):
        return ""
    if sharpness >= SHARP:
        return f"; sharp: an instance attains {sharpness:.4f} of the bound"
    if sharpness < LOOSE:
        return f"; loose: no instance attains more than {100 * sharpness:.2g} % of the bound"
    return f"; the worst instance attains {sharpness:.2f} of the bound"


def _sharpness(universal: Universal, claim, feasible: np.ndarray) -> tuple[float, list[float]]:
    """The largest share of the bound that a feasible regular instance attains, over all seeds and for each."""
    yardstick = Yardstick.of(universal, "claim")
    regular = claim["regular"].values == 1
    values, seeds = claim["value"].values, claim["search_seed"].values
    shares = np.array([yardstick.attained({"value": float(value)}) for value in values])
    shares[~(feasible & regular)] = math.nan
    per_seed = []
    for seed in np.unique(seeds):
        known = shares[(seeds == seed) & np.isfinite(shares)]
        per_seed.append(float(known.max()) if known.size else math.nan)
    known = [share for share in per_seed if not math.isnan(share)]
    return (max(known) if known else math.nan), per_seed


def _stage(claim, feasible: np.ndarray) -> str:
    """The stage that found the worst instance."""
    if not feasible.any():
        return ""
    margins = np.where(feasible, claim["margin"].values, -math.inf)
    return STAGES[int(claim["stage"].values[int(np.argmax(margins))])]


def _control(universal: Universal, refuted: dict | None, evaluations: int) -> dict[str, Any] | None:
    if universal.control is None:
        return None
    value, error = (refuted["value"], refuted["error"]) if refuted else (math.nan, math.nan)
    kind = "numerical" if refuted else "none"
    reason = f"refuted and certified after {evaluations} evaluations" if refuted else "not refuted within the budget"
    return {
        "mutation": universal.control.mutation,
        "estimate": value,
        "interval": {"low": value - error, "high": value + error, "level": None, "kind": kind},
        "reason": reason,
        "evaluations": evaluations,
    }


def _hypotheses(universal: Universal, values: dict) -> tuple[dict, ...]:
    entries = []
    for entry in universal.hypotheses:
        value = values.get(entry.variable, math.nan)
        value = math.nan if value is None else value
        holds = bool(entry.low <= value <= entry.high)
        entries.append({"name": entry.name, "value": value, "low": entry.low, "high": entry.high, "holds": holds})
    return tuple(entries)


def _shown(dataset, universal: Universal, values: dict) -> dict[str, Any]:
    """An instance with code that runs as it is printed, from the folder that holds the study's."""
    instance = Instance({name: _tuples(value) for name, value in values.items()})
    file = str(dataset.attrs["source"]).split(", ")[-1]
    regime = f", regime={universal.regime!r}" if universal.regime else ""
    code = [
        "from unifiedscore.study import universal_in",
        f"universal = universal_in({file!r}, {universal.id!r}{regime})",
        f"print(universal.quantity(universal.{instance.code()}))",
    ]
    return {"instance": values, "code": "\n".join(code)}


def _counterexample(dataset, universal: Universal, found: dict) -> dict[str, Any] | None:
    shrunk = found["counterexample"]
    if shrunk is None:
        return None
    first = next(entry for entry in found["certificates"] if entry["certified"])
    return _shown(dataset, universal, shrunk["instance"]) | {
        "value": shrunk["value"],
        "error": shrunk["error"],
        "second": shrunk["second"] | {"route": (universal.second.__doc__ or universal.second.__name__).split("\n")[0]},
        "shrunk_from": first["instance"],
        "moves": len(found["shrink_path"]),
    }


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
