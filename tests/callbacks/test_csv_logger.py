"""A row an epoch, whatever happens to the columns and to the fit."""

import copy
import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from kerascb import CSVLogger, LambdaCallback, TerminateOnNaN
from kerascb.callbacks._csv_table import find_header
from kerascb.callbacks.csv_logger import cell
from kerascb.errors import InvalidArgument, UnwritablePath
from kerascb.testing import drive
from tests.parity import assert_equal_runs, compare

FIRST = {"loss": 0.5, "accuracy": 0.25}
LATE = {"loss": 0.25, "accuracy": 0.5, "val_loss": 0.75}


def rows(path="log.csv", separator=","):
    """The table as its readers see it."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


class TestPlainTable:
    def test_columns_are_epoch_and_the_sorted_names(self):
        """One header, one row an epoch, lines ended as CSV has them."""
        drive([CSVLogger("log.csv")], epochs=[FIRST, FIRST])

        assert Path("log.csv").read_bytes() == (
            b"epoch,accuracy,loss\r\n0,0.25,0.5\r\n1,0.25,0.5\r\n"
        )

    def test_epoch_numbers_are_those_of_the_fit(self):
        """A fit that begins at epoch 3 says so in its rows."""
        drive([CSVLogger("log.csv")], epochs=[FIRST], initial_epoch=3)

        assert rows()[1][0] == "3"

    def test_row_can_be_read_as_soon_as_its_epoch_ends(self):
        """Nothing waits in a buffer for the end of training."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()

        logger.on_epoch_end(0, FIRST)

        assert rows() == [["epoch", "accuracy", "loss"], ["0", "0.25", "0.5"]]
        logger.on_train_end()

    @pytest.mark.parametrize("separator", [";", "\t", "|", " "])
    def test_cells_stand_apart_by_the_separator(self, separator):
        """Any one character will do."""
        drive([CSVLogger("log.csv", separator=separator)], epochs=[FIRST])

        assert rows(separator=separator)[0] == ["epoch", "accuracy", "loss"]

    @pytest.mark.parametrize("filename", ["log.csv", Path("log.csv")])
    def test_takes_paths_of_both_kinds(self, filename):
        """`filename` is a string afterwards, as in Keras."""
        logger = CSVLogger(filename)

        drive([logger], epochs=[FIRST])

        assert logger.filename == "log.csv"
        assert len(rows()) == 2

    def test_keeps_what_readers_of_its_attributes_expect(self):
        """Open while training runs, closed afterwards."""
        logger = CSVLogger("log.csv")
        before = (logger.keys, logger.csv_file, logger.writer)

        logger.on_train_begin()
        logger.on_epoch_end(0, FIRST)
        during = (logger.keys, logger.csv_file.closed, logger.writer is None)
        logger.on_train_end()

        assert before == (None, None, None)
        assert during == (["accuracy", "loss"], False, False)
        assert (logger.csv_file.closed, logger.writer) == (True, None)

    def test_hooks_by_hand_without_a_beginning(self):
        """`on_epoch_end` opens the file if nobody told it of a fit."""
        logger = CSVLogger("log.csv")

        logger.on_epoch_end(0, None)
        logger.on_train_end()

        assert rows() == [["epoch"], ["0"]]

    def test_end_without_a_beginning(self):
        """A list may end what it never began."""
        CSVLogger("log.csv").on_train_end()

        assert not Path("log.csv").exists()

    @pytest.mark.parametrize("append", [False, True])
    def test_instance_used_again_begins_anew(self, append):
        """Columns of the first fit do not stick to the second one's rows."""
        logger = CSVLogger("log.csv", append=append)
        drive([logger], epochs=[{"loss": 1.0, "old": 2.0}])
        Path("log.csv").unlink()

        drive([logger], epochs=[{"loss": 0.5}])

        assert rows() == [["epoch", "loss"], ["0", "0.5"]]


