"""Whatever a number depends on may change between two runs: the second one never returns the first one's number."""

import importlib
import json
import os
import py_compile
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from unifiedscore.errors import FileError, StudyError
from unifiedscore.study import run
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess, LocalPool

FAILED = 2
SOURCE = '''
"""A study that returns one number."""
from unifiedscore.study import Grid, Study, Variable
{top}


def measure(cell, rng):
    {body}
    return {{"value": float(value)}}


study = Study(
    name="ways", title="Ways to change", grid=Grid({axes}), measure=measure,
    variables={{"value": Variable("Value")}}, {more}
)
'''


@dataclass(frozen=True)
class Way:
    """A study that returns 1, and the change after which it returns 2."""

    name: str
    top: str = ""
    body: str = "value = helper.V"
    axes: str = "seed=range(2)"
    more: str = ""
    before: dict = field(default_factory=lambda: {"helper.py": "V = 1\n"})
    after: dict | Callable = field(default_factory=lambda: {"helper.py": "V = 2\n"})
    study: str = "study_ways.py"
    fails: bool = False  # whether the cells fail instead, in both runs


def same_times(name, text):
    """An edit of equal length after which the file has its old times."""

    def change(root):
        path = root / name
        was = path.stat()
        assert len(text) == was.st_size
        path.write_text(text)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))

    return change


def stale_bytecode(root):
    path = root / "helper.py"
    py_compile.compile(str(path))
    same_times("helper.py", "V = 2\n")(root)


def replace_by_package(root):
    (root / "helper.py").unlink()
    (root / "helper").mkdir()
    (root / "helper" / "__init__.py").write_text("V = 2\n")


