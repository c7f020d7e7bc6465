"""A row an epoch, whatever happens to the columns and to the fit."""

import copy
import csv
import errno
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

    @pytest.mark.parametrize(
        "filename", ["log.csv", b"log.csv", Path("log.csv")]
    )
    def test_takes_paths_of_every_kind(self, filename):
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
        begun = (logger.keys, logger.csv_file.closed, logger.writer)
        logger.on_epoch_end(0, FIRST)
        during = (logger.keys, logger.csv_file.closed, logger.writer is None)
        logger.on_train_end()

        assert before == (None, None, None)
        assert begun == (None, False, None)
        assert during == (["accuracy", "loss"], False, False)
        assert (logger.csv_file.closed, logger.writer) == (True, None)

    def test_hooks_by_hand_without_a_beginning(self):
        """`on_epoch_end` opens the file if nobody told it of a fit."""
        logger = CSVLogger("log.csv")

        logger.on_epoch_end(0, None)
        logger.on_train_end()

        assert rows() == [["epoch"], ["0"]]

    @pytest.mark.parametrize("append", [False, True])
    def test_hooks_by_hand_after_the_end(self, append, warned):
        """An epoch that comes after training gets its row all the same."""
        logger = CSVLogger("log.csv", append=append)
        drive([logger], epochs=[FIRST])
        begun = logger.append_header

        logger.on_epoch_end(1, FIRST)
        logger.on_epoch_end(2, LATE)
        logger.on_train_end()

        assert rows() == [
            ["epoch", "accuracy", "loss", "val_loss"],
            ["0", "0.25", "0.5", "NA"],
            ["1", "0.25", "0.5", "NA"],
            ["2", "0.5", "0.25", "0.75"],
        ]
        assert logger.append_header is begun is True
        assert logger.keys == ["accuracy", "loss", "val_loss"]
        assert logger.csv_file.closed
        assert warned == []

    def test_first_hook_by_hand_after_the_end(self):
        """A fit without an epoch has left no header."""
        logger = CSVLogger("log.csv")
        drive([logger], epochs=[])

        logger.on_epoch_end(0, {"loss": 1.0})
        logger.on_train_end()

        assert rows() == [["epoch", "loss"], ["0", "1.0"]]

    def test_hook_after_the_end_where_the_file_cannot_be_opened(self):
        """In the words of a fit."""
        logger = CSVLogger("log.csv")
        drive([logger], epochs=[FIRST])
        Path("log.csv").unlink()
        Path("log.csv").mkdir()

        with pytest.raises(UnwritablePath, match="CSVLogger got filename="):
            logger.on_epoch_end(1, FIRST)

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


@pytest.fixture(params=["mounted file", "closed folder"])
def irreplaceable(request, monkeypatch):
    """Lets `log.csv` be written, and nothing be put in its place."""
    if request.param == "closed folder":
        Path(".tmp-log.csv").mkdir()  # where the wider file would be written
        return

    def refuse(source, target):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), source, 0, target)

    monkeypatch.setattr(os, "replace", refuse)


