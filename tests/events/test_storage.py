"""Folders and files of events."""

import pytest

from kerascb.events import storage


@pytest.mark.parametrize(
    ("root", "expected"),
    [("gs://bucket/logs/", "gs://bucket/logs/train/x"), ("", "train/x")],
)
def test_remote_paths_keep_their_slashes(root, expected):
    """A scheme is followed by slashes on every system."""
    assert storage.join(root, "train", "x").replace("\\", "/") == expected


def test_folders_above_a_file_are_made(tmp_path):
    """Nobody has to make the log directory."""
    path = str(tmp_path / "a" / "b" / "file.txt")
    storage.write_text(path, "ä")

    assert storage.read_text(path) == "ä"


def test_a_missing_file_reads_as_none(tmp_path):
    """The caller need not ask twice."""
    assert storage.read_text(str(tmp_path / "none")) is None


def test_a_file_is_copied_byte_by_byte(tmp_path):
    """Whatever its encoding; what was there before is replaced."""
    source, target = tmp_path / "words.tsv", tmp_path / "train" / "words.tsv"
    source.write_bytes("Wörter".encode("latin-1"))
    copied = storage.copy(str(source), str(target))
    source.write_bytes(b"words")
    copied_again = storage.copy(str(source), str(target))

    assert copied
    assert copied_again
    assert target.read_bytes() == b"words"


def test_a_missing_file_is_not_copied(tmp_path):
    """No empty copy stands for it."""
    target = tmp_path / "train" / "words.tsv"

    assert not storage.copy(str(tmp_path / "none"), str(target))
    assert not target.parent.exists()


def test_a_remote_file_goes_through_tensorboard(monkeypatch, tmp_path):
    """Its file systems are asked, and the folder is made there."""
    made = []

    class Remote:
        makedirs = staticmethod(made.append)

        @staticmethod
        def exists(path):
            return (tmp_path / path.rpartition("/")[2]).exists()

        @staticmethod
        def GFile(path, mode):  # noqa: N802 - TensorFlow's name
            return (tmp_path / path.rpartition("/")[2]).open(mode)

    monkeypatch.setattr(storage, "_gfile", lambda: Remote)
    missing = storage.read_text("gs://bucket/logs/file.txt")
    storage.write_text("gs://bucket/logs/file.txt", "text")

    assert missing is None
    assert made == ["gs://bucket/logs"]
    assert storage.read_text("gs://bucket/logs/file.txt") == "text"
