"""The thread that writes while training goes on."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest

from kerascb.checkpoint.writer import BackgroundWriter

TIMEOUT_S = 30


@pytest.fixture
def writer():
    """A writer that lets one job wait, ended after the test."""
    writer = BackgroundWriter("test")
    yield writer
    writer.join()


class Gate:
    """A job that does not end until it is opened."""

    def __init__(self, then=lambda: None):
        self.is_reached = threading.Event()
        self._is_open = threading.Event()
        self._then = then

    def __call__(self):
        self.is_reached.set()
        assert self._is_open.wait(TIMEOUT_S)
        self._then()

    def open(self):
        self._is_open.set()


def fail():
    raise OSError("disk gone")


def test_jobs_run_in_the_order_they_were_submitted(writer):
    """Also where one of them takes long."""
    done = []
    gate = Gate(lambda: done.append("first"))

    writer.submit(gate)
    writer.submit(lambda: done.append("second"))
    gate.open()
    writer.join()

    assert done == ["first", "second"]


def test_submit_returns_while_the_job_is_under_way(writer):
    """The caller goes on, and the job runs in another thread."""
    gate = Gate()

    writer.submit(gate)

    assert gate.is_reached.wait(TIMEOUT_S)
    gate.open()


def test_a_full_queue_is_told_of_before_waiting(writer):
    """The caller hears of it while nothing has moved yet."""
    running, told = Gate(), []
    writer.submit(running)
    assert running.is_reached.wait(TIMEOUT_S)
    writer.submit(lambda: None)

    def on_full():
        told.append("full")
        running.open()

    writer.wait_for_room(on_full)
    writer.submit(lambda: None)

    assert told == ["full"]


def test_waiting_has_a_limit(writer):
    """What is not done then goes on."""
    gate = Gate()
    writer.submit(gate)
    assert gate.is_reached.wait(TIMEOUT_S)

    assert writer.join(timeout_s=0) is False
    assert writer.is_busy
    gate.open()
    assert writer.join() is True
    assert not writer.is_busy


def test_a_queue_with_room_is_not_told_of(writer):
    """`on_full` is for waiting only."""
    writer.wait_for_room(lambda: pytest.fail("there was room"))


def test_an_error_is_handed_out_once(writer):
    """And stays until somebody asks."""
    writer.submit(fail)
    writer.join()

    assert [str(one) for one in writer.failures()] == ["disk gone"]
    assert writer.failures() == []


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize(
    "wait", [lambda writer: writer.join(), lambda writer: writer.submit(int)]
)
def test_pain_ctrl_c_while_the_thread_starts(writer, monkeypatch, begins, wait):
    """Whoever waits next is not kept for ever, and the job runs once."""
    start, done = threading.Thread.start, []

    def interrupt(thread):
        monkeypatch.setattr(threading.Thread, "start", start)
        if begins:
            start(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        writer.submit(lambda: done.append("job"))

    waiting = threading.Thread(target=wait, args=(writer,), daemon=True)
    waiting.start()
    waiting.join(TIMEOUT_S)

    assert not waiting.is_alive()
    writer.join()
    assert done == ["job"]


def test_a_job_is_done_by_who_submits_it_where_no_thread_starts(
    writer, monkeypatch
):
    """As while Python shuts down."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done = []

    writer.submit(lambda: done.append(threading.current_thread()))
    writer.join()

    assert done == [threading.current_thread()]


def test_jobs_after_a_failed_one_run(writer):
    """One lost checkpoint costs no other."""
    done = []

    writer.submit(fail)
    writer.submit(lambda: done.append("second"))
    writer.join()

    assert done == ["second"]


def test_the_thread_ends_when_the_work_is_done(writer):
    """Nothing is left running between two saves."""
    writer.submit(lambda: None)
    writer.join()

    for thread in threading.enumerate():
        if thread.name == "test":
            thread.join(TIMEOUT_S)  # it may be at its last instructions
    assert "test" not in {thread.name for thread in threading.enumerate()}


def test_a_job_is_let_go_of_when_it_is_done(writer):
    """What it holds, a copy of the model, is freed before the next save."""

    class Job:
        def __call__(self):
            pass

    job = Job()
    gone = weakref.ref(job)

    writer.submit(job)
    del job
    writer.join()
    gc.collect()

    assert gone() is None


def test_a_process_that_ends_finishes_what_was_submitted():
    """A script whose last line is a save loses nothing."""
    script = (
        "import threading\n"
        "from kerascb.checkpoint.writer import BackgroundWriter\n"
        "main = threading.main_thread()\n"
        "def job():\n"
        "    main.join(30)\n"
        "    print('written', flush=True)\n"
        "BackgroundWriter('last').submit(job)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("written\n", 0)


def test_pain_a_process_does_not_wait_for_what_was_abandoned():
    """A disk that is stuck keeps nobody from ending."""
    script = (
        "import threading\n"
        "from kerascb.checkpoint.writer import BackgroundWriter\n"
        "begun = threading.Event()\n"
        "def job():\n"
        "    begun.set()\n"
        "    threading.Event().wait()\n"
        "writer = BackgroundWriter('stuck')\n"
        "writer.submit(job)\n"
        "writer.submit(job)\n"
        "begun.wait()\n"
        "writer.abandon()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], timeout=TIMEOUT_S, check=False
    )

    assert done.returncode == 0


def test_what_was_abandoned_goes_on(writer):
    """In its order, as long as the process lives; and so does what follows."""
    done = []
    gate = Gate(lambda: done.append("first"))
    writer.submit(gate)
    assert gate.is_reached.wait(TIMEOUT_S)
    writer.abandon()
    assert writer.is_busy
    writer.submit(lambda: done.append("second"))
    gate.open()

    assert writer.join(TIMEOUT_S)
    assert done == ["first", "second"]


def test_pain_no_second_thread_can_be_started(writer, monkeypatch):
    """As where the system allows a process no more of them."""
    start, done = threading.Thread.start, []

    def refuse_daemons(thread):
        if thread.daemon:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_daemons)
    writer.submit(lambda: done.append("job"))

    assert writer.join(TIMEOUT_S)
    assert done == ["job"]


@pytest.mark.skipif(sys.platform != "linux", reason="niceness of a thread")
def test_the_thread_gives_way_to_training(writer):
    """Its niceness is above that of the thread that trains."""
    found = []
    writer.submit(
        lambda: found.append(
            os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        )
    )
    writer.join()

    assert found[0] > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
