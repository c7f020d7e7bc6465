"""Whether a TensorFlow checkpoint fits an object, before any of it is read.

TensorFlow finds out while it reads, with half of the variables overwritten.
"""

from __future__ import annotations

from typing import Any

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"


class CheckpointGraph:
    """The objects in a checkpoint, and how they refer to each other.

    Args:
        prefix: Path of the checkpoint, without `.index`.
    """

    def __init__(self, prefix: str) -> None:
        import tensorflow as tf
        from tensorflow.core.protobuf import trackable_object_graph_pb2

        reader = tf.train.load_checkpoint(prefix)
        self._children_of = tf.train.TrackableView.children
        self._shapes = reader.get_variable_to_shape_map()
        self._nodes: Any = None
        if reader.has_tensor(_GRAPH):
            graph = trackable_object_graph_pb2.TrackableObjectGraph
            self._nodes = graph.FromString(reader.get_tensor(_GRAPH)).nodes

    def misfits(self, trackable: Any, *names: str) -> list[str]:
        """Describes the variables that it has not, or in another shape.

        Args:
            trackable: An object with variables.
            *names: The way to its counterpart, from the root.

        Returns:
            A clause a variable. None at all for a checkpoint of TensorFlow 1,
            which knows of no objects.
        """
        if self._nodes is None:
            return []
        node = self._node_at(names)
        matched = self._matched(trackable, node)
        return [
            text
            for variable in _variables_of(trackable)
            if (text := self._misfit(variable, matched.get(id(variable))))
        ]

    def slot_names(self, *names: str) -> set[str]:
        """What an optimizer of `optimizers.legacy` keeps for each weight.

        Args:
            *names: The way to the optimizer, from the root.
        """
        node = self._node_at(names)
        if node is None:
            return set()
        return {slot.slot_name for slot in self._nodes[node].slot_variables}

    def _node_at(self, names: tuple[str, ...]) -> int | None:
        node: int | None = None if self._nodes is None else 0
        for name in names:
            node = self._targets(node).get(name)
        return node

    def _targets(self, node: int | None) -> dict[str, int]:
        if node is None:
            return {}
        return {
            child.local_name: child.node_id
            for child in self._nodes[node].children
        }

    def _matched(self, root: Any, node: int | None) -> dict[int, int]:
        """The node of each object that can be reached on both sides."""
        if node is None:
            return {}
        matched, reached = {id(root): node}, [root]
        for parent in reached:  # grows on the way
            targets = self._targets(matched[id(parent)])
            for name, child in self._children_of(parent).items():
                if name in targets and id(child) not in matched:
                    matched[id(child)] = targets[name]
                    reached.append(child)
        return matched

    def _misfit(self, variable: Any, node: int | None) -> str:
        keys = {} if node is None else self._keys_of(node)
        name = getattr(variable, "path", variable.name)
        if _VALUE not in keys:
            return f"it has no {name!r}"
        shape, own = list(self._shapes[keys[_VALUE]]), list(variable.shape)
        return "" if shape == own else f"its {name!r} is {shape}, not {own}"

    def _keys_of(self, node: int) -> dict[str, str]:
        return {
            attribute.name: attribute.checkpoint_key
            for attribute in self._nodes[node].attributes
        }


def _variables_of(root: Any) -> list[Any]:
    import tensorflow as tf

    return [
        each
        for each in tf.train.TrackableView(root).descendants()
        if hasattr(each, "assign") and hasattr(each, "shape")
    ]
