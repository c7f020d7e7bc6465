"""Epochs posted to a server, and servers that do not answer."""

import contextlib
import copy
import json
import pickle
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock
from urllib.parse import parse_qs

import numpy as np
import pytest

from kerascb import RemoteMonitor
from kerascb.callbacks.remote_monitor import as_json, without_secrets
from kerascb.errors import InvalidArgument, MissingDependency
from kerascb.testing import drive
from tests.parity import assert_equal_runs, compare

WAIT_S = 30


class Server:
    """A server on this machine that notes what it is sent."""

    def __init__(self):
        self.requests = []
        self.statuses = []
        self.answers = threading.Event()
        self.answers.set()
        self.body = b""
        self.body_may_follow = threading.Event()
        self.body_may_follow.set()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.requests.append((self.path, self.headers, body.decode()))
                owner.answers.wait(WAIT_S)
                status = owner.statuses.pop(0) if owner.statuses else 200
                with contextlib.suppress(ConnectionError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(owner.body)))
                    self.end_headers()
                    owner.body_may_follow.wait(WAIT_S)
                    self.wfile.write(owner.body)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Those who answer are waited for as well.
        self._server.daemon_threads = False
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.answers.set()
        self.body_may_follow.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """Nothing stands between the tests and this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server():
    """A server that answers."""
    with Server() as running:
        yield running


@pytest.fixture
def nobody():
    """The root of a server that is gone."""
    with Server() as gone:
        pass
    return gone.root


class TestWhatIsSent:
    def test_form_field_holds_the_json(self, server):
        """One POST an epoch, to the path that dashboards listen on."""
        drive([RemoteMonitor(server.root)], epochs=[{"loss": 0.5}, {"loss": 1}])

        path, _, body = server.requests[0]
        assert path == "/publish/epoch/end/"
        assert json.loads(parse_qs(body)["data"][0]) == {
            "epoch": 0,
            "loss": 0.5,
        }
        assert len(server.requests) == 2

    def test_json_itself(self, server):
        """With `send_as_json` the body is the JSON, and says so."""
        monitor = RemoteMonitor(
            server.root, "/here", headers={"X-Who": "me"}, send_as_json=True
        )

        drive([monitor], epochs=[{"loss": 0.5}])

        path, headers, body = server.requests[0]
        assert path == "/here"
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Who"] == "me"
        assert json.loads(body) == {"epoch": 0, "loss": 0.5}

    @pytest.mark.parametrize("send_as_json", [False, True])
    def test_nan_does_not_break_the_json(self, server, send_as_json):
        """What JSON has no number for arrives as null."""
        monitor = RemoteMonitor(
            server.root, field="f", send_as_json=send_as_json
        )

        drive([monitor], epochs=[{"loss": float("nan"), "b": float("-inf")}])

        body = server.requests[0][2]
        text = body if send_as_json else parse_qs(body)["f"][0]
        assert json.loads(text) == {"epoch": 0, "loss": None, "b": None}
        assert "NaN" not in text

    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            (np.float32(0.5), 0.5),
            (np.arange(1), 0),
            (np.array(2.0), 2.0),
            (np.array([1.0, float("inf")]), [1.0, None]),
            (np.zeros((1, 2)), [[0.0, 0.0]]),
            (np.bool_(True), True),
            (np.array([]), []),
            ((1, "two", None), [1, "two", None]),
            ({1: np.int64(2)}, {"1": 2}),
            (1 + 2j, "(1+2j)"),
        ],
    )
    def test_float32_and_other_values_become_json(self, value, sent):
        """No value ends training because JSON does not know its type."""
        converted = as_json(value)

        assert converted == sent
        assert json.loads(json.dumps(converted, allow_nan=False)) == sent

    @pytest.mark.parametrize("shape", [(), (2,)])
    def test_tensors_become_json(self, tensorflow, shape):
        """Tensors without dimensions are numbers, others are lists."""
        with mock.patch("requests.post") as post:
            RemoteMonitor(send_as_json=True).on_epoch_end(
                0, {"value": tensorflow.ones(shape)}
            )

        sent = post.call_args.kwargs["json"]["value"]
        assert sent == ([1.0, 1.0] if shape else 1.0)

    def test_hook_by_hand_without_logs(self, server):
        """An epoch without logs is reported all the same."""
        RemoteMonitor(server.root, send_as_json=True).on_epoch_end(3)

        assert json.loads(server.requests[0][2]) == {"epoch": 3}


class TestHowRequestsIsCalled:
    def test_replaced_post_is_called_as_keras_calls_it(self):
        """Tests that patch `requests.post` find the call they assert."""
        with mock.patch("requests.post") as post:
            monitor = RemoteMonitor(send_as_json=True)
            monitor.on_epoch_end(0, {"loss": 0.0, "val": np.arange(1)})

        post.assert_called_once_with(
            monitor.root + monitor.path,
            json={"loss": 0.0, "epoch": 0, "val": 0},
            headers=monitor.headers,
        )

    def test_replaced_post_gets_the_form_in_second_place(self):
        """The form goes positionally, as in Keras."""
        with mock.patch("requests.post") as post:
            RemoteMonitor("http://a", "/b", field="f").on_epoch_end(1, {})

        post.assert_called_once_with(
            "http://a/b", {"f": '{"epoch": 1}'}, headers=None
        )

    def test_replaced_post_may_return_nothing(self):
        """A stub without a response is no error."""
        with mock.patch("requests.post", return_value=None):
            RemoteMonitor().on_epoch_end(0)

    def test_real_post_gets_the_timeout(self):
        """The one of requests itself is never left to wait for ever."""
        with mock.patch("requests.sessions.Session.request") as request:
            RemoteMonitor(timeout_s=3).on_epoch_end(0)

        assert request.call_args.kwargs["timeout"] == 3


class TestServerInTrouble:
    def test_server_that_hangs_does_not_hang_training(self, server, warned):
        """Training goes on after `timeout_s`, and says why."""
        server.answers.clear()

        run = drive(
            [RemoteMonitor(server.root, timeout_s=0.05)],
            epochs=[{"loss": 1.0}],
        )

        assert run.epochs_seen == 1
        assert warned[-1].endswith(
            f"root server at {server.root} (no answer within 0.05 s)"
        )

    @pytest.mark.parametrize("status", [200, 503])
    def test_body_that_does_not_end_does_not_hang_training(
        self, server, warned, status
    ):
        """The status is all that is waited for; a body may trickle in."""
        server.statuses[:] = [status]
        server.body = b"thanks"
        server.body_may_follow.clear()

        drive(
            [RemoteMonitor(server.root, timeout_s=WAIT_S / 4)],
            epochs=[{"loss": 1.0}],
        )

        assert not server.body_may_follow.is_set()
        assert [text for text in warned if "reach" in text] == []
        assert any("503" in text for text in warned) == (status == 503)

    def test_unreachable_server_is_told_once_with_the_cause(
        self, nobody, warned, is_keras3
    ):
        """Each Keras's own words first, then why; not at every epoch."""
        drive([RemoteMonitor(nobody)], epochs=[{"loss": 1.0}] * 3)

        start = "Could" if is_keras3 else "Warning: could"
        told = [text for text in warned if "RemoteMonitor" in text]
        assert len(told) == 1
        assert told[0].startswith(
            f"{start} not reach RemoteMonitor root server at {nobody} ("
        )
        assert "refused" in told[0]

    def test_unreachable_server_is_told_again_in_the_next_fit(
        self, nobody, warned
    ):
        """Once a fit, not once a lifetime."""
        monitor = RemoteMonitor(nobody)

        drive([monitor], epochs=[{"loss": 1.0}])
        drive([monitor], epochs=[{"loss": 1.0}])

        assert len([text for text in warned if "reach" in text]) == 2

    def test_error_status_is_told_once(self, server, warned):
        """A server that refuses is not taken for one that listens."""
        server.statuses[:] = [404, 404, 500]

        drive([RemoteMonitor(server.root)], epochs=[{"loss": 1.0}] * 4)

        assert [text for text in warned if "refused" in text] == [
            f"RemoteMonitor root server at {server.root} refused an epoch: "
            f"{status}"
            for status in ("404 Not Found", "500 Internal Server Error")
        ]

    def test_secrets_are_not_printed(self, server, warned):
        """Neither the password of the URL nor what the headers hold."""
        server.statuses[:] = [401]
        root = server.root.replace("//", "//me:hunter2@")
        monitor = RemoteMonitor(root, headers={"Authorization": "s3cret"})

        drive([monitor], epochs=[{"loss": 1.0}])

        assert "401" in warned[-1]
        assert not any("hunter2" in text or "s3cret" in text for text in warned)

    @pytest.mark.parametrize(
        ("root", "shown"),
        [
            ("http://host:1/a", "http://host:1/a"),
            ("https://me:pass@host", "https://host"),
            ("me:pass@host:9000", "host:9000"),
            ("http://host?token=1", "http://host"),
        ],
    )
    def test_url_is_shown_without_its_secrets(self, root, shown):
        """Address and port are enough to find the server."""
        assert without_secrets(root) == shown


