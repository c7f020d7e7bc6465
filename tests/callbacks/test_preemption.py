"""Notices that the machine is about to be taken away."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kerascb.callbacks._preemption import PreemptionNotice, as_signals
from kerascb.errors import InvalidArgument, KerascbError, Preempted
from tests.scripts import wait_for_notice

SCRIPT = Path(wait_for_notice.__file__)
ROOT = SCRIPT.parents[2]
TIMEOUT_S = 60

on_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows knows no SIGUSR1 and no fork"
)


class Clock:
    """Goes when it is told."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def listen(clock):
    """Installs notices, and closes them when the test ends."""
    with contextlib.ExitStack() as stack:

        def install(signals=(signal.SIGUSR1,), file=None, warn=_refuse):
            notice = PreemptionNotice(signals, file, warn, clock)
            stack.callback(notice.close)
            notice.install()
            return notice

        yield install


@pytest.fixture
def handled():
    """Sets a handler of SIGUSR1, for the test only."""
    before = signal.getsignal(signal.SIGUSR1)
    yield lambda handler: signal.signal(signal.SIGUSR1, handler)
    signal.signal(signal.SIGUSR1, before)


def _refuse(message):
    raise AssertionError(message)


def receive(number=None):
    signal.raise_signal(signal.SIGUSR1 if number is None else number)


@on_posix
def test_a_signal_is_a_notice(listen, clock):
    """Training goes on; it is for the run to ask."""
    notice = listen()
    assert not notice.is_given
    receive()

    assert notice.is_given
    assert notice.reason == "SIGUSR1 was received"
    assert notice.since == clock.now
    assert notice.exit_status == 128 + signal.SIGUSR1


def test_sigterm_is_the_usual_one(listen):
    """The status is the one that shells give to a process it has ended."""
    notice = PreemptionNotice()
    notice.install()
    receive(signal.SIGTERM)
    notice.close()

    assert notice.exit_status == 143


@on_posix
@pytest.mark.parametrize(
    "former", [signal.SIG_DFL, signal.SIG_IGN, lambda number, frame: None]
)
def test_the_handler_before_is_put_back(handled, clock, former):
    """The very same, also after a notice and at a second close."""
    handled(former)
    notice = PreemptionNotice((signal.SIGUSR1,), None, _refuse, clock)
    notice.install()
    receive()
    notice.close()
    notice.close()

    assert signal.getsignal(signal.SIGUSR1) is former


@on_posix
def test_a_handler_set_meanwhile_stays(handled, clock):
    """It is somebody else's; ours, if it is called, only passes on."""
    told = []
    handled(lambda number, frame: told.append("before us"))
    notice = PreemptionNotice((signal.SIGUSR1,), None, _refuse, clock)
    notice.install()
    ours = signal.getsignal(signal.SIGUSR1)

    def theirs(number, frame):
        told.append("theirs")
        ours(number, frame)

    handled(theirs)
    notice.close()
    receive()

    assert signal.getsignal(signal.SIGUSR1) is theirs
    assert told == ["theirs", "before us"]
    assert not notice.is_given


@on_posix
def test_two_notices_may_be_closed_in_any_order(handled, clock):
    """Two callbacks of one list end in its order."""
    handled(former := lambda number, frame: None)
    both = [
        PreemptionNotice((signal.SIGUSR1,), None, _refuse, clock) for _ in "ab"
    ]
    for one in both:
        one.install()
    receive()
    for one in both:
        one.close()

    assert [one.is_given for one in both] == [True, True]
    assert signal.getsignal(signal.SIGUSR1) is former


@on_posix
def test_a_clusters_own_handler_still_runs(handled, listen):
    """After ours, so that a handler that never returns loses nothing."""
    known = []
    handled(lambda number, frame: known.append(notice.is_given))
    notice = listen()
    receive()

    assert known == [True]


@on_posix
def test_what_that_handler_raises_waits_for_the_backup(handled, listen, capsys):
    """Many scripts end with `sys.exit` there; it is named as the cause."""
    handled(lambda number, frame: sys.exit(3))
    notice = listen()
    receive()
    error = notice.error("backup", is_saved=True)

    assert isinstance(error.__cause__, SystemExit)
    assert error.__cause__.code == 3
    assert capsys.readouterr().err == f"{error}\n"


@on_posix
def test_the_same_notice_may_come_twice(handled, listen, clock):
    """A scheduler signals all processes of a job, and its shell passes on."""
    calls = []
    handled(lambda number, frame: calls.append(number))
    listen()
    receive()
    clock.now += 0.5
    receive()

    assert calls == [signal.SIGUSR1]


