"""The graph of layers in the form of a graph of operations.

TensorBoard's page opens on the graph of operations; where a run has none, it
shows an error until another kind of graph is chosen by hand.
"""

from __future__ import annotations

import json
import logging

_log = logging.getLogger(__name__)


def as_graph_def(model_json: str) -> bytes | None:
    """Draws layers as TensorBoard does when it is asked for them.

    Args:
        model_json: A model's configuration.

    Returns:
        A serialised `GraphDef`; `None` if TensorBoard cannot read the model.
    """
    from tensorboard.plugins.graph import keras_util  # noqa: PLC0415

    try:
        graph = keras_util.keras_model_to_graph_def(json.loads(model_json))
    except Exception as error:  # noqa: BLE001 - of whatever kind: see its code
        _log.info("TensorBoard cannot draw the graph of layers: %r", error)
        return None
    serialised: bytes = graph.SerializeToString()
    return serialised
