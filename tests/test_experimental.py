"""What `tf.keras.callbacks.experimental` held."""

import pytest

import kerascb
from kerascb import experimental
from kerascb.testing import drive


def test_backup_and_restore_warns_of_its_old_name(warned):
    """On every Keras, with stock's one text."""
    callback = experimental.BackupAndRestore("backup", save_freq=3)

    assert isinstance(callback, kerascb.BackupAndRestore)
    assert callback.save_freq == 3
    assert warned == [
        "`tf.keras.callbacks.experimental.BackupAndRestore` endpoint is "
        "deprecated and will be removed in a future release. Please use "
        "`tf.keras.callbacks.BackupAndRestore`."
    ]


def test_the_warning_points_at_the_users_line(keras3_only):
    """Where Keras warns through `warnings`."""
    with pytest.warns(UserWarning, match="experimental") as caught:
        experimental.BackupAndRestore("backup")

    assert caught[0].filename == __file__


def test_the_plain_class_does_not_warn(warned):
    """Only the old name is deprecated."""
    drive([kerascb.BackupAndRestore("backup")], losses=[1.0])

    assert warned == []


def test_everything_is_there():
    """Both names."""
    assert set(experimental.__all__) == {
        "BackupAndRestore",
        "UpdateEmbeddingCallback",
    }
