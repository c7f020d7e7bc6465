"""SavedModel directories, planned: the graph is exported once.

What differs between two saves of a fit is the values of variables. So the
directory is written into a folder of its own the first time, but for these;
its files are kept, and every save gives them with the values it has.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

# No public call tells which of its objects TensorFlow saves under which key.
from tensorflow.python.checkpoint.checkpoint import TrackableSaver

from kerascb.layouts.plan import NotPlannable, Plan
from kerascb.layouts.tensor_bundle import bundle
from kerascb.runtime.plans.plan_cache import PlanCache, state_of
from kerascb.runtime.plans.serialized import Serialized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kerascb.layouts.plan import Buffer, FileLayout

_FINGERPRINT = "fingerprint.pb"
_VARIABLES = "variables/variables"
_one_at_a_time = threading.RLock()


@dataclass(frozen=True)
class Exported:
    """A directory without values; it does not hold the model.

    Attributes:
        files: Name → content, but for what changes with every save.
        fingerprint: What tells it from other directories.
        serialized: The tensors that belong into it.
    """

    files: Mapping[str, bytes]
    fingerprint: bytes
    serialized: Serialized

    @classmethod
    def by(
        cls,
        write: Callable[[str], None],
        stands_for: Callable[[Any], Callable[[Any], Any]] | None = None,
    ) -> Exported:
        """Exports a directory.

        Args:
            write: Writes it to a path, by TensorFlow.
            stands_for: Gives for the root of what is exported the function
                that `Serialized.by` takes.

        Raises:
            NotPlannable: If there is more to write than tensors.
        """
        heard: list[Serialized] = []

        def hear(saver: Any) -> None:
            chosen = stands_for(saver._graph_view.root) if stands_for else _same
            heard.append(Serialized.by(saver, chosen))

        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent, "model")
            with _heard_instead_of_written(hear):
                write(str(folder))
            files = {
                file.relative_to(folder).as_posix(): file.read_bytes()
                for file in folder.rglob("*")
                if file.is_file()
            }
        if len(heard) != 1:
            raise NotPlannable("TensorFlow saves it in parts")
        return cls(files, files.pop(_FINGERPRINT, b""), heard[0])

    def plan(
        self,
        variables: Sequence[Any] = (),
        files: Mapping[str, FileLayout] | None = None,
        seeds: Sequence[int] = (),
    ) -> Plan:
        """Plans a save.

        Args:
            variables: What `files` are rendered from.
            files: What else belongs into the directory, or takes the place
                of an exported file.
            seeds: As in a `Plan`.
        """
        numbers = {id(each): i for i, each in enumerate(variables)}
        together = [*variables]
        for variable in self.serialized.variables:
            if id(variable) not in numbers:
                numbers[id(variable)] = len(together)
                together.append(variable)
        tensors = self.serialized.tensors(numbers, anew=True)
        values = bundle(tensors, _VARIABLES)
        ours: dict[str, FileLayout] = {
            **{name: FixedLayout(data) for name, data in self.files.items()},
            **values,
            **(files or {}),
        }
        if self.fingerprint:
            index = values[f"{_VARIABLES}.index"]
            ours[_FINGERPRINT] = _Fingerprint.of(self.fingerprint, index)
        return Plan(tuple(together), ours, tuple(seeds))


def exported_once_a_fit(
    model: Any,
    write: Callable[[str], None],
    *,
    watched: Sequence[Any] = (),
    stands_for: Callable[[Any], Callable[[Any], Any]] | None = None,
) -> Exported:
    """Exports a model, unless it is as it was the last time.

    Args:
        model: The model.
        write: As for `Exported.by`.
        watched: What else must be the same objects as the last time, besides
            the model's state and its `History`.
        stands_for: As for `Exported.by`.

    Raises:
        NotPlannable: If there is more to write than tensors.
    """
    if getattr(model, "run_eagerly", False):
        # What Python has may count in training; a graph has it as it was.
        _cache.forget(model)
    # Another object in every fit: a graph may be of Python state.
    history = getattr(model, "history", None)
    this_fit = [] if history is None else [history]
    return _cache.get(
        model,
        [*state_of(model), *watched, *this_fit],
        lambda: Exported.by(write, stands_for),
        lambda kept: kept.serialized.is_whole,
    )


_cache: PlanCache[Exported] = PlanCache()


@dataclass(frozen=True)
class FixedLayout:
    """A file that is always the same.

    Attributes:
        content: What is in it.
    """

    content: bytes

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        """The content of the file; see `FileLayout`."""
        del values, note
        yield self.content


@dataclass(frozen=True)
class _Fingerprint:
    """What TensorFlow tells directories apart by: it sums up the index."""

    exported: bytes
    identity: str = field(compare=False)
    index: FileLayout

    @classmethod
    def of(cls, exported: bytes, index: FileLayout) -> _Fingerprint:
        return cls(exported, str(uuid.uuid4().int), index)

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        index = b"".join(self.index.render(values, note))
        parts = fingerprint_pb2.FingerprintDef.FromString(self.exported)
        (digest,) = tf.fingerprint([index]).numpy()
        parts.checkpoint_hash = int.from_bytes(digest.tobytes(), "little")
        if getattr(parts, "uuid", ""):  # TensorFlow 2.16 brought it
            parts.uuid = self.identity
        yield parts.SerializeToString(deterministic=True)


@contextlib.contextmanager
def _heard_instead_of_written(hear: Callable[[Any], None]) -> Iterator[None]:
    """Has TensorFlow tell what it would save in this thread, and not save."""
    here = threading.get_ident()
    with _one_at_a_time:
        write = TrackableSaver.save

        def save(saver: Any, file_prefix: Any, *args: Any, **how: Any) -> Any:
            if threading.get_ident() != here:
                return write(saver, file_prefix, *args, **how)
            hear(saver)
            return file_prefix

        TrackableSaver.save = save
        try:
            yield
        finally:
            TrackableSaver.save = write


def _same(owner: Any) -> Any:
    return owner