@on_posix
def test_a_second_ctrl_c_is_a_keyboard_interrupt(listen, clock):
    """Where SIGINT was chosen, the default is Python's."""
    notice = listen((signal.SIGINT,))
    receive(signal.SIGINT)
    clock.now += 10

    assert notice.is_given
    with pytest.raises(KeyboardInterrupt):
        receive(signal.SIGINT)


@on_posix
def test_another_signal_is_the_same_notice(listen, clock):
    """Slurm warns with one signal and then sends SIGTERM: saving goes on."""
    notice = listen((signal.SIGUSR1, signal.SIGTERM))
    receive()
    clock.now += 60
    receive(signal.SIGTERM)

    assert notice.reason == "SIGUSR1 was received"
    assert notice.since == clock.now - 60


@on_posix
def test_what_a_library_handles_is_left_to_it(listen, monkeypatch):
    """Its handler could not be put back."""
    warnings = []
    with monkeypatch.context() as patch:
        patch.setattr(signal, "getsignal", lambda number: None)
        patch.setattr(signal, "signal", _refuse)
        listen(warn=warnings.append)

    [warning] = warnings
    assert "SIGUSR1 is handled by a library" in warning


def test_another_thread_hears_of_the_file_alone(clock, tmp_path):
    """Python handles signals in the main thread only: one warning."""
    file, warnings = tmp_path / "preempted", []
    notice = PreemptionNotice(
        (signal.SIGTERM, signal.SIGINT), file, warnings.append, clock
    )
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=notice.install)
    thread.start()
    thread.join(TIMEOUT_S)
    file.touch()

    assert signal.getsignal(signal.SIGTERM) is before
    [warning] = warnings
    assert "SIGTERM and SIGINT" in warning
    assert notice.is_given


def test_a_file_that_appears_is_a_notice(listen, clock, tmp_path):
    """For schedulers that cannot send a signal."""
    notice = listen((), tmp_path / "preempted")
    assert not notice.is_given
    (tmp_path / "preempted").touch()
    clock.now += 1

    assert notice.is_given
    assert str(tmp_path / "preempted") in notice.reason
    assert notice.exit_status == 143


def test_the_file_is_looked_for_once_a_second(listen, clock, tmp_path):
    """Reading `is_given` costs a look at the clock."""
    notice = listen((), tmp_path / "preempted")
    assert not notice.is_given
    (tmp_path / "preempted").touch()
    clock.now += 0.9

    assert not notice.is_given


def test_a_slow_file_system_is_asked_less_often(
    listen, clock, tmp_path, monkeypatch
):
    """Looking takes a hundredth of the time at most."""
    notice = listen((), tmp_path / "preempted")
    kind = notice._file._files.kind

    def slowly(path):
        clock.now += 0.5
        return kind(path)

    monkeypatch.setattr(notice._file._files, "kind", slowly)
    assert not notice.is_given
    (tmp_path / "preempted").touch()
    clock.now += 49
    assert not notice.is_given
    clock.now += 1

    assert notice.is_given


def test_a_file_of_the_run_before_is_no_notice(listen, clock, tmp_path):
    """A run started again would be preempted for ever; a newer one counts."""
    file, warnings = tmp_path / "preempted", []
    file.touch()
    os.utime(file, (1, 1))
    notice = listen((), file, warnings.append)
    assert not notice.is_given
    os.utime(file, (2, 2))
    clock.now += 1

    assert notice.is_given
    [warning] = warnings
    assert "there already" in warning


def test_a_file_that_cannot_be_looked_for_is_told_once(
    listen, clock, tmp_path, monkeypatch
):
    """A drive may be away for a while; the run goes on."""
    file, warnings = tmp_path / "preempted", []
    notice = listen((), file, warnings.append)

    def fail(path):
        raise PermissionError(13, "away")

    with monkeypatch.context() as patch:
        patch.setattr(notice._file._files, "kind", fail)
        assert not notice.is_given
        clock.now += 1
        assert not notice.is_given
    file.touch()
    clock.now += 1

    assert notice.is_given
    assert len(warnings) == 1


def test_a_remote_file_is_a_notice(listen, clock):
    """Whatever the file system."""
    fsspec = pytest.importorskip("fsspec")
    path = "memory://kerascb-preemption/preempted"
    notice = listen((), path)
    fsspec.filesystem("memory").pipe_file(path, b"")

    assert notice.is_given