PACKAGE = {"pkg/__init__.py": "", "pkg/inner/__init__.py": "", "pkg/inner/deep.py": "V = 1\n"}
DEEP = {"pkg/inner/deep.py": "V = 2\n"}
READ = "from pathlib import Path; {} = Path(__file__).with_name('data.txt').read_text()"
DATA = READ.format("value")
COMPILED = "@numba.njit(cache=True)\ndef f():\n    return {}\n"
WAYS = [
    Way("study file", "V = 1", "value = V", before={}, after={"study_ways.py": ("V = 1", "V = 2")}),
    Way("helper", "import helper"),
    Way("name of a helper", "from helper import V", "value = V"),
    Way("star import", "from helper import *", "value = V"),
    Way("helper inside measure", body="import helper; value = helper.V"),
    Way("name inside measure", body="from helper import V as value"),
    Way("helper of a helper", "import first", "value = first.get()", before={
        "first.py": "import helper\ndef get():\n    return helper.V\n", "helper.py": "V = 1\n"}),
    Way("helper of a helper, inside a function", "import first", "value = first.get()", before={
        "first.py": "def get():\n    import helper\n    return helper.V\n", "helper.py": "V = 1\n"}),
    Way("helpers that import one another", "import first", "value = first.get()", before={
        "first.py": "import helper\ndef get():\n    return helper.V\n", "helper.py": "import first\nV = 1\n"}),
    Way("package beside", "import pkg", "value = pkg.V", before={"pkg/__init__.py": "V = 1\n"},
        after={"pkg/__init__.py": "V = 2\n"}),
    Way("import a.b.c", "import pkg.inner.deep", "value = pkg.inner.deep.V", before=PACKAGE, after=DEEP),
    Way("import a.b.c as d", "import pkg.inner.deep as d", "value = d.V", before=PACKAGE, after=DEEP),
    Way("from a.b import c", "from pkg.inner import deep", "value = deep.V", before=PACKAGE, after=DEEP),
    Way("from a.b import c inside measure", body="from pkg.inner import deep; value = deep.V", before=PACKAGE,
        after=DEEP),
    Way("relative import within a helper package", "from pkg import V", "value = V", before=PACKAGE | {
        "pkg/__init__.py": "from .inner.deep import V\n"}, after=DEEP),
    Way("namespace package", "from space.deep import V", "value = V", before={"space/deep.py": "V = 1\n"},
        after={"space/deep.py": "V = 2\n"}),
    Way("relative import in a folder", "from . import helper"),
    Way("relative import in a package of studies", "from . import helper", study="studies/study_ways.py", before={
        "studies/__init__.py": "", "studies/helper.py": "V = 1\n"}, after={"studies/helper.py": "V = 2\n"}),
    Way("relative name inside measure", body="from .helper import V as value", study="studies/study_ways.py", before={
        "studies/__init__.py": "", "studies/helper.py": "V = 1\n"}, after={"studies/helper.py": "V = 2\n"}),
    Way("two dots", "from ..shared import V", "value = V", study="outer/studies/study_ways.py", before={
        "outer/__init__.py": "", "outer/studies/__init__.py": "", "outer/shared.py": "V = 1\n"},
        after={"outer/shared.py": "V = 2\n"}),
    Way("absolute name in a package of studies", "from outer.shared import V", "value = V", before={
        "outer/__init__.py": "", "outer/studies/__init__.py": "", "outer/shared.py": "V = 1\n"},
        after={"outer/shared.py": "V = 2\n"}, study="outer/studies/study_ways.py"),
    Way("__init__ of a package of studies", "from . import V", "value = V", study="studies/study_ways.py", before={
        "studies/__init__.py": "V = 1\n"}, after={"studies/__init__.py": "V = 2\n"}),
    Way("import_module of a literal", "import importlib", 'value = importlib.import_module("helper").V'),
    Way("import_module by name", "from importlib import import_module as f", 'value = f("helper").V'),
    Way("import_module at the top", "import importlib\nhelper = importlib.import_module('helper')"),
    Way("__import__", body='value = __import__("helper").V'),
    Way("computed import at the top", "import importlib\nhelper = importlib.import_module('hel' + 'per')"),
    Way("computed import inside measure", "import importlib", "value = importlib.import_module('hel' + 'per').V",
        fails=True),
    Way("conditional import", "import sys\nif sys.version_info > (3,):\n    import helper"),
    Way("import in a try", "try:\n    import helper\nexcept ImportError:\n    helper = None"),
    Way("optional module that appears", "try:\n    from helper import V\nexcept ImportError:\n    V = 1", "value = V",
        before={}),
    Way("module that becomes a package", "import helper", after=replace_by_package),
    Way("module on sys.path", "import lib_plain", "value = lib_plain.V", before={"lib/lib_plain.py": "V = 1\n"},
        after={"lib/lib_plain.py": "V = 2\n"}),
    Way("package on sys.path", "from lib_pkg.deep import V", "value = V", before={
        "lib/lib_pkg/__init__.py": "", "lib/lib_pkg/deep.py": "V = 1\n"}, after={"lib/lib_pkg/deep.py": "V = 2\n"}),
    Way("module on sys.path, inside measure", body="import lib_late; value = lib_late.V",
        before={"lib/lib_late.py": "V = 1\n"}, after={"lib/lib_late.py": "V = 2\n"}),
    Way("editable install", "import lib_editable", "value = lib_editable.V", before={
        "lib/lib_editable.py": "V = 1\n", "lib/lib_editable-1.0.dist-info/METADATA":
        "Metadata-Version: 2.1\nName: lib_editable\nVersion: 1.0\n", "lib/lib_editable-1.0.dist-info/RECORD":
        "__editable__.lib_editable.pth,sha256=x,1\n"}, after={"lib/lib_editable.py": "V = 2\n"}),
    Way("file that comes before the one on sys.path", "import lib_shadowed", "value = lib_shadowed.V", before={
        "lib/lib_shadowed.py": "V = 1\n"}, after={"lib_shadowed.py": "V = 2\n"}),
    Way("equal length, old times", "import helper", after=same_times("helper.py", "V = 2\n")),
    Way("study file of equal length, old times", "V = 1", "value = V", before={}, after=lambda root: same_times(
        "study_ways.py", (root / "study_ways.py").read_text().replace("V = 1", "V = 2"))(root)),
    Way("stale bytecode", "import helper", after=stale_bytecode),
    Way("declared data file", body=DATA, more="inputs=['data.txt']", before={"data.txt": "1"},
        after={"data.txt": "2"}),
    Way("declared data file, equal length, old times", body=DATA, more="inputs=['data.txt']",
        before={"data.txt": "1"}, after=same_times("data.txt", "2")),
    Way("folder of data", body=DATA.replace("with_name('data.txt')", "parent.joinpath('data/a.txt')"),
        more="inputs=['data']",
        before={"data/a.txt": "1"}, after={"data/a.txt": "2"}),
    Way("file added to a folder of data", "from pathlib import Path",
        'value = len(list((Path(__file__).parent / "data").iterdir()))', more="inputs=['data']",
        before={"data/a.txt": "1"}, after={"data/b.txt": "2"}),
    Way("data outside of the folder", body=DATA.replace("data.txt", "x").replace(
        "with_name('x')", "parents[1].joinpath('outside/data.txt')"), more="inputs=['../outside/data.txt']",
        study="inner/study_ways.py", before={"outside/data.txt": "1"}, after={"outside/data.txt": "2"}),
    Way("data read at the top", READ.format("V"), "value = V",
        more="inputs=['data.txt']", before={"data.txt": "1"}, after={"data.txt": "2"}),
    Way("undeclared data file", body=DATA, before={"data.txt": "1"}, after={"data.txt": "2"}, fails=True),
    Way("undeclared array", "import numpy as np\nfrom pathlib import Path",
        "value = np.loadtxt(Path(__file__).parent / 'data.txt')", before={"data.txt": "1"}, after={"data.txt": "2"},
        fails=True),
    Way("undeclared data read at the top", READ.format("V"),
        "value = V", before={"data.txt": "1"}, after={"data.txt": "2"}, fails=True),
    Way("undeclared data read by a helper", "import helper", "value = helper.get()", before={"data.txt": "1",
        "helper.py": f"def get():\n    {READ.format('value')}; return value\n"},
        after={"data.txt": "2"}, fails=True),
    Way("code that is executed from a file", body=READ.format("text").replace("data.txt", "other.py")
        + "; value = eval(text)", before={"other.py": "1"}, after={"other.py": "2"}, fails=True),
    Way("label of another type", body="value = 1 if isinstance(cell['a'], float) else 2", axes="a=[1, 2.5], seed=[0]",
        before={}, after={"study_ways.py": ("[1, 2.5]", "[1, 2]")}),
    Way("function inlined by numba", "import numba\nfrom helper import f\n@numba.njit(cache=True)\ndef g():\n"
        "    return f()", "value = g()", before={"helper.py": "import numba\n" + COMPILED.format(1)},
        after={"helper.py": "import numba\n" + COMPILED.format(2)}),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that every process finds on `sys.path`."""
    lib = tmp_path_factory.mktemp("identity") / "lib"
    lib.mkdir()
    sys.path.append(str(lib))
    yield lib
    sys.path.remove(str(lib))


@pytest.fixture(scope="module")
def pool(folder):
    with LocalPool(1) as pool:
        pool.submit(os.getpid).result()
        yield pool


@pytest.fixture(scope="module")
def cluster(folder):
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
        with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
            yield client.get_executor()


@pytest.fixture(params=["serial", "pool", "dask"])
def executor(request):
    if request.param == "serial":
        return InProcess()
    return request.getfixturevalue("pool" if request.param == "pool" else "cluster")


def write(root, lib, files):
    for name, text in files.items():
        path = lib / name.removeprefix("lib/") if name.startswith("lib/") else root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, tuple):
            text = path.read_text().replace(*text)
        path.write_text(text)


def write_study(root, way=None, **parts):
    way = way or Way("", **parts)
    path = root / way.study
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCE.format(top=way.top, body=way.body, axes=way.axes, more=way.more).lstrip())
    return path


def values(path, out, executor=None):
    dataset = run(studies_in(path)[0].study, out=out, executor=executor or InProcess())
    return dataset


@pytest.mark.parametrize("way", WAYS, ids=[way.name.replace(" ", "-") for way in WAYS])
def test_no_old_number_stands_after_a_change(way, executor, folder, tmp_path):
    root, out = tmp_path / "project", tmp_path / "out"
    path = write_study(root, way)
    write(root, folder, way.before)
    first = values(path, out, executor)
    way.after(root) if callable(way.after) else write(root, folder, way.after)
    second = values(path, out, executor)
    if way.fails:
        for dataset in (first, second):
            assert (dataset["status"] == FAILED).all()
            (message, *_) = (cell["message"] for cell in json.loads(dataset.attrs["failed_cells"]))
            assert "without being declared" in message and "inputs=[" in message
        return
    assert (first["value"] == 1).all() and (second["value"] == 2).all()


def test_a_helper_invalidates_the_studies_that_import_it_and_no_other(tmp_path):
    for name, top in (("a", "import helper"), ("b", "from helper import V"), ("c", "")):
        path = write_study(tmp_path / name, top=top, body="value = 1" if not top else "from helper import V as value")
        path.rename(tmp_path / f"study_{name}.py")
    (tmp_path / "helper.py").write_text("V = 1\n")
    paths = [tmp_path / f"study_{name}.py" for name in "abc"]
    for path in paths:
        values(path, tmp_path / path.stem)
    (tmp_path / "helper.py").write_text("V = 2\n")
    records = [len(list((tmp_path / path.stem).glob("cells/*/*.json"))) for path in paths]
    for path in paths:
        values(path, tmp_path / path.stem)
    more = [len(list((tmp_path / path.stem).glob("cells/*/*.json"))) for path in paths]
    assert records == [2, 2, 2] and more == [4, 4, 2]


def test_two_folders_may_hold_helpers_of_one_name(executor, tmp_path):
    paths = []
    for number in (1, 2):
        root = tmp_path / str(number)
        paths.append(write_study(root, top="import helper", body="import late; value = helper.V + late.V"))
        (root / "helper.py").write_text(f"V = {number}\n")
        (root / "late.py").write_text(f"V = {number}\n")
    studies = [studies_in(path)[0].study for path in paths]
    for number, study in ((2, studies[1]), (1, studies[0])):
        assert (run(study, out=tmp_path / f"out{number}", executor=executor)["value"] == 2 * number).all()
    assert not {"helper", "late"} & set(sys.modules)


@pytest.mark.parametrize("edited", ["study_ways.py", "helper.py", "computed.py", "data.txt"])
def test_an_edit_between_import_and_run_is_refused(edited, executor, tmp_path):
    top = f"import helper, importlib\nimportlib.import_module('comp' + 'uted')\n{READ.format('W')}"
    path = write_study(tmp_path, top=top, more="inputs=['data.txt']")
    for name in ("helper.py", "computed.py", "data.txt"):
        (tmp_path / name).write_text("V = 1\n")
    study = studies_in(path)[0].study
    (tmp_path / edited).write_text((tmp_path / edited).read_text() + "# edited\n")
    with pytest.raises(StudyError, match=f"{edited} changed while it was loaded"):
        run(study, out=tmp_path / "out", executor=executor)
    assert not list(tmp_path.glob("out/cells/*/*.json"))


def test_a_study_that_python_imported_is_measured_as_its_file_is_now(executor, tmp_path, monkeypatch):
    path = write_study(tmp_path, top="import native_helper", body="value = native_helper.V")
    (tmp_path / "native_helper.py").write_text("V = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.import_module(path.stem)
    (tmp_path / "native_helper.py").write_text("V = 2\n")
    try:
        assert (run(module.study, out=tmp_path / "out", executor=executor)["value"] == 2).all()
        assert module.measure({}, None) == {"value": 1.0}
    finally:
        del sys.modules[path.stem], sys.modules["native_helper"]


@pytest.mark.parametrize(("part", "more"), [("helper.py", "# more\n"), ("data.txt", "0\n")])
def test_an_edit_while_cells_are_measured_is_refused(part, more, executor, tmp_path):
    body = (
        "from pathlib import Path; here = Path(__file__).parent; import helper; "
        "value = float((here / 'data.txt').read_text()) * helper.V; "
        f"file = open(here / {part!r}, 'a'); file.write({more!r}); file.close()"
    )
    path = write_study(tmp_path, body=body, more="inputs=['data.txt']", axes="seed=range(40)")
    (tmp_path / "helper.py").write_text("V = 1\n")
    (tmp_path / "data.txt").write_text("1\n")
    with pytest.raises(StudyError, match=rf"{part} changed"):
        values(path, tmp_path / "out", executor)
    # What another thread of this process finished meanwhile comes from the text that was hashed.
    records = [json.loads(record.read_text()) for record in tmp_path.glob("out/cells/*/*.json")]
    assert all(record["values"] == {"value": 1.0} for record in records)
    assert len(records) < (1 if isinstance(executor, InProcess | LocalPool) else 40)


def test_a_declared_environment_variable_belongs_to_the_numbers(tmp_path, monkeypatch):
    path = write_study(tmp_path, top="import os", body="value = os.environ['WAYS_V']", more="environment=['WAYS_V']")
    for value in (1, 2, 1):
        monkeypatch.setenv("WAYS_V", str(value))
        for executor in (InProcess(), None):
            assert (values(path, tmp_path / "out", executor)["value"] == value).all()
    assert len(list(tmp_path.glob("out/cells/*/*.json"))) == 4


def test_a_worker_with_another_environment_is_refused(pool, tmp_path, monkeypatch):
    path = write_study(tmp_path, top="import os", body="value = 1", more="environment=['WAYS_V']")
    pool.submit(os.getpid).result()  # its process has started
    monkeypatch.setenv("WAYS_V", "only here")
    with pytest.raises(StudyError, match="environment variable WAYS_V changed"):
        values(path, tmp_path / "out", pool)


def test_an_input_that_is_not_there_is_an_error(tmp_path):
    path = write_study(tmp_path, body="value = 1", more="inputs=['gone.txt']")
    with pytest.raises(FileError, match=r"declared input gone\.txt does not exist"):
        values(path, tmp_path / "out")


def test_files_that_a_cell_writes_itself_are_no_inputs(tmp_path):
    body = (
        "from pathlib import Path; file = Path(__file__).parent / f'scratch{cell[\"seed\"]}'; file.write_text('1'); "
        "value = file.read_text(); file.unlink()"
    )
    assert (values(write_study(tmp_path, body=body), tmp_path / "out")["value"] == 1).all()


def test_profiles_share_labels_of_one_type(tmp_path):
    more = "profiles={'standard': {'a': [1, 2, 2.5]}}"
    path = write_study(tmp_path, body="value = isinstance(cell['a'], float)", axes="a=[1, 2], seed=[0]", more=more)
    study = studies_in(path)[0].study
    for profile in ("quick", "standard"):
        assert (run(study, profile=profile, out=tmp_path / "out")["value"] == 1).all()
    assert len(list(tmp_path.glob("out/cells/*/*.json"))) == 3


def test_zero_has_no_sign_as_a_label(tmp_path):
    path = write_study(tmp_path, body="import math; value = math.copysign(1, cell['a'])", axes="a=[-0.0], seed=[0]",
                       more="profiles={'standard': {'a': [0.0]}}")  # fmt: skip
    study = studies_in(path)[0].study
    assert all(run(study, profile=p, out=tmp_path / "out")["value"].item() == 1 for p in ("quick", "standard"))


def test_a_computed_import_is_named_in_a_note(tmp_path, capsys):
    path = write_study(tmp_path, top="import importlib\nhelper = importlib.import_module('hel' + 'per')")
    (tmp_path / "helper.py").write_text("V = 1\n")
    values(path, tmp_path / "out")
    assert "study_ways.py, line 4: what importlib.import_module('hel' + 'per') imports" in capsys.readouterr().err


STATE = {
    "seterr": ("value = float(np.errstate is not None) + (np.geterr()['divide'] == 'raise')", "np.seterr(all='raise')"),
    "numpy.random": ("value = np.random.random()", "np.random.seed(0)"),
    "random": ("import random; value = random.random()", "random.seed(0)"),
    "folder": ("import os; value = len(os.getcwd())", "os.chdir('/')"),
    "environ": ("import os; value = 'WAYS_W' in os.environ", "os.environ['WAYS_W'] = '1'"),
    "filters": ("import warnings; value = len(warnings.filters)", "warnings.simplefilter('error')"),
    "path": ("import sys; value = len(sys.path)", "sys.path.append('x')"),
}


@pytest.mark.parametrize("kind", STATE)
def test_a_cell_leaves_no_state_to_the_next(kind, tmp_path):
    """The second of two cells in one process is measured as it is alone."""
    read, spoil = STATE[kind]
    path = write_study(tmp_path, top="import numpy as np", body=f"{read}; {spoil}", axes="seed=range(3)")
    together = run(studies_in(path)[0].study, out=tmp_path / "out", executor=InProcess())["value"].values
    path.write_text(path.read_text().replace("seed=range(3)", "seed=[2]"))
    alone = run(studies_in(path)[0].study, out=tmp_path / "out", executor=InProcess())["value"].values
    assert together[2] == alone[0]
    if "random" in kind:
        assert len(set(together.tolist())) == 3


def test_the_state_of_the_caller_is_given_back(tmp_path):
    body = "; ".join(
        ["value = 1", "import os, random, warnings", *(spoil for _, spoil in STATE.values() if "sys" not in spoil)]
    )
    path = write_study(tmp_path, top="import numpy as np", body=body)
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.RandomState(5).random()
    before = os.getcwd(), np.geterr(), dict(os.environ)
    values(path, tmp_path / "out")
    assert (os.getcwd(), np.geterr(), dict(os.environ)) == before
    assert np.random.random() == expected  # noqa: NPY002


def test_the_key_is_stored_with_what_it_stands_for(tmp_path):
    path = write_study(tmp_path, top="import helper")
    (tmp_path / "helper.py").write_text("V = 1\n")
    dataset = values(path, tmp_path / "out")
    (stored,) = tmp_path.glob("out/cells/ways/*.identity")
    content = json.loads(stored.read_text())
    assert set(content["files"]) == {"study_ways.py", "helper.py"}
    assert content["packages"]["numpy"] == np.__version__
    record = json.loads(next(tmp_path.glob("out/cells/ways/*.json")).read_text())
    assert record["identity"] == stored.stem
    assert json.loads(dataset.attrs["config"])["identity"] == content
    assert json.loads(dataset.attrs["packages"])["numpy"] == np.__version__
