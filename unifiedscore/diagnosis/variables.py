"""Names, units and symbols of everything a diagnosis reports."""

from __future__ import annotations

LAWS = ("target", "model")

# name: (long name, units, symbol). "data" is the unit of the coordinates.
BANDWIDTH = {
    "cross_fitted_cosine": ("Cosine of drift and score difference, free of noise (cross-fitted)", "1", "gcos"),
    "split_sample_cosine": ("Cosine of drift and score difference from different folds, attenuated by noise", "1", ""),
    "same_sample_cosine": ("Cosine of drift and score difference from one fold, which share their noise", "1", ""),
    "whole_sample_cosine": ("Cosine of drift and score difference from all samples, which share their noise", "1", ""),
    "preconditioner_ratio": ("Mean ratio of the preconditioners, target over model", "1", "alpha_p/alpha_q"),
    "preconditioner_share": ("Preconditioner gap, root mean square relative to the drift", "1", ""),
    "residual_share": (
        "Gap of the covariance residuals, root mean square relative to the drift",
        "1",
        "|delta_p - delta_q|/|Delta|",
    ),
    "curl_share": ("Antisymmetric share of the squared Jacobian of the drift", "1", "|A|^2/|J|^2"),
    "jacobian_size": (
        "Change of the drift over one effective bandwidth in a random direction, relative to the drift",
        "1",
        "h |J|/(sqrt(d) |Delta|)",
    ),
    "best_scale": ("Least-squares scale of the score difference", "data^2", "C*"),
    "scale_ratio": ("Least-squares scale over the mean preconditioner", "1", "C*/C_post"),
    "relative_error": ("Relative squared error at the mean preconditioner", "1", "rel"),
    "best_relative_error": ("Relative squared error at the best scale, all samples", "1", "rel*"),
    "effective_bandwidth": ("Bandwidth of the Gaussian that acts like the kernel", "data", "h = sqrt(E alpha)"),
    "bandwidth_over_std": (
        "Effective bandwidth over the largest principal standard deviation",
        "1",
        "h/sigma_1",
    ),
    "smoothed_share": ("Share of the variance in directions narrower than the effective bandwidth", "1", ""),
    "matched_gaussian_error": ("Relative squared distance to the drift of the matched Gaussian kernel", "1", ""),
    "mean_difference_share": (
        "Share of the drift energy explained by a multiple of the mean difference alone",
        "1",
        "",
    ),
    "varying_share": ("Share of the drift energy that is not the mean drift over the queries", "1", ""),
    "drift_energy": ("Mean squared drift, all samples", "data^2", "E|Delta|^2"),
    "noise_energy": ("Mean squared sampling noise of the drift, all samples", "data^2", ""),
    "noise_share": ("Sampling noise as a share of the drift energy, all samples", "1", ""),
    "relative_bandwidth": ("Bandwidth over the mean distance", "1", "tau/rho"),
}
FIELD = {
    "field_score_share": ("Share of the given field along the score difference", "1", ""),
    "field_preconditioner_share": ("What varying and unequal preconditioners explain beyond it", "1", ""),
    "field_residual_share": ("What the gap of the covariance residuals explains beyond both", "1", ""),
    "field_unexplained_share": ("Share of the given field that none of the parts explains", "1", ""),
    "field_score_scale": ("Least-squares scale of the score difference in the given field", "", "C*"),
    "field_drift_cosine": ("Cosine of the given field and the drift of this kernel", "1", ""),
    "field_chance_cosine": ("Standard deviation of that cosine for an unrelated field of these sizes", "1", ""),
    "field_drift_scale": ("Least-squares scale of the drift in the given field", "", ""),
    "field_joint_scale": ("Scale of this drift where those of all bandwidths are fitted together", "", ""),
    "field_curl_indication": ("Antisymmetric share of the best linear fit to the given field", "1", ""),
    "score_curl_indication": ("The same for the score difference, a gradient: what no curl looks like here", "1", ""),
}
TOGETHER = {
    "field_joint_unexplained_share": (
        "Share of the given field that all drifts together do not explain",
        "1",
        "",
    ),
}
LAW_BANDWIDTH = {"effective_samples": ("Median effective samples of a query", "1", "ESS")}
LAW = {
    "squared_norm": ("Mean squared norm about the midpoint of the means", "data^2", "R0^2"),
    "kappa": ("Dimension times the normalised squared inner product of two samples", "1", "kappa"),
    "norm_spread": ("Dimension times the squared relative spread of squared norms", "1", "varsigma^2"),
    "samples": ("Samples used", "1", "n"),
}
SCALAR = {
    "mean_distance": ("Mean distance of a query and a target sample", "data", "rho"),
    "norm_ratio": ("Ratio of mean squared norms, target over model", "1", "R0_p^2/R0_q^2"),
    "total_std": ("Square root of the total variance within the two laws", "data", ""),
    "mean_distance_of_means": ("Distance between the two means", "data", "|m_p - m_q|"),
}
COSINES = ("cross_fitted", "split_sample", "same_sample")
