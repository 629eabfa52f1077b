"""The conditions of a theorem, measured in every cell of its claim."""

from __future__ import annotations

import math

import numpy as np

from unifiedscore.inference.abstract import interval_text
from unifiedscore.study.claim import Claim
from unifiedscore.study.selection import Unavailable, groups, read


def measure_hypotheses(dataset, claim: Claim) -> tuple[tuple[dict, ...], str, str]:
    """Ledger entries, a sentence about the first failing cell, and one about what could not be measured."""
    entries, failing, unmeasured = [], "", ""
    for hypothesis in claim.hypotheses:
        low, high = hypothesis.low, hypothesis.high
        shown, holds = math.nan, False
        try:
            block = read(dataset, hypothesis.variable, claim.where)
            average = np.mean if hypothesis.of == "mean" else np.median
            middles = [
                (float(average(part.values)), part.where)
                for (part,) in groups([block], along=None, seeds="seed" in block.dims)
            ]
            if not middles:
                raise Unavailable("the grid skips every cell that the claim selects")
            unknown = next((at for value, at in middles if math.isnan(value)), None)
            outside = next(((value, at) for value, at in middles if not low <= value <= high and value == value), None)
            if outside is not None:
                shown = outside[0]
                at = f" at {outside[1]}" if outside[1] else ""
                failing = failing or (
                    f"the hypothesis '{hypothesis.name}' fails{at}: the {hypothesis.of} over seeds of "
                    f"{hypothesis.variable} is {shown:.6g}, not in {interval_text(low, high)}"
                )
            elif unknown is not None:
                raise Unavailable(f"it is NaN at {unknown}" if unknown else "it is NaN")
            else:
                holds = True
                shown = min((value for value, _ in middles), key=lambda value: min(value - low, high - value))
        except Unavailable as problem:
            unmeasured = unmeasured or f"the hypothesis '{hypothesis.name}' could not be measured: {problem}"
        entries.append({"name": hypothesis.name, "value": shown, "low": low, "high": high, "holds": holds})
    return tuple(entries), failing, unmeasured
