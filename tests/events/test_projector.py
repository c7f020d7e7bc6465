"""The projector's files."""

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector import projector_config_pb2

from kerascb.events import projector


def test_configuration_is_one_the_projector_parses(tmp_path):
    """Names come back as they were, whatever characters they have."""
    tables = [
        projector.Table('a"b\\c', "Wörter.tsv"),
        projector.Table("d", path="train/d.tsv"),
    ]
    projector.write_config(str(tmp_path), tables)

    config = projector_config_pb2.ProjectorConfig()
    text = (tmp_path / projector.CONFIG_FILE).read_text(encoding="utf-8")
    text_format.Parse(text, config)
    assert [
        (one.tensor_name, one.metadata_path, one.tensor_path)
        for one in config.embeddings
    ] == [('a"b\\c', "Wörter.tsv", ""), ("d", "", "train/d.tsv")]


def test_pointer_moves_to_the_latest_checkpoint(tmp_path):
    """Our own pointer is replaced."""
    root = str(tmp_path)
    assert projector.point_to_checkpoint(root, "a.ckpt-9")
    assert projector.point_to_checkpoint(root, "a.ckpt-10")

    assert (
        'model_checkpoint_path: "a.ckpt-10"'
        in (tmp_path / "checkpoint").read_text()
    )


def test_pointer_of_somebody_else_is_left_alone(tmp_path):
    """A log directory that holds checkpoints keeps them findable."""
    theirs = 'model_checkpoint_path: "ckpt-3"\n'
    (tmp_path / "checkpoint").write_text(theirs)

    assert not projector.point_to_checkpoint(str(tmp_path), "a.ckpt-0")
    assert (tmp_path / "checkpoint").read_text() == theirs


def test_table_is_one_the_projector_reads(tmp_path):
    """Every float32 survives the text."""
    from tensorboard.plugins.projector import projector_plugin

    rows = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    projector.write_table(str(tmp_path), "train/table.tsv", rows)

    np.testing.assert_array_equal(
        projector_plugin._read_tensor_tsv_file(
            str(tmp_path / "train" / "table.tsv")
        ),
        rows,
    )
