"""Mistakes in what shows, checks, trains and diagnoses: ledger, verify, diagnosis, plotting, testing, train."""

from tests.mutations.mutation import Mutation

BOOKS = "studies/calibration/study_books.py"
PLANTED = "studies/calibration/study_planted.py"
LEDGER = "studies/calibration/study_ledger.py"
GENERATORS = "studies/drift/study_generators.py"
TRAINING = "derivations/drift/derive_stop_gradient.py"
DIAGNOSED = "studies/calibration/study_diagnosis.py"
DIAGNOSE = "diagnosis/test_diagnose.py::test_"
SCALING = "plotting/test_scaling.py::test_"

MUTATIONS = (
    Mutation(
        "ledger/ledger.py",
        "return round(self.monte_carlo_verdicts * (1 - REFUTE_LEVEL), 12)",
        "return round(len(self.verdicts) * (1 - REFUTE_LEVEL), 12)",
        "the bound counts verdicts that are not Monte Carlo",
        studies=(BOOKS,),
        tests=("ledger/test_ledger.py::test_the_family_wise_bound_counts_monte_carlo_verdicts_only",),
    ),
    Mutation(
        "ledger/ledger.py",
        "return 1 if self.stale or not self.verdicts or self.differing else 0",
        "return 1 if self.stale or not self.verdicts else 0",
        "a run with verdicts that differ exits with 0",
        studies=(BOOKS,),
        tests=("ledger/test_ledger.py::test_exit_code_is_zero_only_if_all_is_as_expected_and_every_control_refuted",),
    ),
    Mutation(
        "ledger/ledger.py",
        "kept = tuple(v for v in old.verdicts if v.key not in judged and not part.judges(v))",
        "kept = tuple(v for v in old.verdicts if v.key not in judged)",
        "verdicts on claims that are gone stay in the ledger",
        studies=(BOOKS,),
        tests=("ledger/test_merge.py",),
    ),
    Mutation(
        "ledger/diff.py",
        "return self.outcome, self.expected, self.control_outcome",
        "return self.outcome, self.expected, None",
        "a control that came out otherwise is no change",
        studies=(BOOKS,),
        tests=("ledger/test_ledger.py",),
    ),
    Mutation(
        "ledger/words.py",
        'return f"{float(value):.4g}"',
        'return f"{float(value):.4f}"',
        "numbers have four decimals instead of four digits",
        studies=(BOOKS,),
        tests=("ledger/test_words.py",),
    ),
    Mutation(
        "verify/routine.py",
        "            self.failed_cells.append(FailedCell(found.path.stem, {}, result))",
        "            pass",
        "a derivation that raises is forgotten",
        studies=(BOOKS,),
        tests=("test_cli.py::test_a_derivation_or_figure_that_raises_exits_with_three_and_the_rest_goes_on",),
    ),
    Mutation(
        "verify/routine.py",
        "        self.failed_cells += failed_cells(study.name, dataset)\n\n    def add_searches",
        "        failed_cells(study.name, dataset)\n\n    def add_searches",
        "cells that fail are forgotten",
        studies=(PLANTED,),
        tests=("test_cli.py::test_a_failed_cell_exits_with_three_and_stands_in_the_ledger",),
    ),
    Mutation(
        "verify/proving.py",
        "sequence = np.random.SeedSequence(seed, spawn_key=tuple(int(word) for word in words))",
        "sequence = np.random.SeedSequence(0)",
        "every derivation is tried at the same points, whatever the seed",
        studies=(PLANTED,),
        tests=("verify/test_proving.py",),
    ),
    Mutation(
        "diagnosis/measurement.py",
        "noise = max(cosines.noise_energy, 0.0) / len(data.target.folds)",
        "noise = max(cosines.noise_energy, 0.0)",
        "the noise of a fold is given for that of all samples",
        studies=(DIAGNOSED,),
        tests=(DIAGNOSE + "the_noise_of_equal_laws_is_the_predicted_floor_and_no_cosine_is_claimed",),
    ),
    Mutation(
        "diagnosis/measurement.py",
        "return np.maximum(energy, 0.0) / 2",
        "return np.maximum(energy, 0.0)",
        "the curl is doubled",
        studies=(DIAGNOSED,),
        tests=(DIAGNOSE + "curl_energy_and_share_agree_with_the_exact_jacobian",),
    ),
    Mutation(
        "diagnosis/measurement.py",
        '"effective_bandwidth": np.sqrt(alpha_mean),',
        '"effective_bandwidth": alpha_mean,',
        "the effective bandwidth is its square",
        studies=(DIAGNOSED,),
        tests=(DIAGNOSE + "the_effective_bandwidth_squared_is_the_bandwidth_times_the_posterior_distance",),
    ),
    Mutation(
        "diagnosis/scales.py",
        "across = ((gram**2).sum() - (np.diag(gram) ** 2).sum()) / (count * (count - 1))",
        "across = (gram**2).sum() / count**2",
        "products of a point with itself count in the concentration",
        studies=(DIAGNOSED,),
        tests=(DIAGNOSE + "the_concentration_of_a_small_sample_leaves_out_products_of_a_point_with_itself",),
    ),
    Mutation(
        "plotting/prediction.py",
        "return drawn.median[end] * (x / drawn.x[end]) ** self.exponent",
        "return drawn.median[end] * (drawn.x[end] / x) ** self.exponent",
        "the predicted line has the opposite slope",
        tests=(SCALING + "both_panels_show_what_was_measured_and_what_was_predicted",),
    ),
    Mutation(
        "plotting/series.py",
        "median = np.where(missing > 0, np.nan, np.nanmedian(values, axis=1))",
        "median = np.nanmedian(values, axis=1)",
        "a curve goes on over the seeds that have a value",
        tests=(SCALING + "seeds_without_a_value_end_the_curve_rather_than_bias_it",),
    ),
    Mutation(
        "plotting/series.py",
        'kind, low, high = "numerical", median - worst, median + worst',
        'kind, low, high = "numerical", median - worst, median',
        "the band of a numerical error is one-sided",
        tests=("plotting/test_scaling.py", "plotting/test_export.py"),
    ),
    Mutation(
        "plotting/field2d.py",
        "np.degrees(np.arctan2(np.abs(u * b - v * a), u * a + v * b))",
        "np.degrees(np.arctan2(np.abs(u * b - v * a), u * a - v * b))",
        "the angle of two fields has an inner product with a wrong sign",
        tests=("plotting/test_field2d.py::test_angles_are_exact_for_nearly_parallel_fields",),
    ),
    Mutation(
        "testing/kernel_checks.py",
        "own = r**2 / inverse\n",
        "own = slope.copy()\n",
        "the check of the inverse weight compares the derivative with itself",
        studies=("studies/calibration/study_checks.py",),
        tests=("test_testing.py::test_a_broken_kernel_is_caught",),
    ),
    Mutation(
        "torch/loss.py",
        "return held + value",
        "return held - value",
        "training flees from the drift",
        studies=(TRAINING, "studies/drift/study_training.py", GENERATORS),
        tests=("learned/generators/test_generator.py",),
    ),
    Mutation(
        "learned/generators/bandwidth.py",
        "float(model.weights @ (0.5 * (positive.preconditioner + negative.preconditioner)))",
        "float(model.weights @ positive.preconditioner)",
        "the matched bandwidth forgets the preconditioner of the model",
        studies=(GENERATORS,),
        tests=("learned/generators/test_bandwidth.py::test_the_mean_preconditioner_is_its_sum",),
    ),
    Mutation(
        "learned/generators/generator.py",
        "radius = np.sqrt(target.weights @ np.sum(centred**2, 1))",
        "radius = target.weights @ np.sum(centred**2, 1)",
        "the start has the squared radius of the data",
        studies=(GENERATORS,),
        tests=("learned/generators/test_generator.py",),
    ),
    Mutation(
        "sources.py",
        'digest.update(name.encode("utf-8", "surrogateescape") + b"\\0" + contents[name].encode() + b"\\n")',
        'digest.update(name.encode("utf-8", "surrogateescape") + b"\\n")',
        "the hash of the engine knows names, not contents",
        studies=(BOOKS,),
        tests=("study/test_runner.py::test_a_changed_engine_or_study_file_reuses_no_record",),
    ),
)
