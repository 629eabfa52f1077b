"""What a sum of kernels is made of: its name in words, and how much of the normaliser each member has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore.diagnosis.data import Data
from unifiedscore.kernels import AbstractKernel, KernelSum
from unifiedscore.posterior import posterior_vectors

if TYPE_CHECKING:
    import xarray as xr

SHARE = {
    "long_name": "Share of the normaliser that a member of the sum has, mean over the queries",
    "units": "1",
    "symbol": "w_i Z_i/Z",
}


def kernel_text(kernels: Sequence[AbstractKernel], name: str) -> str:
    """The kernel in words: its name, or "sum of laplace at 0.1, 0.5" where it is a sum of several."""
    if not isinstance(kernels[0], KernelSum):
        return name
    members = kernels[0].kernels
    names = list(dict.fromkeys(member.name for member in members))
    if len(kernels) > 1:
        return f"sum of {len(members)} kernels ({', '.join(names)}), scaled together"
    if len(names) == 1:
        # Of a name such as "matern:1.5" the part that the kernel itself does not say.
        family = name if name.partition(":")[0] == names[0] else names[0]
        return f"sum of {family} at {_bandwidths(members)}"
    return f"sum of {', '.join(f'{member.name} at {member.bandwidth:.3g}' for member in members)}"


def bandwidth_text(kernels: Sequence[AbstractKernel], name: str) -> str:
    """What the coordinate `bandwidth` is."""
    if isinstance(kernels[0], KernelSum):
        return f"Geometric mean of the bandwidths of the {name}"
    return f"Bandwidth of the {name} kernel"


def _bandwidths(members) -> str:
    return ", ".join(f"{member.bandwidth:.3g}" for member in members)


def with_members(dataset: xr.Dataset, kernels: Sequence[AbstractKernel], data: Data) -> xr.Dataset:
    """Add bandwidth, weight and share of every member, where the kernels are sums; else the data set as it is."""
    if not isinstance(kernels[0], KernelSum):
        return dataset
    bandwidths = np.array([[member.bandwidth for member in kernel.kernels] for kernel in kernels])
    dataset = dataset.assign(
        member_bandwidth=(("bandwidth", "member"), bandwidths, {"long_name": "Bandwidth of a member", "units": "data"}),
        member_weight=("member", np.array(kernels[0].weights), {"long_name": "Weight of a member", "units": "1"}),
        member_share=(("bandwidth", "member", "law"), np.array([_shares(k, data) for k in kernels]), SHARE),
    )
    dataset = dataset.assign_coords(member=[member.name for member in kernels[0].kernels])
    return dataset.assign_attrs(member_bandwidths=bandwidths[0]) if len(kernels) == 1 else dataset


def _shares(kernel: KernelSum, data: Data) -> np.ndarray:
    """Mean of w_i Z_i / Z over the queries, (member, law)."""
    logs = (
        np.array(
            [
                [
                    posterior_vectors(member, law.samples, data.queries, exclude=law.exclude).log_normalizer
                    for law in (data.target, data.model)
                ]
                for member in kernel.kernels
            ]
        )
        + np.log(kernel.weights)[:, None, None]
    )
    shares = np.exp(logs - logs.max(axis=0))
    return (shares / shares.sum(axis=0)) @ data.query_weights
