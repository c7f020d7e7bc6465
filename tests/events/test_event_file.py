"""Event files, as TensorBoard's own reader sees them."""

import gc
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.compat.proto import graph_pb2

import kerascb
from kerascb.events.event_file import EventFile
from tests.events.reading import read


def run_python(program):
    """Runs a program in a process of its own, which finds this kerascb."""
    root = str(Path(kerascb.__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        env={**os.environ, "PYTHONPATH": root},
    )


@pytest.fixture
def file(tmp_path):
    """A file in a folder that is not there yet."""
    file = EventFile(str(tmp_path / "logs" / "run"))
    yield file
    file.close()


@pytest.fixture
def reading(file, tmp_path):
    """Closes the file and reads it."""

    def read_it():
        file.close()
        return read(tmp_path / "logs" / "run")

    return read_it


def test_scalars_become_points_of_curves(file, reading):
    """Each name is a curve of its own."""
    file.scalars(3, {"loss": 0.5, "accuracy": 0.25})
    file.scalars(4, {"loss": 0.125})

    assert reading().curves() == {
        "loss": {3: 0.5, 4: 0.125},
        "accuracy": {3: 0.25},
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_scalar_may_be_no_finite_number(file, reading, value):
    """A diverged loss is drawn, not refused."""
    file.scalars(1, {"loss": value})

    np.testing.assert_equal(reading().curve("loss"), {1: value})


def test_histogram_holds_every_value(file, reading):
    """The histogram plugin finds thirty buckets, and counts all values."""
    file.histogram(2, "kernel", np.arange(100.0).reshape(10, 10))

    found = reading()
    [(step, buckets)] = found.series("kernel")
    assert found.tags("histograms") == {"kernel"}
    assert (step, buckets.shape) == (2, (30, 3))
    assert buckets[:, 2].sum() == 100


def test_images_are_png_of_their_size(file, reading):
    """Width, height and the first three pictures stand in the record."""
    pictures = np.zeros((5, 2, 7, 3), np.uint8)
    pictures[:, 1, 6] = (10, 20, 30)
    file.images(1, "kernel", pictures)

    found = reading()
    [(_, content)] = found.series("kernel")
    width, height, *encoded = content.tolist()
    decoded = np.asarray(Image.open(io.BytesIO(encoded[0])))
    assert found.tags("images") == {"kernel"}
    assert (width, height, len(encoded)) == (b"7", b"2", 3)
    np.testing.assert_array_equal(decoded, pictures[0])


def test_text_is_shown_among_texts(file, reading):
    """A text comes back as it was written."""
    file.text(0, "notes", "**Größe** 3")

    found = reading()
    [(_, content)] = found.series("notes")
    assert found.tags("text") == {"notes"}
    assert content.item().decode() == "**Größe** 3"


def test_layer_graph_carries_the_mark_that_its_plugin_wants(file, reading):
    """TensorBoard tells a Keras graph by plugin and version."""
    file.keras_graph(0, "keras", '{"class_name": "Sequential"}')

    found = reading()
    metadata = found.accumulator.SummaryMetadata("keras")
    assert metadata.plugin_data.plugin_name == "graph_keras_model"
    assert metadata.plugin_data.content == b"1"


def test_graph_of_operations_is_found(file, reading):
    """The graph comes back as it was written."""
    graph = graph_pb2.GraphDef()
    graph.node.add(name="x", op="Const")
    file.op_graph(graph.SerializeToString())

    found = reading().accumulator.Graph()
    assert [node.name for node in found.node] == ["x"]


def test_nothing_is_lost_when_nobody_closes(tmp_path):
    """A collected writer has closed its file."""
    file = EventFile(str(tmp_path))
    file.scalars(1, {"loss": 0.5})
    del file
    gc.collect()

    assert read(tmp_path).curve("loss") == {1: 0.5}


def test_written_events_are_seen_after_the_interval(tmp_path):
    """An event older than the interval goes to the file with the next."""
    now_s = [1000.0]
    file = EventFile(str(tmp_path), flush_interval_s=30, clock=lambda: now_s[0])
    file.scalars(1, {"loss": 0.5})
    before = "loss" in read(tmp_path).curves()
    now_s[0] += 31
    file.scalars(2, {"loss": 0.25})

    assert not before
    assert read(tmp_path).curve("loss") == {1: 0.5, 2: 0.25}
    file.close()


def test_several_threads_write_whole_events(file, reading):
    """Histograms are worked out beside the curves."""
    threads = [
        threading.Thread(
            target=lambda name=name: [
                file.scalars(step, {name: step}) for step in range(200)
            ]
        )
        for name in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = {step: float(step) for step in range(200)}
    assert reading().curves() == dict.fromkeys("abc", expected)


def test_discarding_what_is_gone_does_no_harm(file, tmp_path):
    """The file of a fit that goes on in others may have been removed."""
    [path] = (tmp_path / "logs" / "run").iterdir()
    path.unlink()
    file.discard()

    assert not path.exists()


def test_closing_twice_does_no_harm(file):
    """The second call finds the file closed."""
    file.close()
    file.close()


def test_two_files_of_one_second_have_two_names(tmp_path):
    """Writers opened one after the other do not share a file."""
    for _ in range(2):
        EventFile(str(tmp_path), clock=lambda: 1000.0).close()

    assert len(list(tmp_path.iterdir())) == 2


def test_name_sorts_after_one_of_tensorflow_of_the_same_second(tmp_path):
    """A viewer that keeps to the last file by name keeps to this one."""
    EventFile(str(tmp_path), clock=lambda: 1000.0).close()

    [ours] = [path.name for path in tmp_path.iterdir()]
    stem = ours.rsplit(".k", 1)[0]
    assert ours > f"{stem}.9.v2"


def test_writing_does_not_import_tensorflow(tmp_path):
    """A run on JAX or torch pays for no TensorFlow that is installed."""
    program = (
        "import sys\n"
        "from kerascb.events.event_file import EventFile\n"
        f"file = EventFile({str(tmp_path)!r})\n"
        "file.scalars(1, {'loss': 0.5})\n"
        "file.histogram(1, 'h', [1.0, 2.0])\n"
        "file.close()\n"
        "assert 'tensorflow' not in sys.modules\n"
    )

    run_python(program)
