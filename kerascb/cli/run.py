"""`kerascb run SCRIPT …`: run code that cannot be edited with our callbacks.

The program finds what it would find under `python SCRIPT …` or
`python -m MODULE …`: its arguments, its import path, itself as `__main__`;
what it raises and how it exits reaches the shell the same way.
"""

from __future__ import annotations

import argparse
import builtins
import io
import os
import pkgutil
import runpy
import sys
import types
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING

from kerascb._install import install

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_SUCH_FILE = 2
# Private, and what `python -m` itself calls; the public `run_module` makes a
# `__main__` that is gone when it returns.
_run_as_main = runpy._run_module_as_main  # type: ignore[attr-defined]  # noqa: SLF001


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Adds `run` to a command line.

    Args:
        subparsers: What `ArgumentParser.add_subparsers` returns.

    Returns:
        The parser added. Its default `run` takes the arguments parsed and
        returns the exit status, or raises what the program raises.
    """
    parser = subparsers.add_parser(
        "run",
        help="run an unedited program with kerascb's callbacks",
        description=(
            "Runs a Python program as `python` does, but with kerascb's "
            "classes where tf.keras, keras and tf_keras have their callbacks."
        ),
        allow_abbrev=False,
    )
    parser.add_argument(
        "-m",
        dest="is_module",
        action="store_true",
        help="PROGRAM is the name of a module, as in `python -m`",
    )
    parser.add_argument(
        "program",
        metavar="PROGRAM",
        help="a script, or a directory or zip file with a __main__.py",
    )
    parser.add_argument(
        "arguments",
        metavar="...",
        nargs=argparse.REMAINDER,
        help="what the program gets as its own arguments",
    )
    parser.set_defaults(
        run=lambda parsed: run(
            parsed.program, parsed.arguments, is_module=parsed.is_module
        )
    )
    return parser


def run(
    program: str, arguments: Sequence[str] = (), *, is_module: bool = False
) -> int:
    """Runs a program in this process, which is the program's from then on.

    Args:
        program: The path of a script, of a directory or zip file with a
            `__main__.py`, or the name of a module.
        arguments: The program's own.
        is_module: Whether `program` is a module's name.

    Returns:
        The exit status: 0, or 2 if there is no such script. What a program
        raises, `SystemExit` among it, passes through.
    """
    sys.argv = [program, *arguments]
    # `__main__` is the program's from now on: its threads and its `atexit`
    # functions outlive this call.
    main = types.ModuleType("__main__")
    vars(main).update(__annotations__={}, __builtins__=builtins)
    sys.modules["__main__"] = main
    install()
    try:
        if is_module:
            _run_module(program)
        elif pkgutil.get_importer(program) is not None:
            _run_folder(program)
        else:
            return _run_script(program, main)
    except (Exception, KeyboardInterrupt) as error:
        _show_without_us(error)
        raise
    return 0


def _run_module(name: str) -> None:
    _set_import_path(os.getcwd())
    _run_as_main(name)


def _run_folder(path: str) -> None:
    _set_import_path(os.path.abspath(path))
    _run_as_main("__main__", alter_argv=False)


def _run_script(path: str, main: types.ModuleType) -> int:
    path = os.path.abspath(path)
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        sys.stderr.write(
            f"{sys.executable}: can't open file {path!r}: {reason}\n"
        )
        return _NO_SUCH_FILE
    _set_import_path(os.path.dirname(os.path.realpath(path)))
    vars(main).update(
        __cached__=None,
        __file__=path,
        __loader__=SourceFileLoader("__main__", path),
    )
    code = compile(source, path, "exec", dont_inherit=True)
    exec(code, vars(main))  # noqa: S102 - it is what we were asked to do
    return 0


def _set_import_path(folder: str) -> None:
    # Under `-I` and `-P` Python leaves its folder out for any program.
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = folder


def _show_without_us(error: BaseException) -> None:
    """Keeps our frames out of the traceback that Python is going to print.

    The error goes on its way to the interpreter, which exits as it would
    have without us; only its hook gets to see less.
    """
    theirs = sys.excepthook
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next

    def hook(
        kind: type[BaseException],
        value: BaseException,
        whole: types.TracebackType | None,
    ) -> None:
        sys.excepthook = theirs
        if value is error:
            value.__traceback__ = whole = sys.last_traceback = trace
        theirs(kind, value, whole)

    sys.excepthook = hook
