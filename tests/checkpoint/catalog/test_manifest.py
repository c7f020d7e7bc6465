"""The list of a folder's checkpoints."""

import json
import os

import pytest

from kerascb.checkpoint.catalog.ledger import line_of
from kerascb.checkpoint.catalog.manifest import (
    FILE_NAME,
    Entry,
    FileFacts,
    Manifest,
    has_manifest,
    home_of,
    join,
    path_from,
    paths_of,
)
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.runtime import Format

FILES = filesystem_of("")


def _entry(path="m.keras", checksum=1, **more):
    return Entry(path, Format.KERAS, {"": FileFacts(10, checksum)}, **more)


def _manifest(folder):
    return Manifest(FILES, str(folder))


def _listed(folder):
    return list(_manifest(folder).candidates())


def _lines(folder):
    return (folder / FILE_NAME).read_text().splitlines()


def _save(manifest, folder, entry, leaving=()):
    """A save, as far as the manifest is concerned."""
    manifest.add(entry)
    (folder / entry.path).write_bytes(b"0123456789")
    manifest.settle(entry.path, [one.path for one in leaving])
    for one in leaving:
        manifest.delete(one)


def test_what_is_added_is_read_back(tmp_path):
    """All of an entry survives, numbers that JSON does not have included."""
    note = {
        "epoch": 3,
        "batch": None,
        "time": 1.25,
        "metrics": {"loss": float("inf"), "acc": 0.1},
    }
    entry = Entry(
        "sub/ckpt",
        Format.TF_CHECKPOINT,
        {
            ".index": FileFacts(5, 0),
            ".data-00000-of-00001": FileFacts(7, 2**32 - 1),
        },
        note,
        by="sub/{epoch}",
    )

    _manifest(tmp_path).add(entry)

    assert _listed(tmp_path) == [[entry]]


def test_a_line_is_json(tmp_path):
    """Other programs can read it, NaN or not."""
    manifest = _manifest(tmp_path)

    manifest.add(_entry(note={"metrics": {"loss": float("nan")}}))

    [line] = _lines(tmp_path)
    content = json.loads(line, parse_constant=pytest.fail)
    assert content["add"]["note"]["metrics"] == {"loss": "NaN"}


def test_states_of_generators_are_left_to_the_checkpoint(tmp_path):
    """They may be long, and only loading needs them."""
    _manifest(tmp_path).add(_entry(note={"seeds": [[1, 2]], "epoch": 1}))

    [[found]] = _listed(tmp_path)
    assert found.note == {"epoch": 1}


def test_nothing_is_written_before_something_is_added(tmp_path):
    """To look into a folder leaves no file there."""
    _manifest(tmp_path)

    assert os.listdir(tmp_path) == []


def test_a_path_written_again_may_be_either(tmp_path):
    """Until the new checkpoint is known to be visible, both may be there."""
    manifest = _manifest(tmp_path)
    manifest.add(_entry(checksum=1))
    manifest.settle("m.keras")

    manifest.add(_entry(checksum=2))

    [found] = _listed(tmp_path)
    assert [one.files[""].checksum for one in found] == [1, 2]


def test_a_visible_checkpoint_ends_what_was_there(tmp_path):
    """From then on only it may be at the path."""
    manifest = _manifest(tmp_path)
    manifest.add(_entry(checksum=1))
    manifest.add(_entry(checksum=2))

    manifest.settle("m.keras")

    [[found]] = _listed(tmp_path)
    assert (found.files[""].checksum, found.is_visible) == (2, True)


def test_the_order_is_that_of_writing(tmp_path):
    """A path written again is the newest."""
    manifest = _manifest(tmp_path)
    _save(manifest, tmp_path, _entry("b.keras"))
    _save(manifest, tmp_path, _entry("a.keras"))
    _save(manifest, tmp_path, _entry("b.keras"))

    assert [one.path for [one] in _listed(tmp_path)] == ["a.keras", "b.keras"]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_last_line_is_ignored(tmp_path, cut):
    """A kill in the middle of it loses what it says, nothing else."""
    manifest = _manifest(tmp_path)
    manifest.add(_entry("a.keras"))
    manifest.add(_entry("b.keras"))
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-cut])

    after_kill = _manifest(tmp_path)
    after_kill.add(_entry("c.keras"))

    # Without the end of the line alone, all of it is there.
    survivors = ["b.keras"] if cut == 1 else []
    expected = ["a.keras", *survivors, "c.keras"]
    assert [one.path for [one] in _listed(tmp_path)] == expected
    assert [one.path for [one] in after_kill.candidates()] == expected


