"""`python -m kerascb run` next to `python`: the program sees no difference.

No Keras is needed here; that the program finds our classes is told by
`tests/test_install.py`.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kerascb.cli import main

_REPOSITORY = Path(__file__).parents[2]
_LOOK = """
import sys, warnings
print(sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals())
names = ["__cached__", "__doc__", "__file__", "__name__", "__package__"]
print([globals()[name] for name in names])
print(type(__loader__), __spec__ and __spec__.name, __builtins__)
print(sorted(globals()))
"""
_FAIL = """
import sys
def fail():
    exec(sys.argv[1])
fail()
"""


@pytest.fixture
def programs(tmp_path):
    """A folder with `look` and `fail` in every form of a program."""
    for name, text in {"look": _LOOK, "fail": _FAIL}.items():
        folder = tmp_path / f"{name}_folder"
        folder.mkdir()
        (folder / "__main__.py").write_text(text)
        (folder / "__init__.py").write_text("")
        (folder / "part.py").write_text(text)
        (tmp_path / f"{name}.py").write_text(text)
        (tmp_path / f"{name}_link.py").symlink_to(folder / "part.py")
        with zipfile.ZipFile(tmp_path / f"{name}.pyz", "w") as archive:
            archive.writestr("__main__.py", text)
    return tmp_path


def _run(folder, *arguments, flags=()):
    environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY)}
    return subprocess.run(
        [sys.executable, *flags, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _run_both(folder, *arguments):
    """Runs a program as Python does, and as we do."""
    pure = _run(folder, *arguments)
    ours = _run(folder, "-m", "kerascb", "run", *arguments)
    return pure, ours


def _outcome(done):
    return done.returncode, done.stdout, done.stderr


FORMS = [
    ["{}.py"],
    ["{}_link.py"],
    ["{}_folder/part.py"],
    ["{}_folder"],
    ["{}.pyz"],
    ["-m", "{}"],
    ["-m", "{}_folder"],
    ["-m", "{}_folder.part"],
]


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_a_program_finds_itself_as_under_python(programs, form):
    """Arguments, import path and `__main__` are the program's own."""
    call = [part.format("look") for part in form]

    pure, ours = _run_both(programs, *call, "-m", "--", "--help", "x y")

    assert pure.returncode == 0
    assert _outcome(ours) == _outcome(pure)


@pytest.mark.parametrize(
    "act",
    [
        "1 / 0",
        "raise KeyboardInterrupt",
        "sys.exit(3)",
        "sys.exit('so')",
        "sys.exit()",
        "compile('a b', 'there', 'exec')",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "try: 1 / 0\nexcept Exception as e: raise KeyError('b') from e",
        "sys.excepthook = lambda kind, *rest: print('mine', kind)\n1 / 0",
        "import atexit; atexit.register(lambda: print(sys.excepthook))\n1 / 0",
    ],
)
@pytest.mark.parametrize("form", [FORMS[0], FORMS[-1]], ids=" ".join)
def test_a_program_ends_as_under_python(programs, form, act):
    """Exit status and traceback are those of the program, none of ours."""
    call = [part.format("fail") for part in form]

    pure, ours = _run_both(programs, *call, act)

    assert _outcome(ours) == _outcome(pure)


@pytest.mark.parametrize(
    "call", [["nope.py"], ["-m", "nope"], ["empty"], ["broken.py"]]
)
def test_what_cannot_be_run_fails_as_under_python(programs, call):
    """Python's own words and exit status tell what is wrong."""
    (programs / "empty").mkdir()
    (programs / "broken.py").write_text("a b\n")

    pure, ours = _run_both(programs, *call)

    assert pure.returncode != 0
    assert _outcome(ours) == _outcome(pure)


def test_threads_outlive_the_program_as_under_python(programs):
    """The last line of a script is not the end of what it is `__main__` of."""
    (programs / "late.py").write_text(
        "import atexit, pickle, threading\n"
        "class Mine: pass\n"
        "def late(): print(pickle.loads(pickle.dumps(Mine())).__module__)\n"
        "atexit.register(late)\n"
        "gate = threading.Event()\n"
        "def wait(): threading.main_thread().join(); late()\n"
        "threading.Thread(target=wait).start()\n"
    )

    pure, ours = _run_both(programs, "late.py")

    assert _outcome(pure) == (0, "__main__\n" * 2, "")
    assert _outcome(ours) == _outcome(pure)


def test_a_program_may_start_processes(programs):
    """`multiprocessing` finds the script again."""
    (programs / "many.py").write_text(
        "import multiprocessing\n"
        "def square(x): return x * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(square, [1, 2, 3]))\n"
    )

    ours = _run(programs, "-m", "kerascb", "run", "many.py")

    assert _outcome(ours) == (0, "[1, 4, 9]\n", "")


def test_imports_no_keras_of_its_own(programs):
    """A program chooses its Keras, and sets it up, before it imports one."""
    (programs / "which.py").write_text(
        "import sys\n"
        "print({'keras', 'tf_keras', 'tensorflow', 'libcst', 'numpy'}\n"
        "      & set(sys.modules))\n"
    )

    ours = _run(programs, "-m", "kerascb", "run", "which.py")

    assert _outcome(ours) == (0, "set()\n", "")


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 has no safe path"
)
def test_keeps_the_safe_path_safe(programs):
    """Under `-P` the script's folder is not where modules come from."""
    pure = _run(programs, "look.py", flags=["-P"])

    ours = _run(programs, "-m", "kerascb", "run", "look.py", flags=["-P"])

    assert _outcome(ours) == _outcome(pure)


@pytest.mark.parametrize(
    ("arguments", "status"), [(["run", "--help"], 0), (["run"], 2)]
)
def test_options_before_the_program_are_ours(arguments, status, capsys):
    """Its own begin behind its name."""
    with pytest.raises(SystemExit, match=str(status)):
        main(arguments)

    told = capsys.readouterr()
    assert "usage: python -m kerascb run" in told.out + told.err
