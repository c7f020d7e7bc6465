"""Where the checkpoints of a run are put, each whole or not at all."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from kerascb.checkpoint import places
from kerascb.checkpoint.catalog.shelf import Shelves
from kerascb.checkpoint.commit import Kind, clean_all_leftovers, commit
from kerascb.checkpoint.files.direct import DirectFileSystem
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.retries import attempts
from kerascb.checkpoint.snapshot import Arena, Content, Snapshot
from kerascb.checkpoint.writer import BackgroundWriter
from kerascb.layouts import tensor_bundle
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kerascb.checkpoint.catalog.shelf import Shelf
    from kerascb.checkpoint.commit import Staging, Written
    from kerascb.checkpoint.files.remote import RemoteFileSystem
    from kerascb.checkpoint.request import Policy, Request
    from kerascb.runtime import Runtime

_OWN = frozenset({Format.OWN, Format.OWN_WEIGHTS})


class CheckpointStore:
    """Writes the checkpoints of one callback.

    What is asked for is frozen at once, in the training thread, and written
    there or in the background. What cannot be frozen is written by Keras in
    the training thread, and a warning says why if the background was asked
    for. A model that saves itself is left to it.

    Args:
        policy: How.
        warn: Tells the user something.
        owner: The class that saves, for messages.
    """

    def __init__(
        self, policy: Policy, warn: Callable[[str], None], owner: str
    ) -> None:
        self._policy = policy
        self._warn = warn
        self._owner = owner
        self._writer = BackgroundWriter(f"{owner} of kerascb")
        self._arena = Arena()
        self._settled: threading.Event | None = None
        self._direct: DirectFileSystem | None = None
        self._finished: deque[Request] = deque()
        self._failed: deque[Request] = deque()
        self._told: set[str] = set()
        self._written_last: tuple[str, Content] | None = None
        self._shelves = Shelves(
            always=policy.needs_manifest,
            max_to_keep=policy.max_to_keep,
            keep_best=policy.keep_best,
        )

    def begin(self, template: str) -> None:
        """Prepares the folder that checkpoints will go to.

        Args:
            template: Their path, with or without placeholders.

        Raises:
            MissingDependency: If nothing installed reaches the path.
        """
        self.warn_of_failures()  # of a fit that ended before it heard
        # Another run may have written there meanwhile.
        self._shelves.forget()
        self._written_last = None
        clean_all_leftovers(filesystem_of(template), template)

    def save(self, model: Any, request: Request, runtime: Runtime) -> None:
        """Saves a model as it is now.

        Args:
            model: The model, its variables up to date.
            request: Where to, and as what.
            runtime: The Keras of the model.

        Raises:
            Exception: What went wrong in this thread, if the policy says so.
        """
        try:
            places.check_kind(request.path, request.form, self._owner)
            self._write(model, request, runtime)
        except Exception as failure:  # noqa: BLE001 - raised, or warned of
            self._note_failure(request)
            self._tell([failure])

    def is_written(
        self, model: Any, request: Request, runtime: Runtime
    ) -> bool:
        """Whether what was written last is what would be written now.

        Waits for it. Where that cannot be known, it is taken not to be so.
        All workers have to ask: they may have to freeze the model together.

        Args:
            model: The model, its variables up to date.
            request: Where to, and as what.
            runtime: The Keras of the model.
        """
        self._writer.join()
        if self._written_last is None:
            return False
        place, content = self._written_last
        if place != request.place:
            return False
        try:
            snapshot = self._freeze(model, request, runtime)
        except Exception:  # noqa: BLE001 - `save` comes next, and tells
            return False
        return snapshot is not None and snapshot.content() == content

    def wait(self) -> None:
        """Returns when everything is written that was asked for.

        Raises:
            Exception: What went wrong, if the policy says so.
        """
        self._writer.join()
        self.tell_of_failures()

    def close(self) -> None:
        """Does what `wait` does, and gives memory back, for now.

        Raises:
            Exception: What went wrong, if the policy says so.
        """
        self._writer.join()
        self._arena.clear()
        self._direct = None
        self.tell_of_failures()

    def tell_of_failures(self) -> None:
        """Tells what went wrong in the background since the last time.

        Raises:
            Exception: The oldest of it, if the policy says so.
        """
        self._tell(self._writer.failures())

    def warn_of_failures(self) -> None:
        """Waits, and warns of what went wrong, whatever the policy says."""
        self._writer.join()
        for failure in self._writer.failures():
            self._warn_of(failure)

    def finished(self) -> Iterator[Request]:
        """What has been written since the last time, in order."""
        while self._finished:
            yield self._finished.popleft()

    def failed(self) -> Iterator[Request]:
        """What could not be written, likewise."""
        while self._failed:
            yield self._failed.popleft()

    def _write(self, model: Any, request: Request, runtime: Runtime) -> None:
        """Writes here and now, or has the background do it."""
        if request.form in _OWN:
            self._tell_of_foreground(request.form.value)
            self._writer.join()
            runtime.save(model, request.path, request.form, request.options)
            self._note_success(request)
            return
        self._await_memory()
        snapshot = self._freeze(model, request, runtime)
        if self._is_left_to_chief(request):
            self._take_part(model, request, snapshot, runtime)
            return
        if snapshot is not None and self._policy.background:
            settled = threading.Event()
            self._writer.submit(
                partial(self._put_settled, request, snapshot, settled)
            )
            self._settled = settled
            return
        self._writer.join()
        if snapshot is not None:
            self._put_snapshot(request, snapshot)
        else:
            self._put(request, partial(_fill_by_keras, model, request, runtime))

    def _is_left_to_chief(self, request: Request) -> bool:
        """Whether it is the chief that writes, and lists, what all share."""
        return not (
            request.is_chief or request.template is None
        ) and self._shelves.is_listed(
            filesystem_of(request.place), request.home
        )

    def _take_part(
        self,
        model: Any,
        request: Request,
        snapshot: Snapshot | None,
        runtime: Runtime,
    ) -> None:
        """Does what the workers of a chief that saves have to do with it."""
        if snapshot is not None:
            self._remember(request, snapshot)
        else:
            with tempfile.TemporaryDirectory(prefix="kerascb-") as scratch:
                name = os.path.basename(request.path.rstrip("/"))
                path = os.path.join(scratch, name)
                runtime.save(model, path, request.form, request.options)
        self._note_success(request)

    def _await_memory(self) -> None:
        """Waits until the snapshot before has moved into the arena.

        With the state that is being written there are then never more than
        two beside the model's own, however often a save is asked for.
        """
        self._writer.wait_for_room(self._tell_of_queue)
        if self._settled is not None:
            self._settled.wait()

    def _freeze(
        self, model: Any, request: Request, runtime: Runtime
    ) -> Snapshot | None:
        """What the model is now; `None` if only Keras can write it."""
        try:
            snapshot = Snapshot.take(
                model,
                request.form,
                request.options,
                runtime=runtime,
                note=request.note,
            )
        except NotPlannable as reason:
            self._tell_of_foreground(str(reason))
            return None
        if snapshot.has_bfloat16() and not request.form.gives_back_bfloat16(
            runtime.name
        ):
            self._tell_once(
                "no Keras can load the bfloat16 weights of this model from "
                f"{request.form.value}, as {runtime.package} writes it. Save "
                "to another format, or keep the weights in float32."
            )
        return snapshot

    def _put_settled(
        self, request: Request, snapshot: Snapshot, settled: threading.Event
    ) -> None:
        try:
            try:
                snapshot.settle(self._arena)
            finally:
                settled.set()
            self._put_snapshot(request, snapshot)
        except BaseException:
            self._note_failure(request)
            raise

    def _put_snapshot(self, request: Request, snapshot: Snapshot) -> None:
        self._put(request, snapshot.write)
        self._remember(request, snapshot)

    def _remember(self, request: Request, snapshot: Snapshot) -> None:
        if self._policy.recognises:
            self._written_last = request.place, snapshot.content()

    def _put(self, request: Request, fill: Callable[[Staging], None]) -> None:
        shelf = self._shelf_for(request)
        self._written_last = None
        self._attempt(request.path, self._commit, request, fill, shelf)
        if shelf is not None:
            path, note = request.path, request.note
            self._attempt(path, shelf.settle, path, note)
        self._note_success(request)

    def _note_success(self, request: Request) -> None:
        request.when_done(request.place)
        self._finished.append(request)

    def _note_failure(self, request: Request) -> None:
        self._failed.append(request)
        request.when_done(request.place)

    def _shelf_for(self, request: Request) -> Shelf | None:
        """What lists the checkpoint; `None` where nothing has to."""
        if request.template is None:
            return None
        files = filesystem_of(request.place)
        return self._shelves.shelf(files, request.template, request.home)

    def _attempt(
        self, path: str, action: Callable[..., None], *arguments: Any
    ) -> None:
        for attempt in attempts(self._policy.retries, path):
            with attempt:
                action(*arguments)

    def _commit(
        self,
        request: Request,
        fill: Callable[[Staging], None],
        shelf: Shelf | None,
    ) -> None:
        def list_it(written: tuple[Written, ...]) -> None:
            if shelf is not None:
                shelf.add(request.path, request.form, request.note, written)

        files = self._files_for(request.place)
        commit(
            files,
            request.place,
            _kind_of(request.form),
            fill,
            before_visible=list_it,
            verify=self._policy.verify,
            checksums=shelf is not None,
            shown=request.path,
        )
        if request.form is Format.TF_CHECKPOINT:
            _note_newest(files, request.place)

    def _files_for(self, path: str) -> LocalFileSystem | RemoteFileSystem:
        files = filesystem_of(path)
        if not isinstance(files, LocalFileSystem):
            return files
        if self._direct is None:
            self._direct = DirectFileSystem()
        return self._direct

    def _tell(self, failures: list[BaseException]) -> None:
        if not failures:
            return
        first = failures[0] if self._policy.raises else None
        for failure in failures:
            if failure is not first:
                self._warn_of(failure)
        if first is not None:
            raise first

    def _warn_of(self, failure: BaseException) -> None:
        self._warn(f"{self._owner}: a checkpoint could not be saved: {failure}")

    def _tell_of_queue(self) -> None:
        self._tell_once(
            "a save was due before the one before the last was written; "
            "training waits for the disk. Save less often, or to a faster one."
        )

    def _tell_of_foreground(self, reason: str) -> None:
        if self._policy.background:
            self._tell_once(
                "background=True has no effect, the model is saved in the "
                f"training thread: {reason}."
            )

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(f"{self._owner}: {text}")


def _kind_of(form: Format) -> Kind:
    if form.is_one_file:
        return Kind.FILE
    return Kind.PREFIX if form is Format.TF_CHECKPOINT else Kind.DIRECTORY


def _note_newest(
    files: LocalFileSystem | RemoteFileSystem, prefix: str
) -> None:
    """Notes a TensorFlow checkpoint as its folder's newest, as stock does."""
    folder, _ = os.path.split(prefix)

    def fill(staging: Staging) -> None:
        staging.write("", [tensor_bundle.checkpoint_state(prefix)])

    path = os.path.join(folder, "checkpoint")
    commit(files, path, Kind.FILE, fill, checksums=False)


def _fill_by_keras(
    model: Any, request: Request, runtime: Runtime, staging: Staging
) -> None:
    runtime.save(model, staging.path, request.form, request.options)
    staging.adopt()