def test_a_line_behind_a_torn_one_is_read(tmp_path):
    """Two runs in one folder: the other's kill does not lose our line."""
    manifest = _manifest(tmp_path)
    with open(tmp_path / FILE_NAME, "w") as file:
        file.write('{"crc":"0000')

    manifest.add(_entry("a.keras"))

    assert [one.path for [one] in _listed(tmp_path)] == ["a.keras"]


@pytest.mark.parametrize("where", range(0, 100, 7))
def test_a_damaged_line_is_counted_not_believed(tmp_path, where):
    """Whatever byte of it changed, it says nothing any more."""
    manifest = _manifest(tmp_path)
    manifest.add(_entry("a.keras"))
    manifest.add(_entry("b.keras"))
    path = tmp_path / FILE_NAME
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)

    damaged = _manifest(tmp_path)

    assert [one.path for [one] in damaged.candidates()] == ["b.keras"]
    assert damaged.unreadable == 1


def test_what_a_newer_kerascb_adds_is_passed_over(tmp_path):
    """A line of a kind that is not known harms no other."""
    manifest = _manifest(tmp_path)
    manifest._append({"pinned": "a.keras"})
    manifest.add(_entry("b.keras"))

    assert [one.path for [one] in _listed(tmp_path)] == ["b.keras"]


def test_an_unknown_format_is_an_unreadable_line(tmp_path):
    """A newer kerascb may know one more."""
    manifest = _manifest(tmp_path)
    manifest.add(_entry("b.keras"))
    [line] = _lines(tmp_path)
    known = json.loads(line)["add"]
    with open(tmp_path / FILE_NAME, "ab") as file:
        file.write(line_of({"add": {**known, "form": "ZARR"}}))

    damaged = _manifest(tmp_path)

    assert [one.path for [one] in damaged.candidates()] == ["b.keras"]
    assert damaged.unreadable == 1


def test_a_failed_write_leaves_a_manifest_that_can_be_added_to(tmp_path):
    """A full disk may take half of a line; the next begins on its own."""

    class FullOnce(type(FILES)):
        is_full = True

        def append(self, path, content):
            if self.is_full:
                self.is_full = False
                super().append(path, content[:20])
                raise OSError(28, "No space left on device")
            super().append(path, content)

    manifest = Manifest(FullOnce(), str(tmp_path))
    with pytest.raises(OSError, match="No space left"):
        manifest.add(_entry("a.keras"))
    manifest.add(_entry("b.keras"))

    assert [one.path for [one] in _listed(tmp_path)] == ["b.keras"]
    assert [one.path for [one] in manifest.candidates()] == ["b.keras"]


def test_what_leaves_is_deleted_and_gone(tmp_path):
    """It was said to leave first, so that its absence alarms nobody."""
    manifest = _manifest(tmp_path)
    old, new = _entry("a.keras"), _entry("b.keras")
    _save(manifest, tmp_path, old)
    _save(manifest, tmp_path, new, leaving=[old])

    assert not (tmp_path / "a.keras").exists()
    assert [one.path for [one] in manifest.candidates()] == ["b.keras"]
    [[was_old], _] = _listed(tmp_path)
    assert was_old.is_leaving


def test_a_whole_directory_leaves(tmp_path):
    """Files in it that nobody listed go as well."""
    entry = Entry("d", Format.SAVED_MODEL, {"saved_model.pb": FileFacts(1, 1)})
    (tmp_path / "d" / "assets").mkdir(parents=True)

    _manifest(tmp_path).delete(entry)

    assert os.listdir(tmp_path) == []


def test_a_prefix_leaves_index_first(tmp_path):
    """What is half deleted does not look like a TensorFlow checkpoint."""
    removed = []

    class Watched(type(FILES)):
        def remove(self, path):
            removed.append(os.path.basename(path))

    facts = FileFacts(1, 1)
    entry = Entry(
        "c",
        Format.TF_CHECKPOINT,
        {".data-00000-of-00001": facts, ".index": facts},
    )
    Manifest(Watched(), str(tmp_path)).delete(entry)

    assert removed == ["c.index", "c.data-00000-of-00001"]


def test_only_what_one_callback_wrote_is_its_own(tmp_path):
    """Several share a folder; none counts the others' checkpoints."""
    manifest = _manifest(tmp_path)
    _save(manifest, tmp_path, _entry("a.keras", by="a{epoch}"))
    _save(manifest, tmp_path, _entry("b.keras", by="b{epoch}"))

    assert [one.path for one in manifest.kept("b{epoch}")] == ["b.keras"]


def test_what_never_became_visible_is_not_kept(tmp_path):
    """A kill between the line and the rename leaves the line alone."""
    manifest = _manifest(tmp_path)
    manifest.add(_entry("a.keras"))

    assert manifest.kept("") == []