@pytest.mark.usefixtures("irreplaceable", "warned")
class TestFileThatCannotBeReplaced:
    def test_late_columns_follow_below_a_wider_header(self):
        """A bind mount costs the one header, not a row, nor the training."""
        drive([CSVLogger("log.csv")], epochs=[FIRST, LATE, FIRST])

        assert rows() == [
            ["epoch", "accuracy", "loss"],
            ["0", "0.25", "0.5"],
            ["epoch", "accuracy", "loss", "val_loss"],
            ["1", "0.5", "0.25", "0.75"],
            ["2", "0.25", "0.5", "NA"],
        ]

    def test_first_row_may_be_the_one_that_needs_it(self):
        """Where the columns there come from an earlier run."""
        Path("log.csv").write_bytes(b"epoch,loss\r\n0,1.0\r\n")

        drive([CSVLogger("log.csv", append=True)], epochs=[LATE])

        assert rows() == [
            ["epoch", "loss"],
            ["0", "1.0"],
            ["epoch", "loss", "accuracy", "val_loss"],
            ["0", "0.25", "0.5", "0.75"],
        ]

    def test_is_told_of_once(self, warned):
        """With the cause, and after the row has been written."""
        drive([CSVLogger("log.csv")], epochs=[FIRST, LATE, {**LATE, "lr": 1}])

        told = [text for text in warned if "CSVLogger" in text]
        assert len(told) == 1
        assert told[0].startswith("CSVLogger cannot replace 'log.csv' by ")
        assert ".tmp-log.csv" in told[0]

    def test_nothing_is_left_beside_it(self):
        """What was staged is removed."""
        drive([CSVLogger("log.csv")], epochs=[FIRST, LATE])

        assert [path.name for path in Path().iterdir() if path.is_file()] == [
            "log.csv"
        ]

    def test_next_fit_goes_on_below_the_widest_header(self, warned):
        """Its rows have the width of those right above them."""
        drive([CSVLogger("log.csv")], epochs=[FIRST, LATE])
        told = len(warned)

        drive([CSVLogger("log.csv", append=True)], epochs=[FIRST, LATE])

        assert [len(row) for row in rows()] == [3, 3, 4, 4, 4, 4]
        assert len(warned) == told

    def test_file_is_closed_with_the_callback(self):
        """What kept the file from being replaced does not keep it open."""
        logger = CSVLogger("log.csv")
        logger.on_epoch_end(0, FIRST)
        logger.on_epoch_end(1, LATE)
        file = logger.csv_file

        del logger

        assert file.closed


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

    def test_late_columns_below_an_empty_line(self):
        """An empty line is no header; every row is kept."""
        Path("log.csv").write_bytes(b"\n")

        drive([CSVLogger("log.csv", append=True)], epochs=[FIRST, LATE])

        assert [row[0] for row in rows()] == ["epoch", "0", "1"]

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

    def test_headers_in_the_midst_go_when_the_file_is_replaced(self):
        """What could not be widened at the time is made one table."""
        Path("log.csv").write_bytes(
            b"epoch,loss\r\n0,1\r\nepoch,loss,lr\r\n1,2,3\r\n"
        )

        drive([CSVLogger("log.csv", append=True)], epochs=[{"auc": 4.0}])

        assert rows() == [
            ["epoch", "loss", "lr", "auc"],
            ["0", "1", "NA", "NA"],
            ["1", "2", "3", "NA"],
            ["0", "NA", "NA", "4.0"],
        ]

    def test_zeros_left_by_a_power_failure(self):
        """Whether Python can read them or not, the new row is there."""
        Path("log.csv").write_bytes(b"epoch,loss\r\n\0\0\0\r\n")

        drive([CSVLogger("log.csv", append=True)], epochs=[LATE])

        last = Path("log.csv").read_bytes().splitlines()[-1]
        assert last == b"0,0.25,0.5,0.75"

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
            ("epoch,a\n0,1\nepoch,a,b\n", (",", ["epoch", "a", "b"])),
            ("epoch,a\n0,epoch\nepoch,b,a\n", (",", ["epoch", "a"])),
        ],
    )
    def test_header_is_known_by_its_epoch(self, line, found):
        """The separator is the one that sets a column `epoch` apart."""
        assert find_header(line + "\r\n1,2\r\n", ",") == found


