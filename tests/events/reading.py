"""What TensorBoard itself reads out of a log directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util


@dataclass(frozen=True)
class Reading:
    """The events of one run, by the plugin that shows them."""

    accumulator: event_accumulator.EventAccumulator

    def plugin_of(self, tag):
        """The plugin that a tag's metadata name."""
        metadata = self.accumulator.SummaryMetadata(tag)
        return metadata.plugin_data.plugin_name

    def tags(self, plugin):
        """The tags of one plugin."""
        return {
            tag
            for tag in self.accumulator.Tags()["tensors"]
            if self.plugin_of(tag) == plugin
        }

    def series(self, tag):
        """Step and value of every event with a tag."""
        return [
            (event.step, tensor_util.make_ndarray(event.tensor_proto))
            for event in self.accumulator.Tensors(tag)
        ]

    def curve(self, tag):
        """Step → number."""
        return {step: float(value) for step, value in self.series(tag)}

    def curves(self):
        """Every curve, by its tag."""
        return {tag: self.curve(tag) for tag in self.tags("scalars")}

    def has_graph(self):
        """Whether there is a graph of operations."""
        return self.accumulator.Tags()["graph"]


def read(directory):
    """Reads one run as TensorBoard does."""
    accumulator = event_accumulator.EventAccumulator(
        str(directory), size_guidance={event_accumulator.TENSORS: 0}
    )
    accumulator.Reload()
    return Reading(accumulator)


def runs(log_dir):
    """The directories that hold events, below a log directory."""
    return {
        path.parent.relative_to(log_dir).as_posix()
        for path in Path(log_dir).rglob("events.out.*")
    }
