"""What a field is averaged over: one vocabulary of noise for fields and samplers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


@final
@dataclass(frozen=True, slots=True)
class NoisePolicy:
    r"""One way to draw the tuple $\epsilon_1 \dots \epsilon_M$ of every path.

    Use when you ask what a noise policy does: whether its draws are antithetic, fresh or shared.

    Attributes
    ----------
    name : str
    antithetic : bool
        Whether $\epsilon_{m + M/2} = -\epsilon_m$, so that the tuple sums to zero.
    fresh : bool
        Whether it is drawn anew at every step.
    shared : bool
        Whether all paths have the same tuple; they are then dependent, and error bars across them are invalid.
    population : bool
        Whether the average over noise is exact (infinitely many draws).
    """

    name: str
    antithetic: bool = False
    fresh: bool = False
    shared: bool = False
    population: bool = False


NOISE_POLICIES = {
    policy.name: policy
    for policy in (
        NoisePolicy("fixed"),
        NoisePolicy("fixed_antithetic", antithetic=True),
        NoisePolicy("fresh", fresh=True),
        NoisePolicy("fresh_antithetic", antithetic=True, fresh=True),
        NoisePolicy("shared", shared=True),
        NoisePolicy("population", population=True),
    )
}


def policy_by_name(name) -> NoisePolicy:
    """Return the policy of that name (a `NoisePolicy` passes through).

    Use when the noise policy comes as text, or you need its properties.
    """
    if isinstance(name, NoisePolicy):
        return name
    return NOISE_POLICIES[validate.known(name, "noise policy", NOISE_POLICIES)]


@final
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Noise:
    r"""The tuples $\epsilon_1 \dots \epsilon_M \sim N(0, I)$ of an average $\frac1M \sum_m F(x + \sigma\epsilon_m)$.

    Use when you choose how a smoothed field or sampler averages: the policy is part of the model and has its own law.

    ================== ===================================================================
    policy             tuple of a path
    ================== ===================================================================
    fixed              drawn once, one for each path
    fixed_antithetic   as fixed, with $\epsilon_{m + M/2} = -\epsilon_m$
    fresh              drawn anew at every step, one for each path
    fresh_antithetic   as fresh, with $\epsilon_{m + M/2} = -\epsilon_m$
    shared             drawn once, the same for all paths
    population         the exact average over all noise
    ================== ===================================================================

    Parameters
    ----------
    policy : str or NoisePolicy
    draws : int, optional
        M >= 1, the length of a tuple, even where antithetic. Not needed with `given`, not used by "population".
    given : array, optional
        The tuples instead of drawn ones: (n, M, d); (M, d) for "shared"; (steps, n, M, d) for the fresh policies.

    Raises
    ------
    InputError
        No draws, an odd number of them with an antithetic policy, or given noise that is not finite, has the wrong
        number of axes or another M.
    UnknownNameError
        An unknown policy.

    Examples
    --------
    >>> Noise("fresh_antithetic", draws=8)
    Noise('fresh_antithetic', draws=8)
    >>> Noise("shared", given=[[0.5], [-0.5]])
    Noise('shared', draws=2, given=<array of shape (2, 1)>)
    """

    policy: str | NoisePolicy
    draws: int | None = None
    given: np.ndarray | None = None

    def __post_init__(self) -> None:
        rule = policy_by_name(self.policy)
        object.__setattr__(self, "policy", rule.name if NOISE_POLICIES.get(rule.name) == rule else rule)
        draws = None if self.draws is None else validate.integer(self.draws, "draws")
        if self.given is not None:
            given = _given(self.given, rule)
            if draws is not None and draws != given.shape[-2]:
                raise InputError(f"given noise must hold draws = {draws} vectors a tuple; got shape {given.shape}")
            object.__setattr__(self, "given", given)
            draws = given.shape[-2]
        if draws is None and not rule.population:
            raise InputError(
                f"draws, the length of a noise tuple, is needed with the policy {rule.name!r}: "
                f"write Noise({rule.name!r}, draws=8), or hand the tuples over as given="
            )
        if rule.antithetic and draws % 2:
            raise InputError(f"draws must be even with the noise policy {rule.name!r}; got {draws}")
        object.__setattr__(self, "draws", draws)

    @property
    def rule(self) -> NoisePolicy:
        """The policy with its properties."""
        return policy_by_name(self.policy)

    def __repr__(self) -> str:
        parts = [repr(self.policy)]
        parts += [] if self.draws is None else [f"draws={self.draws}"]
        parts += [] if self.given is None else [f"given=<array of shape {self.given.shape}>"]
        return f"Noise({', '.join(parts)})"

    def __eq__(self, other) -> bool:
        if not isinstance(other, Noise):
            return NotImplemented
        same = (self.policy, self.draws) == (other.policy, other.draws)
        return same and (self.given is other.given or np.array_equal(self.given, other.given))

    def __hash__(self) -> int:
        return hash((self.policy, self.draws, None if self.given is None else self.given.shape))


def _given(value, rule: NoisePolicy) -> np.ndarray:
    if rule.population:
        raise InputError("noise must not be given with the policy 'population', which averages over all of it")
    given = validate.real_array(value, "given noise").astype(np.float64, copy=False)
    shape = "(steps, n, M, d)" if rule.fresh else "(M, d)" if rule.shared else "(n, M, d)"
    if given.ndim != shape.count(",") + 1 or given.size == 0:
        raise InputError(f"given noise of the policy {rule.name!r} must have shape {shape}; got {given.shape}")
    given.setflags(write=False)
    return given


def field_noise(noise):
    """Return the noise of a field: "population" or an array, also where it comes as a `Noise`."""
    if not isinstance(noise, Noise):
        return noise
    if noise.rule.population:
        return "population"
    if noise.given is None or noise.rule.fresh:
        raise InputError(
            f"a field is a function of the point and draws no noise; got {validate.shown(noise)}; "
            'use Noise("shared", given=...) with an (M, d) array, or Noise("population")'
        )
    return noise.given