class TestChosenKeys:
    def test_are_the_columns_in_their_order(self):
        """A name that is not logged has NA in its cells."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()
        logger.keys = ["loss", "foo"]

        logger.on_epoch_end(0, FIRST)
        logger.on_epoch_end(1, LATE)
        logger.on_train_end()

        assert rows() == [
            ["epoch", "loss", "foo"],
            ["0", "0.5", "NA"],
            ["1", "0.25", "NA"],
        ]
        assert logger.keys == ["loss", "foo"]

    def test_by_a_subclass_that_narrows_them(self):
        """Before it has the row written, in each fit anew."""

        class Losses(CSVLogger):
            def on_epoch_end(self, epoch, logs=None):
                if self.keys is None:
                    self.keys = [name for name in logs if "loss" in name]
                super().on_epoch_end(epoch, logs)

        drive([Losses("log.csv")], epochs=[LATE, FIRST])

        assert rows() == [
            ["epoch", "loss", "val_loss"],
            ["0", "0.25", "0.75"],
            ["1", "0.5", "NA"],
        ]

    def test_none_at_all(self):
        """An empty list is a choice."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()
        logger.keys = []
        logger.on_epoch_end(0, FIRST)
        logger.on_train_end()

        assert rows() == [["epoch"], ["0"]]

    def test_epoch_among_them_is_the_column_there_is(self):
        """Not a second one, nor one without its number."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()
        logger.keys = ["epoch", "loss"]
        logger.on_epoch_end(3, FIRST)
        logger.on_train_end()

        assert rows() == [["epoch", "loss"], ["3", "0.5"]]

    def test_in_the_midst_of_a_fit(self):
        """Columns that are there stay, new ones follow."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()
        logger.on_epoch_end(0, FIRST)
        logger.keys = ["loss", "foo"]
        logger.on_epoch_end(1, FIRST)
        logger.on_train_end()

        assert rows() == [
            ["epoch", "accuracy", "loss", "foo"],
            ["0", "0.25", "0.5", "NA"],
            ["1", "NA", "0.5", "NA"],
        ]

    @pytest.mark.usefixtures("keras2_only")
    def test_before_a_fit_hold_for_each(self):
        """In Keras 2, where training does not begin by forgetting them."""
        logger = CSVLogger("log.csv")
        logger.keys = ["loss", "foo"]

        drive([logger], epochs=[FIRST])
        drive([logger], epochs=[FIRST])

        assert rows() == [["epoch", "loss", "foo"], ["0", "0.5", "NA"]]

    @pytest.mark.usefixtures("keras3_only")
    def test_are_forgotten_when_training_begins(self):
        """In Keras 3, which resets `keys` there."""
        logger = CSVLogger("log.csv")
        logger.keys = ["loss", "foo"]

        drive([logger], epochs=[FIRST])

        assert rows()[0] == ["epoch", "accuracy", "loss"]

    def test_are_given_up_with_none(self):
        """The columns are those in the logs again."""
        logger = CSVLogger("log.csv")
        logger.on_train_begin()
        logger.keys = ["loss"]
        logger.keys = None
        logger.on_epoch_end(0, FIRST)
        logger.on_train_end()

        assert rows()[0] == ["epoch", "accuracy", "loss"]

    def test_come_along_with_a_copy(self):
        """As the other settings do."""
        logger = CSVLogger("log.csv")
        logger.keys = ["loss"]

        assert pickle.loads(pickle.dumps(logger)).keys == ["loss"]


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
    @pytest.mark.parametrize("filename", [None, 5, ["log.csv"]])
    def test_filename_that_is_no_path(self, filename):
        """Told by the constructor, with the value got."""
        with pytest.raises(InvalidArgument) as told:
            CSVLogger(filename)

        assert str(told.value) == (
            f"filename must be a str or a path; got filename={filename!r}."
        )

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


def test_remote_file_without_a_folder(tensorflow):
    """Its wider successor is written beside it, not on this disk."""
    path = "ram://kerascb-csv-alone.csv"

    drive([CSVLogger(path)], epochs=[FIRST, LATE])

    with tensorflow.io.gfile.GFile(path) as file:
        assert file.read().split() == [
            "epoch,accuracy,loss,val_loss",
            "0,0.25,0.5,NA",
            "1,0.5,0.25,0.75",
        ]
    assert os.listdir() == []


def test_remote_file_that_cannot_be_replaced(tensorflow, monkeypatch, warned):
    """TensorFlow's own errors cost no row either."""
    path = "ram://kerascb-csv-busy/log.csv"
    tensorflow.io.gfile.makedirs("ram://kerascb-csv-busy")

    def refuse(*args, **kwargs):
        raise tensorflow.errors.UnimplementedError(None, None, "no renaming")

    monkeypatch.setattr(tensorflow.io.gfile, "rename", refuse)
    drive([CSVLogger(path)], epochs=[FIRST, LATE, LATE])

    with tensorflow.io.gfile.GFile(path) as file:
        assert file.read().split() == [
            "epoch,accuracy,loss",
            "0,0.25,0.5",
            "epoch,accuracy,loss,val_loss",
            "1,0.5,0.25,0.75",
            "2,0.5,0.25,0.75",
        ]
    assert [text for text in warned if "no renaming" in text] == warned[-1:]


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


def _chosen_before(cls):
    logger = cls("log.csv")
    logger.keys = ["loss", "foo"]
    return logger


def _chosen_by_a_subclass(cls):
    def on_epoch_end(self, epoch, logs=None):
        self.keys = self.keys or ["val_loss", "foo", "loss"]
        cls.on_epoch_end(self, epoch, logs)

    return type("Chosen", (cls,), {"on_epoch_end": on_epoch_end})("log.csv")


@pytest.mark.fit
@pytest.mark.parametrize("build", [_chosen_before, _chosen_by_a_subclass])
def test_same_bytes_as_stock_with_chosen_keys(
    runtime, make_model, data, tmp_path, build
):
    """Where stock forgets a choice when training begins, ours does."""
    stock, ours = compare(
        runtime,
        lambda classes: [build(classes.CSVLogger)],
        make_model,
        data,
        tmp_path,
    )

    assert_equal_runs(stock, ours, "keys")
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
