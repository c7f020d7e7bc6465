"""Which dotted names mean stock's callbacks, and what kerascb has of them.

Pure, and free of both Keras and libcst: a name goes in as `a.b.c`, and what
it is to kerascb comes out. Everything inside the callbacks module is called
by its *place*, the dotted name from there on: `""` is the module itself,
`"EarlyStopping"` a class, `"experimental.BackupAndRestore"` one further in.
"""

from __future__ import annotations

import re

from kerascb._names import (
    CALLBACKS,
    EXPERIMENTAL,
    KERAS_INTERNALS,
    KERAS_PACKAGES,
)

PACKAGE = "kerascb"

_INTERNALS = frozenset({*KERAS_INTERNALS, "tensorflow.python.keras"})
_KERAS = frozenset(
    {
        *KERAS_PACKAGES,
        *_INTERNALS,
        "tensorflow._api.v2.keras",
        "tensorflow.compat.v2.keras",
    }
)

# Of the same family, but not what kerascb stands in for: `compat.v1` trains
# in graph mode, `contrib` died with TensorFlow 1.
_RELATIVE = re.compile(r"(tensorflow|keras|tf_keras)\.(.+\.)?callbacks(\.|$)")

# What a string or a comment calls the module by.
MENTION = re.compile(
    r"(?<![\w.])(?:\w+\.)*(?:tf_)?keras\.(?:api\.|src\.)?callbacks(?:\.\w+)*\b"
)


def place(path: str) -> str | None:
    """Finds `path` inside stock's callbacks module.

    Args:
        path: An absolute dotted name.

    Returns:
        The dotted name from the callbacks module on, `""` for the module
        itself, None for a path elsewhere.
    """
    keras, found, rest = path.partition(".callbacks")
    if not found or keras not in _KERAS or rest[:1] not in {"", "."}:
        return None
    return rest[1:]


def is_keras(path: str) -> bool:
    """Tells whether `path` is a module that has `callbacks` in it."""
    return path in _KERAS


def is_public(path: str) -> bool:
    """Tells whether `path` is a module of callbacks that users should know.

    The internal ones have other public names in them than those of classes.
    """
    return path.partition(".callbacks")[0] in _KERAS - _INTERNALS


def is_relative_of_stock(path: str) -> bool:
    """Tells whether `path` is Keras's, but of a kind that is left alone."""
    return place(path) is None and _RELATIVE.match(path) is not None


def is_module(where: str) -> bool:
    """Tells whether a place is a module, one that kerascb has too."""
    return where in {"", "experimental"}


def is_offered(where: str) -> bool:
    """Tells whether kerascb has what stock has at a place.

    What lies inside a class is taken to be there where the class is.
    """
    head, *tail = where.split(".")
    if head == "experimental":
        return not tail or tail[0] in EXPERIMENTAL
    return not head or head in CALLBACKS


def join(*parts: str) -> str:
    """Joins dotted names, passing over empty ones."""
    return ".".join(part for part in parts if part)
