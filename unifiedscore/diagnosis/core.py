"""`us.diagnose`: from two samples to a labelled data set with advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unifiedscore import validate
from unifiedscore.diagnosis import scales, variables
from unifiedscore.diagnosis.advice import advise
from unifiedscore.diagnosis.data import Data, noted, prepare, within_reach
from unifiedscore.diagnosis.measurement import fit_together, measure
from unifiedscore.diagnosis.members import bandwidth_text, kernel_text, with_members
from unifiedscore.diagnosis.remarks import dominant_column, same_samples
from unifiedscore.errors import visible
from unifiedscore.kernels import AbstractKernel, KernelSum

if TYPE_CHECKING:
    import xarray as xr

LEVEL = 0.99


def diagnose(
    target,
    model,
    kernel="laplace",
    bandwidths=None,
    *,
    queries=None,
    field=None,
    relative: bool = False,
    combine: bool = False,
    seed: int = 0,
    max_samples: int = 10_000,
    max_queries: int = 400,
    folds: int = 10,
) -> xr.Dataset:
    r"""Measure how far the drift $\Delta = V_p - V_q$ of two samples is from their score difference, and why.

    Use when you have samples of a target and of a model and ask whether their drift acts like a score.

    Exactly $\Delta = \bar\alpha\,\Delta s + (\alpha_p - \alpha_q)\frac{s_p + s_q}2 + (\delta_p - \delta_q)$: a score
    difference, a preconditioner gap and a residual gap. The data set holds their sizes, the alignment with and
    without sampling noise, what the kernel sees of the data, and two or three sentences of advice.

    Parameters
    ----------
    target, model : (n, d) array or Samples
        Independent draws from the data law p and the generator law q, at least 12 each.
    kernel : str or AbstractKernel
        "laplace", "gaussian", "matern:1.5", ...; or a kernel, whose own bandwidth is then the default. Of a compact
        kernel the held-out queries without a sample within its support, in some fold, are dropped with a note.
    bandwidths : float or sequence of floats, optional
        In the units of the data, or (`relative`) of the mean distance. By default three: those at which a near sample
        (5 % quantile of the distances) weighs $e^4$, $e$ and $e^{1/4}$ times a typical one (median), a selective, a
        soft and a flat kernel; with `relative` 0.02, 0.05 and 0.2 as in Deng et al.
    queries : (n, d) array, optional
        Where the fields are compared; by default up to `max_queries` model points, held out of the model's sample.
        Queries that equal a sample leave it out (leave-one-out).
    field : (n, d) array, field or function, optional
        Your own field, to be decomposed into the parts above and a rest: its values at `queries`, or what gives them.
    relative : bool
        Bandwidths are multiples of the mean distance between queries and target samples.
    combine : bool
        The bandwidths are those of one kernel, the unweighted `KernelSum`, instead of being looked at one after
        another; its `bandwidth` is their geometric mean, and `member_share` says how much of the normaliser each has.
    seed : int
        Of the subsample, the held-out queries and the folds. The same seed gives the same numbers.
    max_samples, max_queries : int
        Above these a random subset is taken, and the notes say so.
    folds : int
        Disjoint parts of the data for the intervals, at least 3; fewer where a fold would hold less than 40 samples.

    Returns
    -------
    xarray.Dataset
        Along `bandwidth` (in the units of the data), `law` (target, model) and `component` (principal axes); every
        variable with `long_name`, `units` and `symbol`; attributes `advice` and `notes` (text to print, one
        sentence a line) and `level`. Of a `KernelSum` also along `member`: its bandwidths and shares.

    Raises
    ------
    InputError
        Too few samples, dimensions that differ, non-finite values, unknown kernels, bandwidths that are not positive.
    NumericalError
        A compact kernel reaches no sample from some of the given queries, or from most of those held out.

    Notes
    -----
    Random splits of one data set are not independent, and a Student interval over them would be far too short. Here
    the data are cut once into *disjoint* folds; a fold gives one independent pair of fields, products of different
    folds give the cross-fitted cosine, and the interval adds the jackknife variances over folds and over queries. All
    three cosines with intervals are of fold-sized fields; `whole_sample_cosine` and the rest use all samples. Rows are
    taken to be independent: overlapping patches or the frames of one film are not, and their intervals are too short.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770; Lai et al. 2026, arXiv 2603.07514, Theorem 1 and Figure 6.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> rng = np.random.default_rng(0)
    >>> found = us.diagnose(rng.normal(1, 1, (500, 4)), rng.normal(0, 1, (500, 4)), kernel="gaussian", bandwidths=2.0)
    >>> round(float(found.whole_sample_cosine[0]), 12)
    1.0
    """
    seed = validate.integer(seed, "seed", low=0)
    limits = {"max_samples": validate.integer(max_samples, "max_samples", low=50)}
    limits |= {"max_queries": validate.integer(max_queries, "max_queries", low=10)}
    limits |= {"folds": validate.integer(folds, "folds", low=3)}
    split, distance, spread, curl = np.random.default_rng(seed).spawn(4)
    data = prepare(target, model, queries=queries, field=field, rng=split, **limits)
    law = data.target.samples
    distances = scales.measure_distances(data.queries, law.points, law.weights, distance)
    kernels = scales.make_kernels(kernel, bandwidths, distances, law.dimension, relative=bool(relative))
    if isinstance(kernel, AbstractKernel) and [k.bandwidth for k in kernels] != [kernel.bandwidth]:
        data = noted(data, f"bandwidths: those asked for replace the kernel's own, {kernel.bandwidth:.4g}")
    kernels = [KernelSum(kernels)] if combine else kernels
    data = within_reach(data, kernels)
    rows = [measure(k, data, level=LEVEL, rng=curl) for k in kernels]
    if data.field is not None:
        scales_together, unexplained = fit_together(data, [row.pop("drift") for row in rows])
        for row, scale in zip(rows, scales_together, strict=True):
            row |= {"field_joint_scale": scale, "field_joint_unexplained_share": unexplained}
    name = kernel_text(kernels, kernel if isinstance(kernel, str) else kernel.name)
    return _assemble(data, kernels, rows, distances, spread, name=name, combine=bool(combine), seed=seed)


def _assemble(data: Data, kernels, rows, distances, rng, *, name: str, combine: bool, seed: int) -> xr.Dataset:
    import xarray as xr

    from unifiedscore import __version__

    laws = data.target.samples, data.model.samples
    means = [law.mean for law in laws]
    origin = (means[0] + means[1]) / 2
    spreads = [scales.measure_spread(law.points, law.weights, origin, rng) for law in laws]
    leading, total, eigenvalues = scales.principal_variances(*laws, rng)
    for row, kernel in zip(rows, kernels, strict=True):
        h = row["effective_bandwidth"]
        row["bandwidth_over_std"] = h / np.sqrt(leading[0]) if leading[0] > 0 else np.inf
        row["smoothed_share"] = float(eigenvalues[eigenvalues < h**2].sum() / total) if total > 0 else np.nan
        row["relative_bandwidth"] = kernel.bandwidth / distances.mean
    column = lambda key: np.array([row[key] for row in rows])  # noqa: E731
    described = variables.BANDWIDTH | (variables.FIELD if data.field is not None else {})
    content = {key: ("bandwidth", column(key), _text(entry)) for key, entry in described.items()}
    for key in variables.COSINES:
        long_name, *_ = variables.BANDWIDTH[f"{key}_cosine"]
        for end in ("low", "high"):
            text = {"long_name": f"{long_name}: {end} end of its interval", "units": "1", "level": LEVEL}
            content[f"{key}_cosine_{end}"] = ("bandwidth", column(f"{key}_cosine_{end}"), text)
        text = {"long_name": f"{long_name}: why a number is missing"}
        content[f"{key}_reason"] = ("bandwidth", column(f"{key}_reason").astype(object), text)
    for key, entry in variables.LAW_BANDWIDTH.items():
        content[key] = (("bandwidth", "law"), column(key), _text(entry))
    sizes = np.array([law.size for law in laws])
    for key, entry in variables.LAW.items():
        values = sizes if key == "samples" else np.array([getattr(spread, key) for spread in spreads])
        content[key] = ("law", values, _text(entry))
    norms = [spread.squared_norm for spread in spreads]
    scalars = {
        "mean_distance": distances.mean,
        "norm_ratio": norms[0] / norms[1] if norms[1] > 0 else np.inf,
        "total_std": np.sqrt(total),
        "mean_distance_of_means": float(np.linalg.norm(means[0] - means[1])),
    }
    content |= {key: ((), value, _text(variables.SCALAR[key])) for key, value in scalars.items()}
    if data.field is not None:
        together = "field_joint_unexplained_share"
        content[together] = ((), rows[0][together], _text(variables.TOGETHER[together]))
    stds = {"long_name": "Standard deviations along the principal axes within the two laws", "units": "data"}
    content["principal_std"] = ("component", np.sqrt(leading), stds)
    hidden = [2 if row["drift_energy"] == 0 else int(np.isnan(row["cross_fitted_cosine"])) for row in rows]
    hidden = np.array(hidden, dtype=np.int8)
    meanings = "ok noise_hides_the_fields drift_is_zero"
    flags = {"flag_values": np.array([0, 1, 2], dtype=np.int8), "flag_meanings": meanings}
    content["status"] = ("bandwidth", hidden, {"long_name": "Status of the cross-fitted cosine", **flags})
    dataset = xr.Dataset(
        content,
        coords={
            "bandwidth": (
                "bandwidth",
                [k.bandwidth for k in kernels],
                {"long_name": bandwidth_text(kernels, name), "units": "data", "symbol": "tau"},
            ),
            "law": list(variables.LAWS),
            "component": np.arange(1, len(leading) + 1),
        },
        attrs={
            "title": "Drift against score difference on samples",
            "kernel": name,
            "dimension": laws[0].dimension,
            "queries": len(data.queries),
            "held_out": data.held_out,
            "combine": int(combine),
            "folds": len(data.target.folds),
            "level": LEVEL,
            "seed": seed,
            "notes": "\n".join(map(visible, data.notes)),
            "source": f"unifiedscore {__version__}",
            "references": "Deng et al. 2026, arXiv 2602.04770; Lai et al. 2026, arXiv 2603.07514",
        },
    )
    dataset = with_members(dataset, kernels, data)
    sentences = advise(dataset, dominant=dominant_column(*laws), same=same_samples(*laws))
    return dataset.assign_attrs(advice="\n".join(sentences))


def _text(entry) -> dict[str, str]:
    return dict(zip(("long_name", "units", "symbol"), entry, strict=True))