def test_what_became_visible_before_a_kill_is_kept(tmp_path):
    """A kill between the rename and the second line loses nothing."""
    manifest = _manifest(tmp_path)
    manifest.add(_entry("a.keras"))
    (tmp_path / "a.keras").write_bytes(b"0123456789")

    assert [one.path for one in _manifest(tmp_path).kept("")] == ["a.keras"]


def test_history_is_left_out_in_time(tmp_path):
    """A run that overwrites one path for ever has a short manifest."""
    manifest = _manifest(tmp_path)
    sizes = []
    for i in range(300):
        _save(manifest, tmp_path, _entry(checksum=i))
        sizes.append(len(_lines(tmp_path)))

    assert max(sizes) < 70
    assert [[one.files[""].checksum] for [one] in _listed(tmp_path)] == [[299]]


def test_a_rewrite_keeps_what_others_added(tmp_path):
    """Another callback's lines are read again before the file is replaced."""
    manifest, other = _manifest(tmp_path), _manifest(tmp_path)
    _save(other, tmp_path, _entry("other.keras", by="other"))
    for i in range(100):
        _save(manifest, tmp_path, _entry(checksum=i))
    _save(other, tmp_path, _entry("other2.keras", by="other"))

    assert [one.path for one in _manifest(tmp_path).kept("other")] == [
        "other.keras",
        "other2.keras",
    ]


def test_a_rewrite_forgets_what_has_left(tmp_path):
    """With a few checkpoints kept, the file stays a few lines long."""
    manifest, previous = _manifest(tmp_path), []
    for i in range(200):
        entry = _entry(f"{i}.keras")
        _save(manifest, tmp_path, entry, leaving=previous)
        previous = [entry]

    assert len(_lines(tmp_path)) < 80
    assert [one.path for one in _manifest(tmp_path).kept("")] == ["199.keras"]


def test_a_rewrite_that_fails_does_no_harm(tmp_path, caplog):
    """The manifest that was there stays, the save is one, and it is logged."""

    class NoMove(type(FILES)):
        def move(self, source, target):
            raise PermissionError(13, "Permission denied", target)

    manifest = Manifest(NoMove(), str(tmp_path))

    for i in range(100):
        _save(manifest, tmp_path, _entry(checksum=i))

    [[found]] = _listed(tmp_path)
    assert found.files[""].checksum == 99
    assert "Permission denied" in caplog.text
    assert sorted(os.listdir(tmp_path)) == [FILE_NAME, "m.keras"]


@pytest.mark.parametrize(
    ("template", "home"),
    [
        ("m.keras", ""),
        ("run/m-{epoch}.keras", "run"),
        ("run/{epoch}/{batch}/m.keras", "run"),
        ("{epoch}/m.keras", ""),
        ("d{{x}}/m.keras", "d{x}"),
        ("/m{epoch}", "/"),
        ("gs://bucket/run/{epoch}/m.keras", "gs://bucket/run"),
    ],
)
def test_the_home_of_a_template(template, home):
    """The deepest folder that is the same for every save."""
    assert home_of(template) == home


def test_whether_there_is_one(tmp_path):
    """Then every save has to be listed, asked for or not."""
    assert not has_manifest(FILES, str(tmp_path))
    _manifest(tmp_path).add(_entry())

    assert has_manifest(FILES, str(tmp_path))


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("", "a/b"), ("x", "x/a/b"), ("/", "/a/b"), ("ram://x", "ram://x/a/b")],
)
def test_a_path_below_a_folder(folder, expected):
    """Here, at the root and far away."""
    assert join(folder, "a/b") == expected


@pytest.mark.parametrize(
    ("folder", "path", "separator", "expected"),
    [
        ("a", "a/b/m.keras", "/", "b/m.keras"),
        ("", "m.keras", "/", "m.keras"),
        ("a", "a/b\\m.keras", "/", "b\\m.keras"),
        ("a", "a\\b\\m.keras", "\\", "b/m.keras"),
        ("a", "a/b\\m.keras", "\\", "b/m.keras"),
    ],
)
def test_a_path_from_a_folder(monkeypatch, folder, path, separator, expected):
    """It has `/`, as it has in the list, on Windows too."""
    monkeypatch.setattr(os, "sep", separator)

    assert path_from(folder, path) == expected


def test_the_files_of_a_directory_are_in_it():
    """Those of another format continue its path."""
    facts = {"x": FileFacts(1, 1)}

    assert paths_of(Entry("d", Format.SAVED_MODEL, facts)) == ["d/x"]
    assert paths_of(Entry("d", Format.TF_CHECKPOINT, facts)) == ["dx"]


def test_in_the_current_folder(tmp_path):
    """A path without a folder has its manifest beside it."""
    Manifest(FILES, "").add(_entry())

    assert os.listdir(tmp_path) == [FILE_NAME]
