"""No public door takes an array past the table of doors, and no module converts an argument by itself."""

import ast
import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest
from input_doors import GAUSS, S, X, doors

import unifiedscore as us
from unifiedscore.errors import InputError

PACKAGES = (
    "kernels measures posterior fields processes samplers metrics references inference testing diagnosis learned"
).split()
ARRAYS = set(
    "shares adjoint axes backward_work bandwidths carried components covariance data data_variance drift edges error "
    "empirical exclude factor field first forward_work frequencies frequency g gains given "
    "gradient linear log_weights mean means measure model "
    "modes negatives noise points positives quadratic queries r reference samples scale score second snr span "
    "start step t target times training trajectory value values velocity weights work x y".split()
)
OTHER = set(
    "control_jacobian cutoff denoiser density deviation family gain_first gain_second gap gaussian loss martingale "
    "parameter parametrisation share threshold to_memory to_truth "
    "alpha alpha_rate beta_squared beta_squared_rate combine fields functions kernels test "
    "entry along angles antithetic args affine atom backward bandwidth base basis batch c cells centers claim "
    "coefficients control control_detail control_outcome convexity correction curl degrees deviations diffusivity "
    "dimension chain directions divergence draws effective_samples end energy energy_steps escort estimate estimator "
    "evidence expected exponent f file finding fitted floor floored folds force forward fractions free_energy "
    "fresh function high hypotheses include_self indices interval iterations k keep keep_floored kernel key kind "
    "kwargs last_state law level log_density log_first log_normalizer log_normalizer_rate log_scale log_second "
    "log_weight low manifold max_iterations max_queries max_samples mean_distance mean_error mean_shift mesh "
    "method metric mode_masses n n_directions n_particles n_steps name nearest "
    "negative_mass nodes noise_energy noise_level note objects of order other out outcome "
    "overlap parameters particles path paths policy population positive_mass potential power preconditioner "
    "process quantity radius rate reach reason reflected refute_level regime region relative relative_error remainder "
    "replicates reproduce residuals rest_dimension retraction reward reweighted rng rule same_sample sample_end "
    "sample_start schedule scheme scales seed seeds self_terms settings shared shift sigma signal_energy size skewness "
    "slope smoothing smoothness source spacing spectrum split_sample stability standard_error start_time state "
    "chain levels narrow sampled shown wide statement statistic steps "
    "study systems terminal thin tilt time time_derivative tolerance toward transform "
    "transpose trials truth untilted variance variances weight covariance_error cross_fitted "
    "constant convention fields input label module output skip "
    "decay excess member networks options rngs uniform center average checkpoint every flow hidden latent "
    "learning_rate network normalise profile watch width "
    "cutoffs median total path_steps untrained remedy epsilon "
    "batch_size control_kind count decided_at device dtype few_seeds looks number "
    "precision search sharpness tensors universal visited".split()
)
"""Numbers, names, functions and objects: what else a public parameter may be."""
RESULTS = set(
    "PosteriorMoments PosteriorVectors LoadedPoints Whitening Tilt BatchDrift SinkhornScaling Paths "
    "RegressionTarget ClosedFormSamples DriftingPath WorkSample CrooksHistogram ChainState MomentMatchedSamples "
    "ControlTraining GradientVariances DenoiserDescription DenoiserTraining ErrorSplit FilterFit Fit HybridWeight "
    "TiltedSample CosineEstimate Replicated ReplicatedCosines LineLaw Estimate Verdict ReducedMixture".split()
)
"""Made by the package; a user reads them."""
_NAMED_WEIGHTS = "load_control load_network DenoiserTraining.denoiser ControlTraining.control".split()
NO_ARRAY = {
    # (parameter, owner): what it is instead.
    **{("scale", owner): "a number" for owner in ("Attraction", "Barycenter", "Identity")},
    **{("step", owner): "a number" for owner in ("DriftingFlow", "ManifoldChain")},
    **{("step", owner): "a number" for owner in ("sample_moment_matched", "chain_average")},
    **{("start", owner): "a number" for owner in ("annealed_attenuation", "exponential_schedule")},
    **{("score", owner): "a field" for owner in ("MomentMatchedTilt", "solve_tilt")},
    ("queries", "diagnose_score"): "a count",
    ("score", "simulate"): "a field of every time",
    **{("weights", owner): "a name" for owner in _NAMED_WEIGHTS},
    **{("first", "Difference"): "a field", ("second", "Difference"): "a field", ("field", "Smoothed"): "a field"},
    **{("field", "check_field"): "a field", ("drift", "chain_of_fields"): "a number"},
    **{("mean", "log_expectation"): "a number"},
    **{("gradient", owner): "a function" for owner in ("AnnealingPath", "transposed_law")},
    **{("target", owner): "a regression target" for owner in ("loss_floor", "best_sampling_moment")},
    **{("target", "sample_moment_matched"): "a name", ("trajectory", "sample_closed_form"): "whether to keep it"},
    **{("scale", owner): "a number" for owner in ("Preconditioning", "gaussian_sampling_gain", "loss_weight")},
    **{("target", owner): "a regression target" for owner in ("gradient_variance",)},
    **{(name, "drift_loss"): "a tensor" for name in ("x", "drift")},
    ("factor", "WiderKernelDenoiser"): "a number",
    **{("noise", owner): "a count" for owner in ("chain_average", "sampler_average")},
    ("factor", "GaussianMixture.scaled"): "a number",
    ("trajectory", "DriftingFlow.run"): "whether to keep it",
    **{(name, "DriftingFlow.animate"): "passed on to run" for name in ("start", "bandwidths")},
    **{("noise", "SmoothedKLGradient"): "made from the model, or a law"},
}  # fmt: skip
_WITH_TORCH = (
    "LearnedControl LearnedDenoiser NetworkField control_gradient_variance diagnose_score new_generator train_control "
    "train_denoiser train_denoisers train_generator"
)
WITH_TORCH = set(_WITH_TORCH.split())
"""They need PyTorch, which is not there everywhere: tests/learned/test_inputs.py sends arrays of every kind to them."""
LAWS_ALONE = {"DivergenceDrift", "SmoothedKLGradient"}
"""Their target and model are mixtures: arrays are refused."""


