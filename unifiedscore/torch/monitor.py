"""What the drift of a generator is made of, while it trains."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np
import torch

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.torch.samples import tensor_points
from unifiedscore.validate import array, integer, points, positive, shown

if TYPE_CHECKING:
    import xarray as xr

KEPT = (
    "drift_energy",
    "noise_energy",
    "noise_share",
    "effective_samples",
    "cross_fitted_cosine",
    "cross_fitted_cosine_low",
    "cross_fitted_cosine_high",
    "same_sample_cosine",
    "preconditioner_ratio",
    "residual_share",
    "curl_share",
)
"""Variables of `diagnose` that are kept at each measured step."""
_LARGEST = 1e150  # squares of coordinates beyond it, summed, leave float64
LEAST = 60
"""Samples of each law below which the folds of `diagnose` say nothing."""


@final
@dataclass(slots=True)
class DriftMonitor:
    r"""Energy, effective samples, alignment, curl and residual of a drift along the steps of your own training loop.

    Use when you train on a drift and want to see whether it still points anywhere, without a framework.

    Call it once a step with the samples of the generator. It measures every so many steps, on at most `size` samples
    drawn from what it is given, and does nothing otherwise: `us.diagnose` on the target and the samples. It records no
    graph and draws from a random stream of its own, so that training takes the same course with it and without it.

    It never stops a training for what the samples have become. Where they cannot be diagnosed, such as samples that are
    not finite or a generator that collapsed to one point, the row holds NaN, its attribute `reason` says why, and
    `on_measure` sees it. Of a collapsed generator `drift_energy` is still there: that of the drift at its point.

    A drift that is divided by its own scale has the loss 1 by construction, which says nothing. The energy here is that
    of the drift before it is divided.

    Parameters
    ----------
    target : (m, d) tensor or array
        Samples of the data.
    kernel : AbstractKernel
    every : int, optional
        Steps from one measurement to the next. By default as few as keep the time of measuring below `share` of the
        time of training.
    share : float
        In (0, 1); not used where `every` is given.
    size : int
        Samples of each law that are looked at.
    seed : int
    on_measure : function of a step and a data set, optional
        Called after each measurement, also one that gave NaN, to log or to stop.

    Raises
    ------
    InputError
        Not a kernel, a target of one point, too few samples, or samples of another dimension.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> data = torch.randn(400, 2, generator=torch.Generator().manual_seed(0)) + 1
    >>> monitor = ust.DriftMonitor(data, us.Laplace(bandwidth=1.0), every=10)
    >>> for step in range(20):
    ...     _ = monitor(step, data - 1 + step / 20)
    >>> monitor.dataset().sizes["step"], bool(monitor.dataset().drift_energy[1] < monitor.dataset().drift_energy[0])
    (2, True)
    """

    target: object
    kernel: object
    every: int | None = None
    share: float = 0.05
    size: int = 500
    seed: int = 0
    on_measure: Callable | None = None
    _rows: list = field(default_factory=list, init=False, repr=False)
    _spent: float = field(default=0.0, init=False, repr=False)
    _since: float | None = field(default=None, init=False, repr=False)
    _empty: object = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        from unifiedscore.diagnosis.remarks import refuse_degenerate
        from unifiedscore.measures import Samples
        from unifiedscore.posterior.moments import as_posterior_measure

        self.every = None if self.every is None else integer(self.every, "every", low=1)
        self.size, self.seed = integer(self.size, "size", low=LEAST), integer(self.seed, "seed", low=0)
        self.share = positive(self.share, "share")
        if self.share >= 1:
            raise InputError(f"share must be below 1; got {self.share!r}")
        if self.on_measure is not None and not callable(self.on_measure):
            raise InputError(f"on_measure must be a function of a step and a data set; got {shown(self.on_measure)}")
        self.target = points(_host(self.target, "target"), "target")
        as_posterior_measure(self.kernel, self.target, "target")
        law = Samples(self.target)
        refuse_degenerate(law, law)

    def __call__(self, step: int, samples) -> xr.Dataset | None:
        """Measure where it is time to; `samples` (n, d) are those of the generator at this step.

        Returns
        -------
        xarray.Dataset or None
            The row of this step, NaN with the attribute `reason` where the samples cannot be diagnosed; None where it
            was not time to measure.
        """
        step = integer(step, "step", low=0)
        if not self._due(step):
            return None
        begun = time.perf_counter()
        row = self._measure(step, _host(samples, "samples", self.target.shape[1]))
        self._rows.append(row)
        self._spent += time.perf_counter() - begun
        if self.on_measure is not None:
            self.on_measure(step, row)
        return row

    def dataset(self) -> xr.Dataset:
        """Everything measured so far, along `step`; the attribute `reasons` says why steps hold NaN, one a line.

        Raises
        ------
        InputError
            Nothing was measured yet.
        """
        import xarray as xr

        if not self._rows:
            raise InputError("step: nothing was measured yet; call the monitor in the training loop first")
        found = xr.concat(self._rows, "step", combine_attrs="override")
        found.attrs.pop("reason", None)
        reasons = [f"step {int(row.step[0])}: {row.attrs['reason']}" for row in self._rows if "reason" in row.attrs]
        return found.assign_attrs(reasons="\n".join(reasons)) if reasons else found

    def _due(self, step: int) -> bool:
        if self.every is not None:
            return step % self.every == 0
        if self._since is None:
            self._since = time.perf_counter()
            return True
        return self._spent < self.share * (time.perf_counter() - self._since)

    def _measure(self, step: int, samples: np.ndarray) -> xr.Dataset:
        rng = np.random.default_rng([self.seed, step])
        laws = [points[rng.permutation(len(points))[: self.size]] for points in (self.target, samples)]
        lost = int((~(np.abs(samples) < _LARGEST).all(axis=1)).sum())
        if lost:
            reason = f"{lost} of {len(samples)} samples are not finite, or beyond {_LARGEST:g}, where squares overflow"
            return self._without_value(step, reason)
        try:
            return self._row(step, *laws)
        except (InputError, NumericalError) as error:
            # Target and kernel were checked before: it is the samples that have no diagnosis.
            return self._without_value(step, str(error), self._energy(*laws))

    def _row(self, step: int, target: np.ndarray, samples: np.ndarray) -> xr.Dataset:
        from unifiedscore.diagnosis import diagnose

        found = diagnose(target, samples, kernel=self.kernel, seed=self.seed, max_queries=100)
        row = found[list(KEPT)].isel(bandwidth=0).drop_vars("component", errors="ignore")
        return row.expand_dims("step").assign_coords(step=_steps(step)).assign_attrs(
            title="Drift along training", kernel=found.attrs["kernel"], dimension=found.attrs["dimension"],
            level=found.attrs["level"],
        )  # fmt: skip

    def _energy(self, target: np.ndarray, samples: np.ndarray) -> float:
        """Energy of the drift at samples that are one point, where the mean shift of the model is 0; NaN of others."""
        from unifiedscore.posterior import posterior_field

        if not (samples == samples[0]).all():
            return np.nan
        return float(np.sum(posterior_field(self.kernel, target, samples[:1], "mean_shift") ** 2))

    def _without_value(self, step: int, reason: str, energy: float = np.nan) -> xr.Dataset:
        """A row of NaN with its reason, of the variables that other rows have."""
        import xarray as xr

        if self._empty is None:
            law = self.target[: self.size]
            row = xr.full_like(self._row(0, law, law), np.nan)
            row.attrs = {name: row.attrs[name] for name in ("title", "kernel", "dimension", "level")}
            self._empty = row
        row = self._empty.copy(deep=True).assign_coords(step=_steps(step)).assign_attrs(reason=reason)
        row["drift_energy"][:] = energy
        return row


def _steps(step: int) -> tuple:
    return ("step", [step], {"long_name": "Step of training", "units": "1"})


def _host(value, name: str, dimension: int | None = None) -> np.ndarray:
    """Points as a float64 array on the host, without a graph, finite or not."""
    tensor = value if isinstance(value, torch.Tensor) else torch.from_numpy(array(value, name))
    tensor = tensor_points(tensor, name, dimension=dimension, finite=False).detach()
    found = tensor.to("cpu").double().numpy()
    if len(found) < LEAST:
        raise InputError(f"{name} must hold at least {LEAST} samples, which are cut into folds; got {len(found)}")
    return found
