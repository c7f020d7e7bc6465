"""Where the layers of Keras 2 get their random numbers.

Each has a `RandomGenerator`, which Keras keeps private. It draws from
operations of TensorFlow, whose state nobody can read, or from a
`tf.random.Generator`, whose state is a variable.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DRAWS = (
    "dropout",
    "make_seed_for_stateless_op",
    "random_normal",
    "random_uniform",
    "truncated_normal",
)


def give_generators(model: Any, backend: Any) -> None:
    """Has every layer draw from a `tf.random.Generator`.

    What the layer says of itself in its config stays as it is, so that the
    model is saved as it would be.

    Args:
        model: The model; `fit` has not traced its step yet, or does so anew.
        backend: Keras 2's module of that name.
    """
    kind = backend.RandomGenerator
    old = [one for one in _generators(model, kind) if type(one) is kind]
    given = _with_state(kind)
    changed = False
    for generator in old:
        if generator._rng_type == kind.RNG_LEGACY_STATEFUL:
            generator.__class__ = given
            generator._built = False
            generator._maybe_init()
            changed = True
    if changed and _is_traced(model):
        model.make_train_function(force=True)


def _generators(model: Any, kind: type) -> Iterator[Any]:
    for layer in getattr(model, "_flatten_layers", tuple)():
        for value in vars(layer).values():
            if isinstance(value, kind):
                yield value


def _is_traced(model: Any) -> bool:
    function = getattr(model, "train_tf_function", None)
    count = getattr(function, "experimental_get_tracing_count", int)
    return bool(count())


@functools.cache
def _with_state(kind: Any) -> Any:
    """Keras's class, but drawing from a generator whatever its type says."""

    def _maybe_init(self: Any) -> None:
        with _stateful(self):
            kind._maybe_init(self)

    members: dict[str, Any] = {
        name: _drawing(getattr(kind, name)) for name in _DRAWS
    }
    return type(kind.__name__, (kind,), {**members, "_maybe_init": _maybe_init})


def _drawing(draw: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(draw)
    def draw_from_generator(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _stateful(self):
            return draw(self, *args, **kwargs)

    return draw_from_generator


@contextlib.contextmanager
def _stateful(generator: Any) -> Iterator[None]:
    said = generator._rng_type
    generator._rng_type = generator.RNG_STATEFUL
    try:
        yield
    finally:
        generator._rng_type = said
