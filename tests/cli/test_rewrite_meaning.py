"""Programs mean after `kerascb swap` what they meant before.

Programs are made up of random statements and run before and after, among
stand-ins for Keras that record which class was taken. No Keras is needed.
"""

import builtins
import types

import pytest

pytest.importorskip("libcst", reason="kerascb[swap] is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from kerascb.cli._rewrite import rewrite

_CLASSES = ("EarlyStopping", "History", "Foreign")
_IMPORTS = (
    "import keras",
    "import keras, tensorflow as tf",
    "import keras.callbacks",
    "import keras.callbacks as {alias}",
    "import tensorflow.keras as {alias}",
    "import tensorflow as tf",
    "from tensorflow import keras",
    "from keras import callbacks",
    "from keras import callbacks as {alias}, layers",
    "from keras import (  # c\n    layers,\n    callbacks,  # d\n)",
    "from keras.callbacks import {name}",
    "from keras.callbacks import {name} as {alias}, History",
    "from keras.callbacks import (\n    {name},  # e\n    Foreign as {alias})",
    "from tensorflow.keras.callbacks import {name} as kerascb",
    "from keras.callbacks import *",
    "import kerascb",
    "import kerascb as {alias}",
)
_OTHERS = (
    "import missing",
    "{alias} = keras",
    "{alias} = tf.keras.callbacks",
    "callbacks = [callbacks.{name}]",
    "keras = None",
    "kerascb = 7",
    "del keras",
    "see(keras.callbacks.{name})",
    "see(tf.keras.callbacks.{name}, keras.layers)",
    "see(callbacks.{name}); see({name})",
    "see({alias}.callbacks.{name})",
    "see({alias}.{name})",
    "see((lambda keras: keras.callbacks.{name})(keras))",
    "see(f'{{keras.callbacks.{name}}}')",
    "see(\n    keras\n    .callbacks.{name})",
    "see(getattr(keras, 'callbacks').{name})",
)


def _statements():
    return st.builds(
        lambda form, alias, name: form.format(alias=alias, name=name),
        st.sampled_from(_IMPORTS) | st.sampled_from(_IMPORTS + _OTHERS),
        st.sampled_from(["cb", "callbacks", "keras", "K"]),
        st.sampled_from(_CLASSES),
    )


def _indented(block):
    return "\n".join(f"    {line}" for line in block.splitlines())


def _compounds(statements):
    blocks = st.lists(statements, min_size=1, max_size=3).map("\n".join)
    return st.one_of(
        blocks.map(lambda block: f"if True:\n{_indented(block)}"),
        blocks.map(lambda block: f"def f():\n{_indented(block)}\nf()"),
        blocks.map(lambda block: f"class C:\n{_indented(block)}"),
        st.tuples(blocks, blocks).map(
            lambda pair: (
                f"try:\n{_indented(pair[0])}\n"
                f"except ImportError:\n{_indented(pair[1])}"
            )
        ),
    )


_PROGRAMS = st.lists(
    st.recursive(_statements(), _compounds, max_leaves=4),
    min_size=1,
    max_size=7,
).map(lambda statements: "\n".join(statements) + "\n")


@settings(max_examples=100, deadline=None)
@given(_PROGRAMS)
def test_a_program_takes_the_same_classes(program):
    """Each class that was taken before is taken after, ours where we have it.

    A program that fails before may get further after: an import that is
    missing may have been added.
    """
    before, is_whole = _run(program)
    rewritten = rewrite(program).source

    after, _ = _run(rewritten)

    assert after[: len(before)] == before
    assert not is_whole or after == before


@settings(max_examples=60, deadline=None)
@given(_PROGRAMS)
def test_a_program_that_was_swapped_is_swapped(program):
    """A second run finds nothing to do."""
    once = rewrite(program).source

    assert rewrite(once).source == once


def _run(program):
    """Runs a program; returns the names it has seen, and whether it ended."""
    seen = []
    names = {"__builtins__": {**vars(builtins), "__import__": _import}}
    names["see"] = lambda *things: seen.extend(map(str, things))
    try:
        exec(compile(program, "program", "exec"), names)  # noqa: S102
    except Exception:  # noqa: BLE001 - whatever a random program raises
        return seen, False
    return seen, True


def _module(name, **contents):
    module = types.ModuleType(name)
    vars(module).update(contents)
    return module


def _world():
    stock = _module("callbacks", **{name: name for name in _CLASSES})
    keras = _module("keras", callbacks=stock, layers="layers")
    ours = {name: name for name in _CLASSES if name != "Foreign"}
    return {
        "keras": keras,
        "keras.callbacks": stock,
        "tensorflow": _module("tensorflow", keras=keras),
        "tensorflow.keras": keras,
        "tensorflow.keras.callbacks": stock,
        "kerascb": _module("kerascb", **ours),
    }


_WORLD = _world()


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    del globals, locals, level
    if name not in _WORLD:
        raise ImportError(name)
    return _WORLD[name if fromlist else name.partition(".")[0]]