def public():
    """(package, owner, function) of every public callable, methods of public classes included."""
    for package in PACKAGES:
        module = importlib.import_module(f"unifiedscore.{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) and not issubclass(thing, Exception):
                yield package, name, thing
                for part in dir(thing):
                    method = inspect.getattr_static(thing, part)
                    method = getattr(method, "__func__", method)
                    if (not part.startswith("_") or part == "__call__") and inspect.isfunction(method):
                        yield package, f"{name}.{part}", method
            elif inspect.isfunction(thing):
                yield package, name, thing


def parameters():
    for package, owner, function in public():
        if inspect.isabstract(getattr(importlib.import_module(f"unifiedscore.{package}"), owner.partition(".")[0])):
            continue
        for parameter in inspect.signature(function).parameters:
            if parameter not in ("self", "cls"):
                yield package, owner, parameter


def test_every_public_parameter_is_known_to_be_an_array_or_not():
    unknown = {(owner, name) for _, owner, name in parameters() if name not in ARRAYS | OTHER}
    assert not unknown, "put the new names into ARRAYS (and the door into input_doors.py) or into OTHER"


def test_every_array_argument_of_a_public_callable_stands_in_the_table():
    listed = {door.name for door in doors()}
    missing = set()
    for package, owner, name in parameters():
        family = owner.partition(".")[0]
        if name not in ARRAYS or (name, owner) in NO_ARRAY or (owner in RESULTS):
            continue
        if (name in ("target", "model") and owner in LAWS_ALONE) or (name, owner) == ("trajectory", "EscortedLangevin"):
            continue
        # A single time, and what another door of the same class covers by the same line.
        if name == "t" and not owner.startswith(
            ("Schedule", "Gaussian.", "Laplace.", "Matern.", "Rational", "Student")
        ):
            continue
        if (package == "diagnosis" and owner == "diagnose_command") or family in WITH_TORCH:
            continue
        if f"{package}.{owner}({name})" not in listed and not inherited(package, owner, name, listed, family):
            missing.add(f"{package}.{owner}({name})")
    assert not missing


def inherited(package, owner, name, listed, family):
    """Fields answer None to `potential` or `jacobian` where they have none; tests take part in other estimates."""
    part = owner.partition(".")[2]
    if part in ("potential", "jacobian", "inverse_weight_density", "log_density"):
        return True
    return package == "inference" and part == "estimate" and name in ("x", "y", "error")


CONVERTERS = {
    "asarray",
    "array",
    "asanyarray",
    "ascontiguousarray",
    "asfortranarray",
    "require",
    "atleast_1d",
    "atleast_2d",
}
ALLOWED = {"arrays.py", "foreign.py"}


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "testing"])
def test_no_public_function_converts_an_argument_by_itself(package):
    """np.asarray(argument) drops masks and units and shares memory: that is what the one door is for."""
    found = []
    for path in sorted((Path(us.__file__).parent / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            own = {a.arg for a in (*node.args.args, *node.args.kwonlyargs)} - {"self"}
            bound = {t.id for n in ast.walk(node) if isinstance(n, ast.Assign) for t in names(n)}
            for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
                function = call.func
                if not (isinstance(function, ast.Attribute) and function.attr in CONVERTERS and call.args):
                    continue
                if ast.unparse(function.value) == "np" and isinstance(call.args[0], ast.Name):
                    if call.args[0].id in own - bound:
                        found.append(f"{path.name}:{call.lineno} {ast.unparse(call)}")
    assert not found


def names(assign):
    return [t for target in assign.targets for t in ast.walk(target) if isinstance(t, ast.Name)]


NUMBERS = {
    "float32": np.float32,
    "0-d array": np.array,
    "big-endian": lambda v: np.array(v, dtype=">f8"),
    "half": np.float16,
    "masked, but not here": np.ma.array,
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_may_be_arrays_without_axes(kind):
    made = NUMBERS[kind](0.5)
    assert us.Laplace(made).bandwidth == 0.5 and type(us.Laplace(made).bandwidth) is float
    np.testing.assert_array_equal(us.Smoothed(us.KernelScore(GAUSS, S), made, noise=X)(X), smoothed(0.5))
    assert us.Samples(np.zeros((3, 1))).sample(np.array(2), np.random.default_rng(0)).shape == (2, 1)
    with pytest.raises(InputError, match="bandwidth holds 1 masked entry"):
        us.Laplace(np.ma.masked)
    with pytest.raises(InputError, match="n must be an integer"):
        us.Samples(np.zeros((3, 1))).sample(np.array(2.0), np.random.default_rng(0))


def smoothed(size):
    return us.Smoothed(us.KernelScore(GAUSS, S), size, noise=X)(X)


def test_no_library_is_imported_for_its_arrays():
    import subprocess
    import sys

    code = (
        "import sys, numpy as np, unifiedscore as us\n"
        "us.Samples(np.ma.array(np.zeros((2, 2)))); us.Samples([[1.0]])\n"
        "print(*{'torch', 'jax', 'pandas', 'polars', 'pyarrow', 'xarray', 'dask'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
