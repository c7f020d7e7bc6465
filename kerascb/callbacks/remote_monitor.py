"""Epochs reported to a server, by HTTP."""

from __future__ import annotations

import importlib
import json
import math
import re
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._values import off_device
from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument, MissingDependency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.runtime import Logs

_SCHEME = r"[a-z][a-z0-9+.-]*://"
_URL = re.compile(f"{_SCHEME}[^/]+", re.IGNORECASE)
_USER = re.compile(f"^({_SCHEME})?.*@", re.IGNORECASE)


class RemoteMonitor(Callback):
    """Posts what every epoch logged to a server.

    One POST an epoch, to `root + path`, of `{"epoch": …, **logs}` as JSON:
    arrays become lists, an array of one element and a tensor of none become
    numbers, NaN and infinities become `null`, which JSON has and they are not.

    A server that cannot be reached, answers with an error or keeps silent
    does not stop training. It is told once a fit, with the cause; neither the
    headers nor the user name and password of a URL are ever printed.

    Training waits at most `timeout_s` seconds for a connection, and as long
    for the server to begin its answer, whose body is not read. (Redirects, and
    a server that sends the head of its answer bit by bit, can stretch that.)
    It remembers nothing across a restart: the epochs that `BackupAndRestore`
    has trained again are posted again, under the same number.

    Where `requests.post` has been replaced (a test's mock), it is called as
    Keras calls it, and waiting is its own affair.

    Args:
        root: URL of the server, with its scheme.
        path: Where on the server, from the root.
        field: Name of the form's field that holds the JSON, unless
            `send_as_json`.
        headers: HTTP headers to send along, for authorisation say.
        send_as_json: Send the JSON itself and not a form.
        timeout_s: Seconds to wait for a connection, and for the beginning of
            an answer (> 0).

    Raises:
        MissingDependency: If requests is not installed.
        InvalidArgument: If `root` has no scheme, or `timeout_s` is no positive
            number.

    Example:
        >>> from kerascb import RemoteMonitor
        >>> RemoteMonitor("localhost:9000")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        kerascb.errors.InvalidArgument: RemoteMonitor: `root` must be a URL ...
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
        *,
        timeout_s: float = 10.0,
    ) -> None:
        super().__init__()
        _requests()
        if not isinstance(root, str) or not _URL.match(root):
            raise InvalidArgument(
                "RemoteMonitor: `root` must be a URL with its scheme; got "
                f"root={without_secrets(str(root))!r}. Pass 'http://…' or "
                "'https://…'."
            )
        if not _is_duration(timeout_s):
            raise InvalidArgument(
                "RemoteMonitor: `timeout_s` must be a number of seconds above "
                f"0; got timeout_s={timeout_s!r}."
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json
        self.timeout_s = timeout_s
        self._told: set[str] = set()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """A new fit may tell its user of the server again.

        Args:
            logs: Not used.
        """
        del logs
        self._told.clear()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Posts the epoch.

        Args:
            epoch: Zero-based number of the epoch.
            logs: Metric name to value.
        """
        event: dict[str, Any] = {"epoch": epoch}
        for name, value in (logs or {}).items():
            event[name] = as_json(off_device(value, self._runtime))
        try:
            response = self._post(event)
        except _requests().exceptions.RequestException as error:
            self._tell_unreachable(reason(error, self.timeout_s))
            return
        # A stand-in for `requests.post` may return anything.
        if not getattr(response, "ok", True):
            self._tell_once(
                f"RemoteMonitor root server at {without_secrets(self.root)} "
                f"refused an epoch: {response.status_code} {response.reason}"
            )

    def _post(self, event: dict[str, Any]) -> Any:
        requests = _requests()
        is_replaced = requests.post is not requests.api.post
        extra: dict[str, Any] = {"headers": self.headers}
        if not is_replaced:
            extra.update(timeout=self.timeout_s, stream=True)
        url = self.root + self.path
        if self.send_as_json:
            response = requests.post(url, json=event, **extra)
        else:
            form = {self.field: json.dumps(event)}
            response = requests.post(url, form, **extra)
        if not is_replaced:
            response.close()  # Its body may take for ever.
        return response

    def _tell_unreachable(self, cause: str) -> None:
        is_keras3 = self._runtime.name == "keras3"
        self._tell_once(
            f"{'Could' if is_keras3 else 'Warning: could'} not reach "
            f"RemoteMonitor root server at {without_secrets(self.root)} "
            f"({cause})"
        )

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(text)


def _is_duration(seconds: Any) -> bool:
    is_number = isinstance(seconds, Real) and not isinstance(seconds, bool)
    return is_number and 0 < seconds < math.inf


def as_json(value: Any) -> Any:
    """The value in types that JSON has.

    Args:
        value: A Python value or a NumPy one; what is neither becomes a text.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.item() if value.size == 1 else value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return str(value)


def reason(error: BaseException, timeout_s: float) -> str:
    """Why a request failed, in a few words that give no URL away.

    Args:
        error: What requests raised.
        timeout_s: How long it waited.
    """
    if isinstance(error, _requests().exceptions.Timeout):
        return f"no answer within {timeout_s:g} s"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def without_secrets(root: str) -> str:
    """The URL without the user, the password and the query, if it has them.

    Args:
        root: A URL, maybe without its scheme.
    """
    return _USER.sub(r"\1", root.partition("?")[0])


def _requests() -> Any:
    try:
        return importlib.import_module("requests")
    except ImportError as error:
        raise MissingDependency("RemoteMonitor", "requests") from error
