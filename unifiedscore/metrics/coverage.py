"""Novelty and coverage: how far samples are from the training set, how many repeat it, how much of a law they reach."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures.distances import common_frame, nearest_neighbours


def nearest_training_distance(samples, training) -> np.ndarray:
    """Distance of every sample to its nearest training point, (n,), in the units of the data.

    Use when you ask how far from the training data each sample lies.

    Examples
    --------
    >>> nearest_training_distance([[0.0], [0.9]], [[0.0], [1.0]]).round(12)
    array([0. , 0.1])
    """
    training = validate.points(training, "training")
    samples = validate.points(samples, "samples", dimension=training.shape[1])
    return nearest_neighbours(training, samples, 1)[0][:, 0]


def duplicate_rate(samples, training, *, tolerance: float) -> float:
    """Share of samples within `tolerance` (in the units of the data) of a training point.

    Use when you ask how many samples merely repeat the training data.

    Examples
    --------
    >>> duplicate_rate([[0.0], [0.5]], [[0.0], [1.0]], tolerance=1e-6)
    0.5
    """
    tolerance = validate.positive(tolerance, "tolerance", allow_zero=True)
    return float((nearest_training_distance(samples, training) <= tolerance).mean())


def recall(samples, reference, *, k: int = 3) -> float:
    """Share of reference points within the k-th neighbour distance of some sample: how much of a law is reached.

    Use when modes are not known and you ask how much of a law the samples reach.

    Repeated samples are each other's neighbours at distance zero and reach less than single ones.

    Parameters
    ----------
    samples, reference : (n, d), (m, d) arrays
        Compare only values with the same n, k and reference.
    k : int
        Neighbours, not counting the sample itself; n > k.

    References
    ----------
    Kynkaanniemi et al. 2019, arXiv 1904.06991, eq. 2.

    Examples
    --------
    >>> recall([[0.0], [1.0], [2.0]], [[0.5], [9.0]], k=1)
    0.5
    """
    samples = validate.points(samples, "samples")
    reference = validate.points(reference, "reference", dimension=samples.shape[1])
    k = validate.integer(k, "k")
    if len(samples) <= k:
        raise InputError(f"recall with k = {k} needs more than {k} samples; got {len(samples)}")
    from unifiedscore.measures.distance_loops import reached

    (samples, reference), _ = common_frame(samples, reference)
    radius = nearest_neighbours(samples, samples, k + 1)[0][:, -1]
    return float(reached(reference, samples, radius).mean())


def mode_coverage(samples, reference, modes) -> float:
    r"""Return $\sum_m \min(\hat\pi_m, \pi_m)$: how much of the mass of every mode of a law the samples hold.

    Use when the modes are known and you ask whether the samples hold each in the right share.

    One minus the total variation between the shares of the modes; a sample belongs to the mode of its nearest
    reference point. 1 for the right shares, 1/k where one of k equal modes holds everything.

    Parameters
    ----------
    samples, reference : (n, d), (m, d) arrays
    modes : (m,) array of int
        Mode of every reference point, from 0.

    Examples
    --------
    >>> mode_coverage([[0.1], [0.2], [9.0]], [[0.0], [10.0]], [0, 1]).__round__(6)
    0.833333
    """
    reference = validate.points(reference, "reference")
    samples = validate.points(samples, "samples", dimension=reference.shape[1])
    modes = validate.integer_array(modes, "modes", (len(reference),))
    if modes.min() < 0:
        raise InputError(
            f"modes must hold a number from 0 for each of {len(reference)} points; got {validate.shown(modes)}"
        )
    found = modes[nearest_neighbours(reference, samples, 1)[1][:, 0]]
    shares = [np.bincount(labels, minlength=modes.max() + 1) / len(labels) for labels in (found, modes)]
    return float(np.minimum(*shares).sum())
