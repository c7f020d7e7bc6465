"""The frame around events."""

import io

from hypothesis import given
from hypothesis import strategies as st
from tensorboard.summary.writer.record_writer import RecordWriter

from kerascb.events.records import framed


@given(st.binary(max_size=300))
def test_records_are_those_of_tensorboard(content):
    """Its own writer, which is slower, makes the same bytes."""
    file = io.BytesIO()
    RecordWriter(file).write(content)

    assert framed(content) == file.getvalue()
