"""Where the checkpoints of a run are put, each whole or not at all."""

from __future__ import annotations

import logging
import os
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import tenacity

from kerascb.checkpoint import path_template, places
from kerascb.checkpoint.catalog.manifest import has_manifest
from kerascb.checkpoint.catalog.shelf import Shelf
from kerascb.checkpoint.commit import Kind, clean_leftovers, commit
from kerascb.checkpoint.files.direct import DirectFileSystem
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.snapshot import Arena, Snapshot
from kerascb.checkpoint.writer import BackgroundWriter
from kerascb.layouts import tensor_bundle
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kerascb.checkpoint.commit import Staging, Written
    from kerascb.checkpoint.files.remote import RemoteFileSystem
    from kerascb.runtime import Runtime

_SHORTEST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30
_OWN = frozenset({Format.OWN, Format.OWN_WEIGHTS})
_log = logging.getLogger(__name__)
_HOPELESS = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""Errors that do not go away by waiting."""


@dataclass(frozen=True)
class Policy:
    """How checkpoints are written.

    Attributes:
        background: Write in a thread of its own while training goes on.
        raises: Raise what goes wrong; else it is warned of.
        retries: How often to try again what failed (≥ 0).
        verify: Read back what was written before it becomes visible.
        max_to_keep: How many of the newest stay; `None` for all.
        keep_best: How many of the best stay besides; `None` for none.
    """

    background: bool = False
    raises: bool = True
    retries: int = 0
    verify: bool = False
    max_to_keep: int | None = None
    keep_best: int | None = None

    @property
    def needs_manifest(self) -> bool:
        """Whether it has to be noted what was written."""
        return (
            self.verify
            or self.max_to_keep is not None
            or self.keep_best is not None
        )


@dataclass(frozen=True)
class Request:
    """One checkpoint to write.

    Attributes:
        path: Where to.
        form: What to write there.
        options: What TensorFlow takes as options of a save, or `None`.
        note: What to remember of it; see `kerascb.checkpoint.notes`.
        template: What the path was made of, for the manifest; `None` for a
            worker's own file, which is to be found in none.
        when_done: Called when nothing more is done with the path, in the
            thread that wrote it.
    """

    path: str
    form: Format
    options: Any = None
    note: Mapping[str, Any] = field(default_factory=dict)
    template: str | None = None
    when_done: Callable[[], None] = lambda: None


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
        self._direct: DirectFileSystem | None = None
        self._finished: deque[Request] = deque()
        self._failed: deque[Request] = deque()
        self._told: set[str] = set()
        self._shelf: Shelf | None = None
        self._is_shelf_known = False

    def begin(self, template: str) -> None:
        """Prepares the folder that checkpoints will go to.

        Args:
            template: Their path, with or without placeholders.

        Raises:
            MissingDependency: If nothing installed reaches the path.
        """
        self.warn_of_failures()  # of a fit that ended before it heard
        # Another run may have written there meanwhile.
        self._shelf, self._is_shelf_known = None, False
        folder = path_template.literal(os.path.dirname(template))
        if folder is not None:
            clean_leftovers(filesystem_of(template), folder)

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
        snapshot = self._freeze(model, request, runtime)
        if snapshot is not None and self._policy.background:
            self._writer.submit(
                partial(self._put_settled, request, snapshot),
                self._tell_of_queue,
            )
            return
        self._writer.join()
        if snapshot is not None:
            self._put(request, snapshot.write)
        else:
            self._put(request, partial(_fill_by_keras, model, request, runtime))

    def _freeze(
        self, model: Any, request: Request, runtime: Runtime
    ) -> Snapshot | None:
        """What the model is now; `None` if only Keras can write it."""
        try:
            return Snapshot.take(
                model,
                request.form,
                request.options,
                runtime=runtime,
                note=request.note,
            )
        except NotPlannable as reason:
            self._tell_of_foreground(str(reason))
            return None

    def _put_settled(self, request: Request, snapshot: Snapshot) -> None:
        try:
            snapshot.settle(self._arena)
            self._put(request, snapshot.write)
        except BaseException:
            self._note_failure(request)
            raise

    def _put(self, request: Request, fill: Callable[[Staging], None]) -> None:
        shelf = self._shelf_for(request)
        self._attempt(self._commit, request, fill, shelf)
        if shelf is not None:
            self._attempt(shelf.settle, request.path, request.note)
        self._note_success(request)

    def _note_success(self, request: Request) -> None:
        request.when_done()
        self._finished.append(request)

    def _note_failure(self, request: Request) -> None:
        self._failed.append(request)
        request.when_done()

    def _shelf_for(self, request: Request) -> Shelf | None:
        """What lists the checkpoint; `None` where nothing has to."""
        template = request.template
        if template is None:
            return None
        if not self._is_shelf_known:
            files = filesystem_of(template)
            # A list that is there must not be left to tell of former files.
            if self._policy.needs_manifest or has_manifest(files, template):
                self._shelf = Shelf(
                    files,
                    template,
                    max_to_keep=self._policy.max_to_keep,
                    keep_best=self._policy.keep_best,
                )
            self._is_shelf_known = True
        return self._shelf

    def _attempt(self, action: Callable[..., None], *arguments: Any) -> None:
        for attempt in self._attempts():
            with attempt:
                action(*arguments)

    def _attempts(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._policy.retries + 1),
            wait=tenacity.wait_exponential(
                _SHORTEST_WAIT_S, max=_LONGEST_WAIT_S
            ),
            retry=tenacity.retry_if_exception(_may_pass),
            before_sleep=tenacity.before_sleep_log(_log, logging.WARNING),
            reraise=True,
        )

    def _commit(
        self,
        request: Request,
        fill: Callable[[Staging], None],
        shelf: Shelf | None,
    ) -> None:
        def list_it(written: tuple[Written, ...]) -> None:
            if shelf is not None:
                shelf.add(request.path, request.form, request.note, written)

        files = self._files_for(request.path)
        commit(
            files,
            request.path,
            _kind_of(request.form),
            fill,
            before_visible=list_it,
            verify=self._policy.verify,
            checksums=shelf is not None,
        )
        if request.form is Format.TF_CHECKPOINT:
            _note_newest(files, request.path)

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
        self._warn(
            f"{self._owner}: a checkpoint could not be saved, and training "
            f"goes on without it: {failure}"
        )

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


def _may_pass(error: BaseException) -> bool:
    """Whether an error may be gone in a moment: a busy drive, a lock."""
    return isinstance(error, OSError) and not isinstance(error, _HOPELESS)
