"""The engine may be edited, upgraded or cached at any moment: no old machine code and no old number is used for it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import unifiedscore
from unifiedscore.errors import FileError, StudyError
from unifiedscore.sources import VIEWS, engine_files, engine_hash

PACKAGE = Path(unifiedscore.__file__).parent
# Two functions of the engine in two files, the first inlined into the second by numba.
INNER = "from unifiedscore.compiled import njit\n\n\n@njit(cache=True)\ndef inner():\n    return 1.0\n"
OUTER = "from unifiedscore.compiled import njit\nfrom unifiedscore.fields.probe_inner import inner\n\n\n"
OUTER += "@njit(cache=True)\ndef outer():\n    return inner()\n"
STUDY = """
from unifiedscore.study import Grid, Study, Variable


def measure(cell, rng):
    from unifiedscore.fields.probe_outer import outer

    return {"value": outer()}


study = Study(name="ways", title="Ways", grid=Grid(seed=range(2)), measure=measure, variables={"value": Variable("V")})
"""
RUN = """
import sys
from unifiedscore.study import run
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess, LocalPool
from pathlib import Path

def value(executor=None):
    dataset = run(studies_in("study_ways.py")[0].study, out="out", executor=executor or InProcess())
    return dataset["value"].values.tolist()

def edit(name, old, new):
    path = Path("unifiedscore") / name
    path.write_text(path.read_text().replace(old, new))

