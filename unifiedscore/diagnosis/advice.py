"""Two or three sentences: what the numbers mean for the user, the most urgent first."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

MOST = 3
FEW_SAMPLES = 3.0
NOISY = 0.5
TOLERABLE = 0.1
MEAN_ALONE = 0.9
BROAD, SIZEABLE = 2.0, 0.5
ALIGNED = 0.95
NORMS = (0.9, 1.1)
PRECONDITIONERS = 0.05
CONCENTRATED = 10.0
UNRELATED = 0.01


def advise(dataset, *, dominant: str = "", same: bool = False) -> list[str]:
    """Return at most three sentences, chosen by fixed thresholds from the numbers.

    One more on a given field, and one on a column that dominates. `same`: both laws are the same samples.
    """
    value = {name: dataset[name].values for name in dataset.data_vars}
    tau = dataset["bandwidth"].values
    zero = value["drift_energy"] == 0
    if zero.all():
        return [_zero("field_score_share" in value, same)]
    few = ~zero & (value["effective_samples"].min(1) < FEW_SAMPLES)
    hidden = ~zero & np.isnan(value["cross_fitted_cosine"])
    noisy = ~few & (hidden | (value["noise_share"] > NOISY))
    alone = ~few & ~noisy & (value["mean_difference_share"] > MEAN_ALONE)
    # A kernel that sees the means and nothing else is wide and averages over much of the samples. A narrower one that
    # finds the same vector everywhere says something about the laws.
    seen = (value["effective_samples"] / value["samples"]).min(1)
    flat = alone & (value["bandwidth_over_std"] > BROAD) & (seen > SIZEABLE)
    found = [
        dominant,
        _field(dataset, value, tau) if "field_score_share" in value else "",
        _few(value, tau, few),
        _noisy(value, tau, noisy, hidden),
        _gaussian(dataset),
        _flat(value, tau, flat),
        _shifted(value, tau, alone & ~flat),
        _norms(value),
        _alignment(value, tau, ~zero & ~few & ~noisy & ~flat) if not _gaussian(dataset) else "",
        _concentration(dataset, value),
    ]
    most = MOST + bool(found[0]) + bool(found[1])
    return [sentence for sentence in found if sentence][:most]


def _zero(field_given: bool, same: bool) -> str:
    reason = "target and model are the same samples" if same else "at these queries the two laws pull alike"
    text = f"The drift is exactly zero at every query, because {reason}: there is nothing to align or to decompose"
    if field_given:
        text += ", and no part of your field is explained by it"
    return f"{text}. Give samples of two laws, drawn separately."


def _few(value, tau, few) -> str:
    if not few.any():
        return ""
    effective = value["effective_samples"].min(1)[few]
    return (
        f"{_at(tau, few)} a query effectively sees {_range(effective)} samples. With a single one the mean shift of "
        "any kernel is a multiple of its score: the same-sample cosines are trivially near 1 there and say nothing "
        "about the laws. Use a larger bandwidth or more samples."
    )


def _noisy(value, tau, noisy, hidden) -> str:
    if not noisy.any():
        return ""
    share, same = np.minimum(value["noise_share"][noisy], 1.0), value["whole_sample_cosine"][noisy]
    text = (
        f"{_at(tau, noisy)} sampling noise makes about {_range(share, percent=True)} of the drift's energy: the "
        f"same-sample cosine ({_range(same)}) cannot be trusted, because both fields share that noise"
    )
    known = noisy & ~hidden
    if known.any():
        text += f"; read the cross-fitted one ({_range(value['cross_fitted_cosine'][known])}) instead"
    if (noisy & hidden).any():
        text += "; where that is inconclusive nothing is known about the direction of the noise-free drift"
    if share.max() < 0.95:
        factor = share.max() / (1 - share.max()) / TOLERABLE
        text += f"; about {factor:.2g} times as many samples would bring the noise below {TOLERABLE:.0%} of the signal"
    return text + "."


def _gaussian(dataset) -> str:
    if dataset.attrs["kernel"] != "gaussian":
        return ""
    return (
        "For a Gaussian kernel the drift is bandwidth^2 times the score difference, exactly and on any samples: "
        "perfect alignment is an identity here, and only the noise and the scales below carry information."
    )


def _flat(value, tau, flat) -> str:
    if not flat.any():
        return ""
    return (
        f"{_at(tau, flat)} a multiple of the difference of the two means explains "
        f"{_range(value['mean_difference_share'][flat], percent=True)} of the drift: the kernel is flat there "
        f"(effective Gaussian bandwidth {_range(value['bandwidth_over_std'][flat])} times the largest standard "
        "deviation of the data) and sees little else; a smaller bandwidth would."
    )


def _shifted(value, tau, shifted) -> str:
    if not shifted.any():
        return ""
    wide = _range(value["bandwidth_over_std"][shifted])
    part = _range(value["mean_difference_share"][shifted], percent=True)
    seen = _range(value["effective_samples"][shifted] / value["samples"], percent=True)
    return (
        f"{_at(tau, shifted)} a multiple of the difference of the two means explains {part} of the drift, although the "
        f"kernel is not flat (effective Gaussian bandwidth {wide} times the largest standard deviation of the data, "
        f"{seen} of the samples effectively seen): as far as it sees, the two laws differ mainly by a shift."
    )


def _norms(value) -> str:
    ratio = float(value["norm_ratio"])
    ratios = value["preconditioner_ratio"]
    if NORMS[0] <= ratio <= NORMS[1] or np.abs(ratios - 1).max() < PRECONDITIONERS:
        return ""
    return (
        f"The mean squared norms differ (ratio {ratio:.3g}), outside the assumptions of the high-dimensional theorems: "
        f"the preconditioners differ too (ratio {_range(ratios)}), so compare with two Gaussian bandwidths, one a law, "
        "rather than with one scale."
    )


def _alignment(value, tau, usable) -> str:
    if not usable.any():
        return ""
    cosine, low = value["cross_fitted_cosine"], value["cross_fitted_cosine_low"]
    good = usable & (np.where(np.isnan(low), cosine, low) >= ALIGNED)
    if good.any():
        return (
            f"{_at(tau, good)} the drift follows the score difference (cross-fitted cosine {_range(cosine[good])}) "
            f"with best scale {_range(value['scale_ratio'][good])} times the mean preconditioner; it is within "
            f"{_range(value['matched_gaussian_error'][good], percent=True)} relative squared error of the drift of a "
            f"Gaussian kernel of bandwidth {_range(value['effective_bandwidth'][good])}."
        )
    channel = np.where(value["preconditioner_share"] > value["residual_share"], "preconditioner", "residual")[usable]
    return (
        f"{_at(tau, usable)} the drift is not established to be a multiple of the score difference (cross-fitted "
        f"cosine {_range(cosine[usable])}); the largest other part is the {' or '.join(sorted(set(channel)))} gap."
    )


def _concentration(dataset, value) -> str:
    kappa = float(np.nanmax(value["kappa"])) if np.isfinite(value["kappa"]).any() else np.nan
    if not kappa > CONCENTRATED:
        return ""
    return (
        f"Inner products do not concentrate like those of {dataset.attrs['dimension']}-dimensional isotropic data "
        f"(kappa {kappa:.3g} instead of 1; the data fill about {dataset.attrs['dimension'] / kappa:.2g} dimensions): "
        "high-dimensional asymptotics need not hold."
    )


def _field(dataset, value, tau) -> str:
    best = int(np.nanargmax(np.abs(value["field_drift_cosine"])))
    at = lambda name: float(value[name][best])  # noqa: E731
    curl, plain = float(value["field_curl_indication"][best]), float(value["score_curl_indication"][best])
    # The best of several bandwidths must stand out as if it were tried alone.
    limit = NormalDist().inv_cdf(1 - UNRELATED / (2 * len(tau)))
    if not (np.abs(value["field_drift_cosine"]) > limit * value["field_chance_cosine"]).any():
        return (
            f"Your field cannot be told from one that is unrelated to the drift of this kernel: its cosine is at most "
            f"{abs(at('field_drift_cosine')):.3g} in size (bandwidth {tau[best]:.3g}), and "
            f"{dataset.attrs['queries']} queries give unrelated fields up to {limit * at('field_chance_cosine'):.3g}."
        )
    text = (
        f"Your field is closest to the drift of this kernel at bandwidth {tau[best]:.3g} (cosine "
        f"{at('field_drift_cosine'):.3g}, scale {at('field_drift_scale'):.3g}): the score difference explains "
        f"{at('field_score_share'):.1%} of its energy, unequal preconditioners {at('field_preconditioner_share'):.1%}, "
        f"the residual gap {at('field_residual_share'):.1%}, and {at('field_unexplained_share'):.1%} stays unexplained"
    )
    if len(tau) > 1:
        left, scales = float(value["field_joint_unexplained_share"]), value["field_joint_scale"]
        text += (
            f"; the drifts of all {len(tau)} bandwidths fitted together leave {left:.1%} unexplained "
            f"(scales {_list(f'{scale:.3g}' for scale in scales)})"
        )
    if np.isfinite(curl):
        text += f"; a linear fit to it has {curl:.1%} curl, against {plain:.1%} for the score difference, a gradient"
    return text + "."


def _at(tau, chosen) -> str:
    if chosen.all() and len(tau) > 1:
        return "At every bandwidth"
    return f"At bandwidth {_list(f'{t:.3g}' for t in tau[chosen])}"


def _list(items) -> str:
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _range(values, *, percent: bool = False) -> str:
    values = np.asarray(values)[np.isfinite(values)]
    if not values.size:
        return "unknown"
    show = _percent if percent else "{:.3g}".format
    low, high = show(float(values.min())), show(float(values.max()))
    return low if low == high else f"{low} to {high}"


def _percent(value: float) -> str:
    return f"{100 * value:.2g}%" if value < 0.1 else f"{value:.0%}"