class TestMistakes:
    @pytest.mark.parametrize(
        "root", ["localhost:9000", "", "http://", "//host", "/host", None, 9000]
    )
    def test_root_without_a_scheme(self, root):
        """Told by the constructor, with the cure."""
        with pytest.raises(InvalidArgument) as told:
            RemoteMonitor(root)

        assert str(told.value) == (
            "RemoteMonitor: `root` must be a URL with its scheme; got "
            f"root={str(root)!r}. Pass 'http://…' or 'https://…'."
        )

    @pytest.mark.parametrize(
        "timeout_s",
        [0, -1, float("nan"), float("inf"), None, "3", True, (1, 2), 1j],
    )
    def test_timeout_that_is_none(self, timeout_s):
        """Waiting for ever is not on offer, nor is what is no number."""
        with pytest.raises(InvalidArgument) as told:
            RemoteMonitor(timeout_s=timeout_s)

        assert str(told.value) == (
            "RemoteMonitor: `timeout_s` must be a number of seconds above 0; "
            f"got timeout_s={timeout_s!r}."
        )

    @pytest.mark.parametrize("timeout_s", [1, 0.5, np.float32(2), np.int64(3)])
    def test_timeout_of_any_kind_of_number(self, timeout_s):
        """NumPy's are numbers as well."""
        assert RemoteMonitor(timeout_s=timeout_s).timeout_s == timeout_s

    def test_missing_requests_is_told_by_the_constructor(self, monkeypatch):
        """Not after the first epoch; the first words are stock's."""
        monkeypatch.setitem(sys.modules, "requests", None)

        with pytest.raises(MissingDependency) as told:
            RemoteMonitor()

        assert str(told.value) == (
            "RemoteMonitor requires the `requests` library. "
            "pip install requests"
        )
        assert isinstance(told.value, ImportError)

    def test_unknown_keyword(self):
        """Nothing is swallowed."""
        with pytest.raises(TypeError, match="header"):
            RemoteMonitor(header={})


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_copies_are_equal(duplicate):
    """Every argument comes along."""
    monitor = RemoteMonitor(
        "http://a", "/b", "c", {"d": "e"}, True, timeout_s=1
    )

    assert vars(duplicate(monitor)) == vars(monitor)


@pytest.mark.fit
@pytest.mark.parametrize("send_as_json", [False, True])
def test_same_calls_as_stock(runtime, make_model, data, tmp_path, send_as_json):
    """A whole fit posts what stock posts, call by call."""
    with mock.patch("requests.post") as post:
        stock, ours = compare(
            runtime,
            lambda classes: [classes.RemoteMonitor(send_as_json=send_as_json)],
            make_model,
            data,
            tmp_path,
            epochs=2,
        )

    assert_equal_runs(
        stock, ours, "root", "path", "field", "headers", "send_as_json"
    )
    assert post.call_count == 4
    assert post.call_args_list[:2] == post.call_args_list[2:]
