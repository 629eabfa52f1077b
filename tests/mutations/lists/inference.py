"""Mistakes in inference: intervals, estimands, the refit and the tail of a series, the rule of decision."""

from tests.mutations.mutation import Mutation

PLANTED = "studies/calibration/study_planted.py"
TESTS = "studies/calibration/study_tests.py"
ESTIMAND = "studies/calibration/study_estimand.py"
MEANS = "studies/calibration/study_rates_of_means.py"
ESTIMATES = "inference/test_estimates.py::test_"
TAIL = "inference/test_tail.py::test_"

MUTATIONS = (
    Mutation(
        "inference/estimates.py",
        "deviation = float(values.std(ddof=1))",
        "deviation = float(values.std())",
        "the standard deviation divides by n instead of n - 1",
        studies=(PLANTED, ESTIMAND),
        tests=(ESTIMATES + "the_interval_is_that_of_scipy",),
    ),
    Mutation(
        "inference/estimates.py",
        "half = t_quantile(level, count - 1) * deviation / math.sqrt(count)",
        "half = t_quantile(level, count - 1) * deviation",
        "the interval is that of one replicate, not of their mean",
        studies=(PLANTED, ESTIMAND),
        tests=(ESTIMATES + "the_interval_is_that_of_scipy",),
    ),
    Mutation(
        "inference/estimates.py",
        "return -float(stdtrit(degrees, (1 - level) / 2))",
        "return -float(stdtrit(degrees, 1 - level))",
        "both tails are put on one side",
        studies=(PLANTED, ESTIMAND, TESTS),
        tests=(ESTIMATES + "the_interval_is_that_of_scipy",),
    ),
    Mutation(
        "inference/estimates.py",
        "return t + (2 * t**2 + 1) / 6 * relative if",
        "return t - (2 * t**2 + 1) / 6 * relative if",
        "the longer tail has the shorter side of the interval",
        studies=(PLANTED, ESTIMAND),
        tests=("inference/test_mean.py",),
    ),
    Mutation(
        "inference/mean.py",
        "    if skewness > 0:\n        return replace(plain, high",
        "    if skewness < 0:\n        return replace(plain, high",
        "the interval is stretched on the side without a tail",
        studies=(PLANTED, ESTIMAND),
        tests=("inference/test_mean.py",),
    ),
    Mutation(
        "inference/estimand.py",
        "return np.log(mean) + (exponents - exponents.max()) * math.log(2) - (count - 1) * np.log1p(without)",
        "return np.log(mean) + (exponents - exponents.max()) * math.log(2) - count * np.log1p(without)",
        "the jackknife leaves out n of n - 1",
        studies=(MEANS, TESTS),
        tests=("inference/test_estimand.py::test_pseudo_values_are_those_of_the_jackknife",),
    ),
    Mutation(
        "inference/inside.py",
        'return Estimate(worst, float((values - errors).min()), float((values + errors).max()), "numerical")',
        'return Estimate(worst, float(values.min()), float(values.max()), "numerical")',
        "the numerical error is ignored",
        studies=(PLANTED,),
        tests=("inference/test_inside.py::test_numerical_errors_make_the_interval",),
    ),
    Mutation(
        "inference/proportion.py",
        "low = float(betaincinv(events, trials - events + 1, tail)) if events else 0.0",
        "low = float(betaincinv(events + 1, trials - events, tail)) if 0 < events < trials else 0.0",
        "the lower end of the exact interval counts one event too many",
        studies=(PLANTED, TESTS),
        tests=("inference/test_proportion.py::test_the_ends_leave_half_of_the_error_in_each_binomial_tail",),
    ),
    Mutation(
        "inference/identity.py",
        "worst = float((residual / scale / _EPS).max())",
        "worst = float((residual / scale / _EPS).mean())",
        "the mean residual decides instead of the worst",
        studies=(PLANTED,),
        tests=("inference/test_identity.py::test_the_worst_residual_relative_to_its_own_scale_decides",),
    ),
    Mutation(
        "inference/replicates.py",
        "whole, refit = mean_interval(found.whole, level), mean_interval(found.refit, level)",
        "whole, refit = mean_interval(found.whole, level), mean_interval(found.whole, level)",
        "a rate over seeds is not fitted again without the first third",
        studies=(PLANTED, MEANS),
        tests=("inference/test_rate.py::test_the_refit_counts_where_all_x_together_show_neither_slope_nor_bend",),
    ),
    Mutation(
        "inference/series.py",
        'order = np.argsort(-x if reverse else x, kind="stable")',
        'order = np.argsort(x, kind="stable")',
        "a limit at zero is sought at infinity",
        studies=(PLANTED,),
        tests=("inference/test_limit.py::test_a_negative_order_extrapolates_towards_zero",),
    ),
    Mutation(
        "inference/series.py",
        "u = u - u.mean()\n    return u @ values / (u @ u)",
        "u = u - u[0]\n    return u @ values / (u @ u)",
        "the slope of the local statistics is not taken about their mean",
        studies=(TESTS, MEANS),
        tests=("inference/test_rate.py", TAIL + "seeds_do_not_hide_a_logarithmic_correction"),
    ),
    Mutation(
        "inference/limit.py",
        "half = float(np.abs(np.diff(local))[-2:].max() + local_noise[-1])",
        "half = float(np.abs(np.diff(local))[-1] + local_noise[-1])",
        "a limit is as uncertain as its last change alone",
        studies=(PLANTED,),
        tests=("inference/test_limit.py::test_a_limit_that_moved_in_its_last_step_but_one_is_as_uncertain_as_that",),
    ),
    Mutation(
        "inference/tail.py",
        "return geometric / (1 - s)",
        "return geometric * (1 - s)",
        "the tail of a slow correction is shortened instead of stretched",
        studies=(TESTS,),
        tests=(TAIL + "the_tail_of_a_logarithmic_correction_covers_its_limit_and_is_not_settled",),
    ),
    Mutation(
        "inference/rate.py",
        "local_noise = (noise[1:] + noise[:-1]) / steps",
        "local_noise = (noise[1:] - noise[:-1]) / steps",
        "errors of neighbours cancel in their slope",
        studies=(PLANTED, TESTS),
        tests=("inference/test_rate.py::test_stored_errors_propagate_into_the_slope",),
    ),
    Mutation(
        "inference/verdict.py",
        "    if estimate.high < low or estimate.low > high:",
        "    if estimate.value < low or estimate.value > high:",
        "a value outside the region refutes, whatever its interval",
        studies=(PLANTED,),
        tests=(ESTIMATES + "inside_supports_disjoint_refutes_else_inconclusive",),
    ),
    Mutation(
        "inference/verdict.py",
        "if self.outcome != self.expected or not self.sharpness_as_expected:\n            return False\n"
        "        if self.control_outcome is None:\n"
        '            return self.expected not in ("supported", "survived")\n'
        '        return self.control_outcome == "refuted"',
        "return self.outcome == self.expected",
        "a verdict is as expected whatever became of its control",
        studies=("studies/calibration/study_books.py",),
        tests=("inference/test_verdict.py::test_as_expected_over_every_outcome_expectation_and_control",),
    ),
)
