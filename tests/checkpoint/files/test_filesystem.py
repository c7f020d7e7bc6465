"""File systems, here and far away."""

import builtins
import errno
import math
import os
import sys
import time
import uuid
from pathlib import Path

import fsspec
import pytest

from kerascb.checkpoint.files.exchange import exchange
from kerascb.checkpoint.files.filesystem import LocalFileSystem, filesystem_of
from kerascb.checkpoint.files.remote import FsspecFileSystem
from kerascb.errors import InvalidArgument, MissingDependency


@pytest.fixture(params=["local", "memory://", "file://", "ram://"])
def place(request, tmp_path):
    """A file system and an empty folder on it."""
    if request.param == "local":
        yield LocalFileSystem(), str(tmp_path / "here")
        return
    if request.param == "ram://":
        request.getfixturevalue("tensorflow")
    name = uuid.uuid4().hex
    is_file = request.param == "file://"
    root = request.param + (f"{tmp_path}/{name}" if is_file else name)
    files = filesystem_of(root)
    files.make_folder(root)
    yield files, f"{root}/here"
    files.remove(root)


@pytest.fixture
def files(place):
    """A file system with a folder that holds one file."""
    files, folder = place
    files.make_folder(folder)
    files.append(f"{folder}/one", b"12")
    return files


@pytest.fixture
def folder(place):
    """The folder."""
    return place[1]


def _content(files, path):
    return b"".join(map(bytes, files.read(path)))


def test_what_stands_there(files, folder):
    """A file, a folder and nothing are told apart."""
    found = [files.kind(f"{folder}{end}") for end in ("", "/one", "/two")]

    assert found == ["folder", "file", None]


def test_names(files, folder):
    """The names in a folder come in order."""
    files.append(f"{folder}/another", b"")

    assert files.names(folder) == ["another", "one"]


def test_names_in_no_folder(files, folder):
    """A folder that is not there has none."""
    assert files.names(f"{folder}/none") == []


def test_size_and_content(files, folder):
    """A file has the bytes that were added to it."""
    files.append(f"{folder}/one", b"345")

    assert files.size(f"{folder}/one") == 5
    assert _content(files, f"{folder}/one") == b"12345"


def test_time_of_writing(files, folder):
    """It was written today, if that is told."""
    written = files.modified(f"{folder}/one")

    assert written == math.inf or abs(time.time() - written) < 24 * 3600


def test_moving(files, folder):
    """A file that is in the way is replaced."""
    files.append(f"{folder}/two", b"new")

    files.move(f"{folder}/two", f"{folder}/one")

    assert files.names(folder) == ["one"]
    assert _content(files, f"{folder}/one") == b"new"


@pytest.mark.parametrize("end", ["/one", "", "/none"])
def test_removing(files, folder, end):
    """Files go, folders with all in them, and nothing without an error."""
    files.remove(folder + end)

    assert files.kind(folder + end) is None


def test_reading_what_is_not_there(files, folder):
    """The error is Python's own, whatever is behind it."""
    with pytest.raises(FileNotFoundError):
        _content(files, f"{folder}/none")


def test_a_folder_that_is_there(files, folder):
    """Making it again changes nothing."""
    files.make_folder(folder)

    assert files.names(folder) == ["one"]


def test_pain_a_missing_driver():
    """The package to install is named before training."""
    with pytest.raises(MissingDependency, match="pip install s3fs"):
        filesystem_of("s3://bucket/a.keras")


def test_pain_a_driver_that_lacks_a_package():
    """Of fsspec's own drivers, the package beneath is named."""
    with pytest.raises(MissingDependency, match="pip install paramiko"):
        filesystem_of("sftp://host/a.keras")


def test_pain_a_misspelt_scheme():
    """No package helps; the schemes that are known are listed."""
    with pytest.raises(InvalidArgument, match=r"reach s4://: .* memory"):
        filesystem_of("s4://bucket/a.keras")


def test_without_fsspec(monkeypatch):
    """The extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "fsspec", None)

    with pytest.raises(MissingDependency, match=r"'kerascb\[remote\]'"):
        filesystem_of("memory://a.keras")


def test_tensorflow_where_fsspec_has_no_driver(tensorflow):
    """TensorFlow reaches Google's storage without gcsfs."""
    assert filesystem_of("gs://bucket/a.keras").is_remote