class TestLateColumns:
    def test_validation_every_second_epoch_keeps_its_column(self):
        """A name that appears late gets a column; earlier rows say NA."""
        drive([CSVLogger("log.csv")], epochs=[FIRST, LATE, FIRST])

        assert rows() == [
            ["epoch", "accuracy", "loss", "val_loss"],
            ["0", "0.25", "0.5", "NA"],
            ["1", "0.5", "0.25", "0.75"],
            ["2", "0.25", "0.5", "NA"],
        ]

    def test_no_phantom_val_columns_without_validation(self):
        """Only what was seen gets a column."""
        drive([CSVLogger("log.csv")], epochs=[{**FIRST, "lr": 0.1}])

        assert rows()[0] == ["epoch", "accuracy", "loss", "lr"]

    def test_quoted_cells_survive_the_rewriting(self):
        """Arrays, separators and line breaks in cells stay what they are."""
        logs = {"a": np.array([1, 2]), "b": "x,\ny", "c": 'say "hi"'}
        drive([CSVLogger("log.csv")], epochs=[logs, {**logs, "d": 1}])

        first, second = rows()[1:]
        assert first[1:4] == second[1:4] == ['"[1, 2]"', "x,\ny", 'say "hi"']

    def test_cell_longer_than_the_csv_module_likes(self):
        """An array of a hundred thousand values does not end training."""
        logs = {"a": np.zeros(100_000, int)}
        drive([CSVLogger("log.csv")], epochs=[logs, {"a": 1, "b": 2}])

        header = Path("log.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header == "epoch,a,b"
        assert csv.field_size_limit() < 300_000

    def test_failing_rewrite_leaves_the_old_table(self, monkeypatch):
        """A full disk costs the new column, never the rows."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()
        logger.on_epoch_end(0, FIRST)

        def refuse(*args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match="No space left"):
            logger.on_epoch_end(1, LATE)

        assert len(rows()) == 2
        assert os.listdir() == ["log.csv"]

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
    def test_rewriting_keeps_permissions_and_links(self):
        """The file stays readable for whom it was, and a link stays a link."""
        Path("real.csv").write_text("", encoding="utf-8")
        Path("real.csv").chmod(0o640)
        Path("log.csv").symlink_to("real.csv")

        drive([CSVLogger("log.csv")], epochs=[FIRST, LATE])

        assert Path("log.csv").is_symlink()
        assert Path("real.csv").stat().st_mode & 0o777 == 0o640
        assert len(rows("real.csv")) == 3

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe")
    def test_what_cannot_be_rewritten_gets_a_second_header(self):
        """A pipe's reader learns of the new column before its first value."""
        os.mkfifo("pipe")
        reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)

        drive(
            [CSVLogger("pipe")],
            epochs=[{"loss": 1.0}, {"loss": 2.0, "lr": 3.0}],
        )

        written = os.read(reader, 1000)
        os.close(reader)
        assert written == (
            b"epoch,loss\r\n0,1.0\r\nepoch,loss,lr\r\n1,2.0,3.0\r\n"
        )