if __name__ == "__main__":
"""


@pytest.fixture
def project(tmp_path):
    """A copy of the engine with two more functions, a study of them, and a way to execute code beside it."""
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "unifiedscore", ignore=skipped)
    (tmp_path / "unifiedscore/fields/probe_inner.py").write_text(INNER)
    (tmp_path / "unifiedscore/fields/probe_outer.py").write_text(OUTER)
    (tmp_path / "study_ways.py").write_text(STUDY)

    def execute(code, **environment):
        script = tmp_path / "script.py"
        script.write_text(RUN + "".join(f"    {line}\n" for line in code.splitlines()))
        settings = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""} | environment
        done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=settings, capture_output=True, text=True)
        return done

    return tmp_path, execute


def printed(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


EXECUTORS = ["InProcess()", "LocalPool(1)"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_edit_of_an_inlined_function_reaches_machine_code_and_records(project, executor):
    root, execute = project
    code = f"with {executor} as executor:\n    print(value(executor))"
    assert printed(execute(code)) == [1.0, 1.0]
    path = root / "unifiedscore/fields/probe_inner.py"
    path.write_text(INNER.replace("1.0", "2.0"))
    assert printed(execute(code)) == [2.0, 2.0]
    assert len(list(root.glob("out/cells/ways/*.json"))) == 4
    folders = list((root / "unifiedscore/__pycache__").glob("machine-code-*"))
    assert len(folders) == 2


def test_an_edit_of_equal_length_with_the_old_times_is_refused_or_picked_up(project):
    root, execute = project
    assert printed(execute("print(value())")) == [1.0, 1.0]
    path = root / "unifiedscore/fields/probe_inner.py"
    was = path.stat()
    path.write_text(INNER.replace("1.0", "2.0"))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    done = execute("print(value())")  # Python runs the old bytecode
    assert done.returncode and "compiled from another version of it" in done.stderr
    shutil.rmtree(path.parent / "__pycache__")
    assert printed(execute("print(value())")) == [2.0, 2.0]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    "name", ["fields/probe_inner.py", "metrics/cross_fitting.py", "inference/estimates.py", "study/worker.py"]
)
def test_an_edit_after_import_is_refused(project, executor, name):
    root, execute = project
    edit = f"open('unifiedscore/{name}', 'a').write('# edited\\n')"
    if "probe" in name:
        edit = f"edit({name!r}, '1.0', '2.0')"
    done = execute(f"with {executor} as executor:\n    {edit}\n    print(value(executor))")
    assert done.returncode and "after this process had imported it" in done.stderr
    assert not list(root.glob("out/cells/ways/*.json"))


def test_an_edit_of_a_view_changes_nothing(project):
    root, execute = project
    assert printed(execute("print(value())")) == [1.0, 1.0]
    with open(root / "unifiedscore/plotting/style.py", "a") as file:
        file.write("# edited\n")
    assert printed(execute("print(value())")) == [1.0, 1.0]
    assert len(list(root.glob("out/cells/ways/*.json"))) == 2


@pytest.mark.parametrize("damage", ["truncated", "empty", "one bit", "garbage"])
def test_damaged_machine_code_is_compiled_again(project, damage):
    root, execute = project
    code = "from unifiedscore.fields.probe_outer import outer\nprint([outer()])"
    assert printed(execute(code)) == [1.0]
    entries = list((root / "unifiedscore/__pycache__").glob("machine-code-*/*/*.nbc"))
    assert len(entries) == 2
    for path in entries:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        whole = path.read_bytes()
        path.write_bytes(
            {"truncated": whole[:-100], "empty": b"", "one bit": bytes(content), "garbage": b"x" * 99}[damage]
        )
    done = execute(code)
    assert printed(done) == [1.0] and "cannot be used" in done.stderr
    again = execute(code)
    assert printed(again) == [1.0] and not again.stderr


def test_old_machine_code_does_not_pile_up(project):
    root, execute = project
    code = "from unifiedscore.fields.probe_outer import outer\nprint([outer()])"
    for number in range(7):
        (root / "unifiedscore/fields/probe_inner.py").write_text(INNER.replace("1.0", f"{number}.5"))
        assert printed(execute(code)) == [number + 0.5]
    assert len(list((root / "unifiedscore/__pycache__").glob("machine-code-*"))) == 4


@pytest.mark.parametrize("places", ["no home", "nowhere"])
def test_without_a_cache_that_can_be_written_the_engine_works_and_says_so(project, places):
    """Files stand where folders would be made: nobody can write there, not even root."""
    root, execute = project
    (root / "unifiedscore/__pycache__").write_text("")
    (root / "file").write_text("")
    temporary = root / "tmp"
    temporary.mkdir()
    settings = {"XDG_CACHE_HOME": str(root / "file"), "TMPDIR": str(temporary)}
    if places == "nowhere":
        (temporary / f"unifiedscore-{os.getuid()}").write_text("")
    done = execute("print(value())", **settings)
    assert printed(done) == [1.0, 1.0]
    wanted = "machine code is kept in" if places == "no home" else "functions are compiled anew in every process"
    assert wanted in done.stderr
    kept = list(temporary.glob("unifiedscore-*/machine-code-*/*/*.nbc"))
    assert bool(kept) is (places == "no home")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions of POSIX")
def test_a_temporary_folder_that_others_can_write_is_not_executed_from(project):
    root, execute = project
    (root / "unifiedscore/__pycache__").write_text("")
    (root / "file").write_text("")
    temporary = root / "tmp"
    (temporary / f"unifiedscore-{os.getuid()}").mkdir(parents=True)
    (temporary / f"unifiedscore-{os.getuid()}").chmod(0o777)
    done = execute("print(value())", XDG_CACHE_HOME=str(root / "file"), TMPDIR=str(temporary))
    assert printed(done) == [1.0, 1.0] and "compiled anew" in done.stderr


def test_the_engine_is_the_whole_package_but_the_views(tmp_path):
    files = engine_files()
    everything = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*") if p.is_file()}
    code = {name for name in everything if "__pycache__" not in name}
    assert code - set(files) == {name for name in code if name.split("/")[0] in VIEWS}
    assert {"inference/estimates.py", "metrics/cross_fitting.py", "compiled.py"} <= set(files)
    with pytest.raises(FileError, match="lacks cli, ledger, plotting"):
        engine_files(tmp_path)


def test_every_file_of_the_engine_is_in_its_hash(tmp_path):
    for view in VIEWS:
        (tmp_path / view).mkdir()
    seen = {engine_hash(tmp_path)}
    for change in ("a.py", "kernels/b.py", "kernels/new/c.py", "data.json"):
        (tmp_path / change).parent.mkdir(parents=True, exist_ok=True)
        for text in ("x = 1\n", "x = 2\n"):
            (tmp_path / change).write_text(text)
            seen.add(engine_hash(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "d.py")
    seen.add(engine_hash(tmp_path))
    assert len(seen) == 10
    (tmp_path / "plotting/style.py").write_text("")
    assert engine_hash(tmp_path) in seen


def test_a_package_that_is_replaced_while_a_process_runs_is_refused(tmp_path, monkeypatch):
    from unifiedscore.study import distributions, identity

    assert identity._bound_version("numpy")
    monkeypatch.setattr(distributions, "version", lambda name: "0.0")
    with pytest.raises(StudyError, match=r"numpy \S+ was replaced by 0\.0"):
        identity._bound_version("numpy")
