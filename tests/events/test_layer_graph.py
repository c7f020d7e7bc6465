"""Layers drawn as operations."""

import json

from tensorboard.compat.proto.graph_pb2 import GraphDef

from kerascb.events.layer_graph import as_graph_def

DENSE = {"class_name": "Dense", "config": {"name": "dense"}}
INPUT = {"class_name": "InputLayer", "config": {"name": "input"}}


def test_every_layer_is_a_node_after_the_one_before():
    """Layers in a row are connected in that order."""
    model = {"config": {"name": "model", "layers": [INPUT, DENSE]}}
    graph = GraphDef.FromString(as_graph_def(json.dumps(model)))

    assert [(one.name, list(one.input)) for one in graph.node] == [
        ("model/input", []),
        ("model/dense", ["model/input"]),
    ]


def test_what_tensorboard_cannot_read_is_no_graph():
    """It fails on some models; a fit must not."""
    assert as_graph_def(json.dumps({"config": {"layers": [3]}})) is None