class TestAppend:
    def test_header_is_not_repeated(self):
        """A second run goes on below the first one's rows."""
        drive([CSVLogger("log.csv")], epochs=[FIRST])
        again = CSVLogger("log.csv", append=True)

        drive([again], epochs=[FIRST], initial_epoch=1)

        assert [row[0] for row in rows()] == ["epoch", "0", "1"]
        assert again.append_header is False

    @pytest.mark.parametrize("present", [None, "", "\n"])
    def test_nothing_to_append_to(self, present):
        """A missing or empty file gets a header."""
        if present is not None:
            Path("log.csv").write_text(present, encoding="utf-8")
        logger = CSVLogger("log.csv", append=True)

        drive([logger], epochs=[FIRST])

        assert (
            Path("log.csv").read_text(encoding="utf-8").strip()[:5] == "epoch"
        )
        assert logger.append_header is True

    def test_columns_are_merged_with_those_already_there(self):
        """Old columns keep their places, new ones follow, gaps say NA."""
        drive([CSVLogger("log.csv")], epochs=[{"loss": 1.0, "auc": 0.5}])

        drive(
            [CSVLogger("log.csv", append=True)],
            epochs=[{"loss": 0.5, "accuracy": 0.75}],
        )

        assert rows() == [
            ["epoch", "auc", "loss", "accuracy"],
            ["0", "0.5", "1.0", "NA"],
            ["0", "NA", "0.5", "0.75"],
        ]

    def test_separator_already_there_holds(self, warned):
        """One file, one separator; told once."""
        drive([CSVLogger("log.csv", separator=";")], epochs=[FIRST])

        drive([CSVLogger("log.csv", append=True)], epochs=[FIRST])

        assert {len(row) for row in rows(separator=";")} == {3}
        assert [text for text in warned if "separator" in text] == [
            "CSVLogger goes on in 'log.csv' with the separator found there, "
            "';', not ','."
        ]

    def test_file_of_unknown_kind_is_continued_as_keras_does(self, warned):
        """Rows without a header follow lines without a header."""
        Path("log.csv").write_text("0,0.5\r\n", encoding="utf-8")
        logger = CSVLogger("log.csv", append=True)

        drive([logger], epochs=[{"loss": 0.25}], initial_epoch=1)

        assert rows() == [["0", "0.5"], ["1", "0.25"]]
        assert "no column `epoch`" in warned[-1]

    def test_line_cut_short_is_ended_first(self):
        """A row never continues one that a killed run left unfinished."""
        Path("log.csv").write_bytes(b"epoch,loss\r\n0,0.5\r\n1,0.")

        drive([CSVLogger("log.csv", append=True)], epochs=[{"loss": 0.25}])

        assert rows()[-2:] == [["1", "0."], ["0", "0.25"]]

    def test_file_saved_by_a_spreadsheet(self):
        """A byte order mark and foreign bytes are no obstacle."""
        Path("log.csv").write_bytes(b"\xef\xbb\xbfepoch,\xe9\r\n0,1\r\n")

        drive([CSVLogger("log.csv", append=True)], epochs=[{"loss": 2.0}])

        assert Path("log.csv").read_bytes() == (
            b"epoch,\xe9,loss\r\n0,1,NA\r\n0,NA,2.0\r\n"
        )

    @pytest.mark.parametrize(
        ("line", "found"),
        [
            ("epoch,loss", (",", ["epoch", "loss"])),
            ('"epoch";"loss"', (";", ["epoch", "loss"])),
            ("epoch~loss", ("~", ["epoch", "loss"])),
            ("epoch", (",", ["epoch"])),
            ("loss\tepoch", ("\t", ["loss", "epoch"])),
            ("0,0.5", None),
            ("epochs;loss", None),
        ],
    )
    def test_header_is_known_by_its_epoch(self, line, found):
        """The separator is the one that sets a column `epoch` apart."""
        assert find_header(line + "\r\n1,2\r\n", ",") == found


class TestValues:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.1, "0.1"),
            (np.float32(0.1), "0.1"),
            (np.array(0.5), "0.5"),
            (float("nan"), "nan"),
            ("text", "text"),
            (None, ""),
            ([1, 2], '"[1, 2]"'),
            (np.array([0.5]), '"[0.5]"'),
        ],
    )
    def test_is_written_as_keras_writes_it(self, value, text):
        """Numbers as Python prints them, arrays in brackets."""
        drive([CSVLogger("log.csv")], epochs=[{"loss": 1}])
        logger = CSVLogger("log.csv")
        logger.on_epoch_end(0, {"value": value})
        logger.on_train_end()

        assert rows()[1] == ["0", text]

    def test_array_cell_has_its_quotes(self):
        """They are part of the cell, as in Keras."""
        assert cell(np.array([1, 2])) == '"[1, 2]"'

    @pytest.mark.parametrize("shape", [(), (2,)])
    def test_tensor_from_a_callback_before(self, tensorflow, shape):
        """A tensor without dimensions does not end training, as in Keras."""
        logger = CSVLogger("log.csv")
        logger.on_epoch_end(0, {"value": tensorflow.ones(shape)})
        logger.on_train_end()

        assert rows()[1][1] == ('"[1.0, 1.0]"' if shape else "1.0")


class TestMistakes:
    @pytest.mark.parametrize("separator", ["", ";;", "\n", "\r", '"', None, 5])
    def test_separator_nothing_can_be_made_of(self, separator):
        """Told by the constructor, not after the first epoch."""
        with pytest.raises(InvalidArgument) as told:
            CSVLogger("log.csv", separator=separator)

        assert str(told.value) == (
            '"delimiter" must be a 1-character string; got '
            f"separator={separator!r}. Pass ',', ';' or '\\t', say."
        )

    @pytest.mark.parametrize("append", [False, True])
    @pytest.mark.parametrize("filename", ["no/such/log.csv", ".", ""])
    def test_place_that_cannot_be_written(self, filename, append):
        """Told before the first epoch, with the path and the cure."""
        with pytest.raises(UnwritablePath) as told:
            drive([CSVLogger(filename, append=append)], epochs=[FIRST])

        assert f"CSVLogger got filename={filename!r}; choose a file" in str(
            told.value
        )

    def test_unknown_keyword(self):
        """Nothing is swallowed."""
        with pytest.raises(TypeError, match="seperator"):
            CSVLogger("log.csv", seperator=";")


