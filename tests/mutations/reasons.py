"""Why `verify` does not notice some mistakes, as far as that was found out."""

_NO_CLAIM = "no study or derivation runs this code; the tests do"
_MACHINERY = "it shows in a second run, of which a verdict knows nothing; the tests make one"

REASONS = {
    "diagnosis/measurement.py: the effective bandwidth is its square": (
        "no claim was about it; `calibration.diagnosed_bandwidth` is since"
    ),
    "diagnosis/measurement.py: the curl is doubled": "no claim was about it; `calibration.diagnosed_curl` is since",
    "plotting/series.py: a curve goes on over the seeds that have a value": _NO_CLAIM,
    "testing/kernel_checks.py: the check of the inverse weight compares the derivative with itself": (
        "the kernel that `calibration.checks` plants is refused by another check, too"
    ),
    "samplers/closed_form.py: the first step is cut off instead of rounded": (
        "in the studies that were run both give the same step"
    ),
    "sources.py: the hash of the engine knows names, not contents": _MACHINERY,
    "study/records.py: the key of a record does not know the engine": _MACHINERY,
    "verify/proving.py: every derivation is tried at the same points, whatever the seed": (
        "at seed 0 the points are other points and as good"
    ),
    "study/selection.py: a failed partner of a difference goes unnoticed": "no planted case has a cell that fails",
    "inference/tail.py: the tail of a slow correction is shortened instead of stretched": (
        "slow corrections are judged in the standard profile only"
    ),
    "kernels/student_t.py: the inverse weight forgets the dimension": (
        "the derivation named for it takes a generic profile; `study_radial_decomposition.py`, named since, notices"
    ),
    "measures/tilt.py: the normaliser of an isotropic tilt has the determinant of one dimension": (
        "no claim was about the normaliser of an isotropic tilt in several dimensions; one of "
        "`tilting.mixture_family` is since"
    ),
    "posterior/mixture_engine.py: the typical distance of far queries is not shrunk enough": (
        "it concerns queries so far out that eps |log Z| exceeds 1e-6, and no study has any"
    ),
    "posterior/active.py: the sample to leave out is the next one where some have no weight": (
        "no claim had samples without weight; one of `drift.sample_sums` has them since"
    ),
    "posterior/sample_engine.py: log Z of equal weights is a sum, not a mean": (
        "every claim had weights, or used log Z up to a constant; one of `drift.sample_sums` does not since"
    ),
    "fields/mean_shift.py: the potential of the mean shift lacks tau^2": (
        "no claim was about it; `drift.gaussian_identity` has a regime since"
    ),
    "processes/tilted_process.py: the value function forgets log Z": (
        "the files named for it use gradients; `studies/tilting/study_values.py`, named since, has this as its control"
    ),
    "references/linear_quadratic.py: the gain of adjoint sampling forgets the terminal variance": (
        "no study or derivation calls this function; its test does"
    ),
    "samplers/rate_form.py: the ratio of kernels is inverted": (
        "it is in `tilted_crooks`, whose claim `tilting.tilted_crooks` waits for the standard profile"
    ),
}