def test_nothing_is_imported_for_local_paths(monkeypatch):
    """Only remote paths need fsspec and TensorFlow."""

    def refuse(name, *rest):
        pytest.fail(f"imported {name}")

    monkeypatch.setattr(builtins, "__import__", refuse)

    files = filesystem_of("a.keras")

    monkeypatch.undo()
    assert not files.is_remote


def test_an_age_that_is_not_told(monkeypatch):
    """What cannot be dated is never taken for old."""

    class Ageless:
        def invalidate_cache(self):
            pass

        def modified(self, path):
            raise NotImplementedError

    monkeypatch.setattr(fsspec, "url_to_fs", lambda path: (Ageless(), path))

    assert FsspecFileSystem("x://a").modified("x://a") == math.inf


class _StatusError(Exception):
    """What drivers over HTTP raise, which is no `OSError`."""

    def __init__(self, **attributes):
        super().__init__("the store says no")
        vars(self).update(attributes)


class _Refusing:
    """A driver whose every call fails with one error."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, name):
        def refuse(*_, **__):
            raise self._error

        return refuse


@pytest.mark.parametrize(
    "call",
    [
        lambda files: files.kind("x://a"),
        lambda files: files.names("x://a"),
        lambda files: files.size("x://a"),
        lambda files: files.modified("x://a"),
        lambda files: files.make_folder("x://a"),
        lambda files: list(files.read("x://a")),
        lambda files: files.part("x://a", 0, 1),
        lambda files: files.append("x://a", b""),
        lambda files: files.move("x://a", "x://b"),
        lambda files: files.remove("x://a"),
        lambda files: files.upload("a", "x://a"),
        lambda files: files.checksum("x://a"),
    ],
)
def test_pain_errors_of_drivers(monkeypatch, call):
    """Errors that are none of the operating system's went past every care."""
    error = _StatusError()
    driver = _Refusing(error)
    monkeypatch.setattr(fsspec, "url_to_fs", lambda path: (driver, path))

    with pytest.raises(OSError, match="the store says no") as caught:
        call(FsspecFileSystem("x://a"))

    assert caught.value.__cause__ is error
    assert caught.value.errno == errno.EIO


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"status": 404}, FileNotFoundError),  # aiohttp
        ({"code": 403}, PermissionError),  # gcsfs
        ({"status_code": 504}, TimeoutError),  # adlfs
        ({"code": "ThrottlingException"}, OSError),
    ],
)
def test_errors_of_drivers_that_tell_more(monkeypatch, attributes, expected):
    """The status of a response says which error it is."""
    driver = _Refusing(_StatusError(**attributes))
    monkeypatch.setattr(fsspec, "url_to_fs", lambda path: (driver, path))

    with pytest.raises(OSError, match="the store says no") as caught:
        FsspecFileSystem("x://a").size("x://a")

    assert type(caught.value) is expected


def test_a_checksum_of_the_store(monkeypatch):
    """Google keeps CRC-32C, in base64."""

    class Store:
        def invalidate_cache(self):
            pass

        def info(self, path):
            return {"crc32c": "4waSgw=="}

    monkeypatch.setattr(fsspec, "url_to_fs", lambda path: (Store(), path))

    assert FsspecFileSystem("x://a").checksum("x://a") == 0xE3069283


def test_exchange():
    """Two folders change their names."""
    Path("a").mkdir()
    Path("b").mkdir()
    Path("a", "in a").touch()

    exchange("a", "b")

    assert os.listdir("b") == ["in a"]
    assert os.listdir("a") == []


def test_exchange_with_nothing():
    """The error says what is missing."""
    Path("a").mkdir()

    with pytest.raises(FileNotFoundError, match="'a' -> 'b'"):
        exchange("a", "b")


def test_a_link_where_none_can_be(monkeypatch):
    """A copy takes the place of a second name."""
    Path("a").write_text("content")

    def refuse(*_, **__):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)

    LocalFileSystem().link("a", "b")

    assert Path("b").read_text() == "content"
    assert not Path("a").samefile("b")


def test_folders_that_cannot_be_synced(monkeypatch):
    """Some network drives know no sync of folders; others' errors count."""
    Path("file").touch()

    def refuse(handle):
        raise OSError(errno.EINVAL, "what is that?")

    monkeypatch.setattr(os, "fsync", refuse)

    LocalFileSystem().sync(".")
    with pytest.raises(OSError, match="what is that"):
        LocalFileSystem().sync("file")