class TestAccidents:
    def test_stop_in_the_first_epoch(self):
        """A stop by TerminateOnNaN leaves a table with its NaN."""
        drive([TerminateOnNaN(), CSVLogger("log.csv")], losses=[float("nan")])

        assert rows() == [["epoch", "loss"], ["0", "nan"]]

    def test_names_after_an_epoch_that_logged_nothing(self):
        """The columns come when there is something to put into them."""
        drive([CSVLogger("log.csv")], epochs=[{}, {"loss": 1.0}])

        assert rows() == [["epoch", "loss"], ["0", "NA"], ["1", "1.0"]]

    def test_file_left_open_by_an_exception_is_closed_by_the_next_fit(self):
        """No handle outlives the fit after it."""
        logger = CSVLogger("log.csv")
        fail = LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drive([logger, fail], epochs=[FIRST])
        left_open = logger.csv_file

        drive([logger], epochs=[FIRST])

        assert left_open.closed

    def test_file_left_open_is_closed_with_the_callback(self):
        """A callback that is thrown away takes its handle along."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()
        file = logger.csv_file

        del logger

        assert file.closed

    @pytest.mark.parametrize(
        "duplicate",
        [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    )
    def test_copy_in_the_middle_of_a_fit(self, duplicate):
        """The open file stays with the original."""
        logger = CSVLogger("log.csv", separator=";")
        logger.on_train_begin()

        other = duplicate(logger)
        logger.on_train_end()

        assert other.csv_file is None
        assert (other.filename, other.sep) == ("log.csv", ";")


def test_remote_paths_go_through_tensorflow(tensorflow):
    """Columns grow there as well, and append finds what is there."""
    path = "ram://kerascb-csv/log.csv"
    tensorflow.io.gfile.makedirs("ram://kerascb-csv")

    drive([CSVLogger(path)], epochs=[FIRST, LATE])
    drive([CSVLogger(path, append=True)], epochs=[LATE], initial_epoch=2)

    with tensorflow.io.gfile.GFile(path) as file:
        assert file.read().split() == [
            "epoch,accuracy,loss,val_loss",
            "0,0.25,0.5,NA",
            "1,0.5,0.25,0.75",
            "2,0.5,0.25,0.75",
        ]


@pytest.mark.fit
@pytest.mark.parametrize("separator", [",", ";"])
def test_same_bytes_as_stock(runtime, make_model, data, tmp_path, separator):
    """With validation from the first epoch, ours is stock's file."""
    stock, ours = compare(
        runtime,
        lambda classes: [classes.CSVLogger("log.csv", separator=separator)],
        make_model,
        data,
        tmp_path,
    )

    assert_equal_runs(stock, ours, "filename", "sep", "append", "keys")
    assert ours.files == stock.files


@pytest.mark.fit
def test_same_bytes_as_stock_with_a_learning_rate(
    runtime, make_model, data, tmp_path
):
    """What a callback adds is written as stock writes it."""
    stock, ours = compare(
        runtime,
        lambda classes: [
            classes.LearningRateScheduler(lambda epoch, lr: lr * 0.5),
            classes.CSVLogger("log.csv"),
        ],
        make_model,
        data,
        tmp_path,
    )

    assert ours.files == stock.files


@pytest.mark.fit
def test_same_bytes_as_stock_when_appending(
    runtime, make_model, data, tmp_path
):
    """Rows go below those of an earlier run."""

    def build(classes):
        Path("log.csv").write_bytes(
            b"epoch,accuracy,loss,val_accuracy,val_loss\r\n0,1,1,1,1\r\n"
        )
        return [classes.CSVLogger("log.csv", append=True)]

    stock, ours = compare(runtime, build, make_model, data, tmp_path)

    assert_equal_runs(stock, ours, "append_header", "keys")
    assert ours.files == stock.files


@pytest.mark.fit
def test_values_are_those_of_history(make_model, data):
    """A reader of the file sees the numbers that `fit` returns."""
    x, y = data
    record = make_model().fit(
        x, y, epochs=2, verbose=0, callbacks=[CSVLogger("log.csv")]
    )

    with Path("log.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [row["loss"] for row in written] == [
        str(loss) for loss in record.history["loss"]
    ]
