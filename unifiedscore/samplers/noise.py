"""How samplers draw their noise: one tuple per path, by the policy of a `Noise`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.arrays import is_array_like
from unifiedscore.deprecation import Gathered
from unifiedscore.errors import InputError
from unifiedscore.fields.noise import NOISE_POLICIES, Noise, NoisePolicy, policy_by_name
from unifiedscore.posterior.threads import threads

__all__ = ["NOISE_POLICIES", "Noise", "NoisePolicy", "NoiseStream", "as_noise", "draw_noise", "policy_by_name"]


def as_noise(noise, smoothing: float) -> Noise | None:
    """Return the noise of a sampler, None where nothing is smoothed and none is given."""
    if noise is None and smoothing == 0.0:
        return None
    if isinstance(noise, str) and noise == "population":
        return Noise("population")
    if not isinstance(noise, Noise):
        raise InputError(
            f"noise must be a Noise; got {'an array' if is_array_like(noise) else validate.shown(noise)}; write "
            'noise=Noise("fresh_antithetic", draws=8), say, or Noise(policy, given=...) for an array; each policy has '
            "its own law, and only smoothing = 0 needs no noise"
        )
    return noise


def draw_noise(policy, n: int, draws: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one tuple per path: (n, M, d), or (M, d) where all paths share it.

    Use when you need the noise of a policy outside of a sampler, to give it to two of them.

    Parameters
    ----------
    policy : str or NoisePolicy
        Not "population", which draws nothing.
    n, draws, dimension : int
        Paths n, draws M in a tuple (even where antithetic), dimension d.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        An odd number of draws with an antithetic policy, or the population.
    UnknownNameError
        The policy is not in the table.

    Examples
    --------
    >>> import numpy as np
    >>> draw_noise("fixed_antithetic", 5, 4, 2, np.random.default_rng(0)).sum(1).tolist()[0]
    [0.0, 0.0]
    """
    noise = Noise(policy, draws)
    n, dimension = validate.integer(n, "n"), validate.integer(dimension, "dimension")
    if noise.rule.population:
        raise InputError("the noise policy 'population' draws no noise")
    draws = noise.draws
    shape = (draws, dimension) if noise.rule.shared else (n, draws, dimension)
    if not noise.rule.antithetic:
        return validate.generator(rng).standard_normal(shape)
    half = validate.generator(rng).standard_normal((n, draws // 2, dimension))
    tuples = np.empty(shape)
    tuples[:, : draws // 2] = half
    np.negative(half, out=tuples[:, draws // 2 :])
    return tuples


@final
@dataclass(frozen=True, slots=True)
class NoiseStream:
    """The noise tuples of every step of a sampler, drawn or given.

    Parameters
    ----------
    noise : Noise or None
        None where nothing is smoothed.
    smoothing : float
        Without smoothing no noise is drawn.
    n, dimension : int
        Paths n, dimension d.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        Given noise of another shape or of too few steps.

    Examples
    --------
    >>> import numpy as np
    >>> fixed = NoiseStream(Noise("fixed", draws=4), 0.1, 5, 2, np.random.default_rng(0))
    >>> fixed.tuples(0).shape, fixed.tuples(1) is fixed.tuples(0)
    ((5, 4, 2), True)
    """

    noise: Noise | None
    smoothing: float
    n: int
    dimension: int
    rng: np.random.Generator
    _fixed: list = field(default_factory=list, init=False, repr=False)

    def each_step(self, n_steps: int) -> Iterator[np.ndarray | str | None]:
        """Yield `tuples` of the steps 0 ... n_steps - 1.

        Where there is a second thread and the noise is fresh, it draws the next one while this one is used.
        """
        if threads() == 1 or self.noise is None or not self.noise.rule.fresh:
            yield from map(self.tuples, range(n_steps))
            return
        with ThreadPoolExecutor(1) as worker:
            upcoming = worker.submit(self.tuples, 0)
            for step in range(1, n_steps + 1):
                current = upcoming.result()
                if step < n_steps:
                    upcoming = worker.submit(self.tuples, step)
                yield current

    def tuples(self, step: int) -> np.ndarray | str | None:
        """Noise of this step: None (no smoothing), "population", (M, d) or (n, M, d)."""
        if self.noise is None or self.smoothing == 0.0:
            return None
        rule, given = self.noise.rule, self.noise.given
        if rule.population:
            return "population"
        if rule.fresh:
            if given is None:
                return self._draw()
            if step >= len(given):
                raise InputError(f"given noise holds {len(given)} steps; step {step + 1} needs one more")
            return self._checked(given[step])
        if not self._fixed:
            self._fixed.append(self._draw() if given is None else self._checked(given))
        return self._fixed[0]

    def _draw(self):
        return draw_noise(self.noise.rule, self.n, self.noise.draws, self.dimension, self.rng)

    def _checked(self, tuples):
        rule, draws = self.noise.rule, self.noise.draws
        wanted = (draws, self.dimension) if rule.shared else (self.n, draws, self.dimension)
        if tuples.shape != wanted:
            raise InputError(
                f"given noise of the policy {rule.name!r} must have shape {wanted} at a step; got {tuples.shape}"
            )
        return tuples


def noise_settings(noise: Noise | None) -> dict:
    """The noise among the settings of a sample, as numbers and strings."""
    if noise is None:
        return {"noise_draws": 0, "noise_policy": "none"}
    return {"noise_draws": noise.draws or 0, "noise_policy": noise.rule.name}


def old_noise(default: str | None = None) -> Gathered:
    """What the parameters noise_policy (with this default), noise_draws and an array of noise mean today."""

    def build(old):
        policy, draws = policy_by_name(old.get("noise_policy", default)), old.get("noise_draws")
        if draws is not None and not validate.integer(draws, "draws", low=0):
            draws = None
            if not policy.population and old.get("noise") is None:
                return None
        return Noise(policy, draws, old.get("noise"))

    return Gathered("noise", Noise, build)