@pytest.mark.parametrize(
    "given", ["SIGTERM", signal.SIGTERM, 15, ["SIGTERM"], (15,)]
)
def test_takes_signals_as_people_write_them(given):
    """One or more, by number or name."""
    assert as_signals(given) == (signal.SIGTERM,)


@pytest.mark.parametrize(
    "bad", ["SIGNAL", "TERM", 0, 10**6, True, [1.5], "signal"]
)
def test_refuses_what_is_no_signal(bad):
    """The text says what is one."""
    with pytest.raises(InvalidArgument, match="no such signal"):
        as_signals(bad)


@on_posix
@pytest.mark.parametrize("bad", ["SIGKILL", "SIGSTOP", "SIGSEGV"])
def test_refuses_what_cannot_be_a_notice(bad):
    """Nobody hears of them, or nothing can be saved after them."""
    with pytest.raises(InvalidArgument, match=f"{bad} cannot be a notice"):
        as_signals(bad)


# -- processes ---------------------------------------------------------------


class Child:
    """The script, running."""

    def __init__(self, former):
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), former],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.guard = threading.Timer(TIMEOUT_S, self.process.kill)
        self.guard.start()
        assert self.read() == "ready"

    def read(self):
        return self.process.stdout.readline().strip()

    def tell(self, line):
        print(line, file=self.process.stdin, flush=True)

    def ask(self, line):
        self.tell(line)
        return self.read()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        """Its status, and what it has said on stderr."""
        _, said = self.process.communicate()
        return self.process.returncode, said.splitlines()

    def close(self):
        self.guard.cancel()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def child(request):
    child = Child(getattr(request, "param", "default"))
    yield child
    child.close()


former = pytest.mark.parametrize("child", ["default", "ignore"], indirect=True)


@on_posix
@former
def test_a_preempted_script_ends_with_143(child):
    """No traceback, one line that says what to do."""
    child.terminate()
    assert child.ask("wait") == "SIGTERM was received"
    child.tell("leave")
    status, said = child.end()

    assert status == 143
    assert said == [
        "Preempted: SIGTERM was received. The run is backed up in 'backup'. "
        "Start the same script again to go on."
    ]


@on_posix
@former
def test_a_second_signal_ends_the_process(child):
    """Somebody cannot wait for the backup."""
    child.terminate()
    child.ask("wait")
    child.ask("later")
    child.terminate()
    status, _ = child.end()

    assert status == -signal.SIGTERM


@on_posix
def test_after_the_fit_a_signal_ends_the_process(child):
    """It is the default again."""
    child.ask("close")
    child.terminate()
    status, _ = child.end()

    assert status == -signal.SIGTERM


@on_posix
@pytest.mark.parametrize("child", ["exit"], indirect=True)
def test_a_handler_that_exits_does_not_cost_the_backup(child):
    """The fit goes on to the next batch, and ends as preempted."""
    child.terminate()
    child.ask("wait")
    child.tell("leave")
    status, _ = child.end()

    assert status == 143


@on_posix
@pytest.mark.parametrize("child", ["flag"], indirect=True)
def test_a_second_signal_ends_it_whatever_handler_there_was(child):
    """A handler that only notes it ends nothing by itself."""
    child.terminate()
    assert child.read() == "flag"
    child.ask("wait")
    child.ask("later")
    child.terminate()
    assert child.read() == "flag"
    status, _ = child.end()

    assert status == -signal.SIGTERM


@on_posix
def test_workers_that_are_forked_off_still_end(child):
    """Data loaders end theirs with SIGTERM."""
    assert child.ask("fork") == str(-signal.SIGTERM)


# -- the error ---------------------------------------------------------------


@pytest.fixture
def error():
    return Preempted("SIGTERM was received", "backup", is_saved=True)


@pytest.mark.parametrize("kind", [KerascbError, SystemExit, Exception])
def test_can_be_caught_as(error, kind):
    """`except Exception` catches it, which its docstring warns of."""
    with pytest.raises(kind):
        raise error


def test_goes_to_another_process(error):
    """A pool sends it back to whoever waits."""
    copy = pickle.loads(pickle.dumps(error))

    assert str(copy) == str(error)
    assert copy.code == 143
    assert copy.is_saved


def test_says_if_the_backup_was_not_complete():
    """The time was too short, or the loss was NaN."""
    error = Preempted("SIGTERM was received", "backup", is_saved=False)

    assert "could not be backed up" in str(error)
