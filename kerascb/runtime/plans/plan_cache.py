"""What was made of a model, kept for as long as the model is the same."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Kept = TypeVar("_Kept")


class PlanCache(Generic[_Kept]):
    """Keeps one thing a model, which goes with the model.

    What is kept must not hold the model: a variable may, by a regularizer,
    say. Keep weak references to variables.
    """

    def __init__(self) -> None:
        self._kept: weakref.WeakKeyDictionary[
            Any, tuple[list[weakref.ref[Any]], _Kept]
        ] = weakref.WeakKeyDictionary()

    def get(
        self,
        model: Any,
        objects: Sequence[Any],
        make: Callable[[], _Kept],
        holds: Callable[[_Kept], bool] = lambda kept: True,
    ) -> _Kept:
        """What is kept, or else is made and kept now.

        Args:
            model: Whose it is.
            objects: What must be the same objects as before, such as the
                model's variables.
            make: Makes it.
            holds: Whether what is kept can still be used.
        """
        kept = self.recall(model, objects)
        if kept is not None and holds(kept):
            return kept
        made = make()
        self.keep(model, objects, made)
        return made

    def recall(self, model: Any, objects: Sequence[Any]) -> _Kept | None:
        """What is kept; `None` if the objects are not those of then.

        Args:
            model: Whose it is.
            objects: What must be the same objects as when it was kept.
        """
        entry = self._kept.get(model)
        if entry is None or not _refer_to(objects, entry[0]):
            return None
        return entry[1]

    def keep(self, model: Any, objects: Sequence[Any], made: _Kept) -> None:
        """Keeps something.

        Args:
            model: Whose it is.
            objects: What must be the same objects when it is used again.
            made: What to keep.
        """
        self._kept[model] = [weakref.ref(each) for each in objects], made

    def forget(self, model: Any) -> None:
        """Lets go of what is kept of a model.

        Args:
            model: Whose it is.
        """
        self._kept.pop(model, None)


def state_of(model: Any) -> list[Any]:
    """The objects that decide what TensorFlow would write of a model.

    Args:
        model: A model of either Keras.

    Returns:
        Its variables, its optimizer, and the variables of that.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return list(model.variables)
    variables = optimizer.variables
    if callable(variables):  # Keras 2
        variables = variables()
    return [*model.variables, optimizer, *variables]


def _refer_to(
    objects: Sequence[Any], references: Sequence[weakref.ref[Any]]
) -> bool:
    return len(objects) == len(references) and all(
        reference() is one
        for one, reference in zip(objects, references, strict=True)
    )
