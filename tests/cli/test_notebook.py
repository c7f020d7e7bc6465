"""`kerascb swap` on notebooks."""

import json

import pytest

pytest.importorskip("libcst", reason="kerascb[swap] is not installed")

from kerascb.cli._draft import Note, SourceError
from kerascb.cli._notebook import rewrite_notebook


def _cell(source, kind="code"):
    cell = {"cell_type": kind, "metadata": {"tags": []}, "source": source}
    if kind == "code":
        cell |= {"execution_count": 3, "outputs": [{"text": ["keras\n"]}]}
    return cell


def _notebook(*cells, **metadata):
    cells = [cell if isinstance(cell, dict) else _cell(cell) for cell in cells]
    whole = {
        "cells": cells,
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1) + "\n"


SWAPPED = {
    "lines": (
        [["import os\n", "from keras.callbacks import History\n", "History()"]],
        [["import os\n", "from kerascb import History\n", "History()"]],
    ),
    "a string": (
        ["from keras.callbacks import History\nHistory()"],
        ["from kerascb import History\nHistory()"],
    ),
    "an import in another cell": (
        [["import keras"], ["keras.callbacks.History(keras)\n", "1"]],
        [
            ["import keras\n", "import kerascb"],
            ["kerascb.History(keras)\n", "1"],
        ],
    ),
    "magics, commands, questions": (
        [
            "%matplotlib inline\n!pip install \\\n  keras\n"
            "from keras import callbacks\ncallbacks?\nfiles = !ls",
            "callbacks.History()\n%timeit callbacks",
        ],
        [
            "%matplotlib inline\n!pip install \\\n  keras\n"
            "import kerascb as callbacks\ncallbacks?\nfiles = !ls",
            "callbacks.History()\n%timeit callbacks",
        ],
    ),
    "a magic for the cell": (
        ["%%time\nfrom keras.callbacks import History"],
        ["%%time\nfrom kerascb import History"],
    ),
    "await outside of functions": (
        ["await load()\nfrom keras.callbacks import History"],
        ["await load()\nfrom kerascb import History"],
    ),
    "cells of other kinds": (
        [
            _cell("from keras.callbacks import History", "markdown"),
            _cell("from keras.callbacks import History", "raw"),
            "%%bash\nls",
            "",
            [],
            "from keras.callbacks import History",
        ],
        [
            _cell("from keras.callbacks import History", "markdown"),
            _cell("from keras.callbacks import History", "raw"),
            "%%bash\nls",
            "",
            [],
            "from kerascb import History",
        ],
    ),
    "letters written as escapes": (
        ["from keras.callbacks import History\nx = 'é😀'"],
        ["from kerascb import History\nx = 'é😀'"],
    ),
}


@pytest.mark.parametrize(
    ("before", "after"), SWAPPED.values(), ids=list(SWAPPED)
)
def test_swaps_cells_and_nothing_else(before, after):
    """Outputs, metadata and layout stay as they were, to the byte."""
    rewritten = rewrite_notebook(_notebook(*before))

    assert rewritten.source == _notebook(*after)
    assert rewritten.notes == ()


@pytest.mark.parametrize(
    ("before", "after"), SWAPPED.values(), ids=list(SWAPPED)
)
def test_swapping_again_changes_nothing(before, after):
    """A notebook that was swapped is left as it is."""
    del before

    rewritten = rewrite_notebook(_notebook(*after))

    assert rewritten.source == _notebook(*after)


@pytest.mark.parametrize(
    ("indent", "ascii_only", "end"),
    [(None, True, ""), (1, False, "\n"), (4, True, "\n\n"), ("\t", False, "")],
)
def test_keeps_the_layout_of_the_json(indent, ascii_only, end):
    """Jupyter, Colab and editors each write JSON their own way."""

    def dump(name):
        cell = _cell([f"from {name} import History\n", "x = 'é'\n"])
        whole = {"nbformat": 4, "cells": [cell], "metadata": {"é": {}}}
        return json.dumps(whole, indent=indent, ensure_ascii=ascii_only) + end

    rewritten = rewrite_notebook(dump("keras.callbacks"))

    assert rewritten.source == dump("kerascb")


def test_says_cell_and_line():
    """A note names the cell among all cells, and the line in it."""
    notebook = _notebook(
        _cell("text", "markdown"), "import keras", "1\n\nkeras.callbacks.My()"
    )

    rewritten = rewrite_notebook(notebook)

    assert rewritten.source == notebook
    assert rewritten.notes == (
        Note(3, 3, "`keras.callbacks.My` left: kerascb has no `My`"),
    )


def test_notes_what_is_in_a_magic():
    """A magic's line is not Python, so it is left, and said to be."""
    notebook = _notebook("%time keras.callbacks.History()")

    rewritten = rewrite_notebook(notebook)

    assert rewritten.notes == (
        Note(1, 1, "`keras.callbacks.History` left: in a magic"),
    )


def test_leaves_out_a_cell_that_is_not_python():
    """One broken cell does not keep the others from being swapped."""
    cells = ["from keras.callbacks import (", "from keras.callbacks import {}"]
    sound = "from {} import History"

    rewritten = rewrite_notebook(
        _notebook(*cells, sound.format("keras.callbacks"))
    )

    assert rewritten.source == _notebook(*cells, sound.format("kerascb"))
    assert [note.cell for note in rewritten.notes] == [1, 2]


def test_keeps_an_import_that_a_magic_may_use():
    """`import keras.callbacks` also binds `keras`, which a magic may need."""
    notebook = _notebook(
        "import keras.callbacks", "%time keras\nkeras.callbacks.History()"
    )

    rewritten = rewrite_notebook(notebook)

    assert '"import keras.callbacks\\nimport kerascb"' in rewritten.source


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"language": "R", "name": "ir"}},
        {"language_info": {"name": "julia"}},
    ],
)
def test_passes_over_other_languages(metadata):
    """A notebook in R is no business of ours."""
    notebook = _notebook("from keras.callbacks import History", **metadata)

    assert rewrite_notebook(notebook).source == notebook


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("keras callbacks {", "not JSON"),
        ('["keras", "callbacks"]', "not a notebook"),
        ('{"worksheets": "keras.callbacks"}', "format 4"),
        ('{"keras": "callbacks"} {}', "not JSON"),
        ("[" * 100_000 + '"keras callbacks"', "not JSON"),
    ],
    ids=["broken", "a list", "format 3", "two values", "too deep"],
)
def test_refuses_what_is_no_notebook(text, reason):
    """What cannot be read is an error, and nothing is rewritten."""
    with pytest.raises(SourceError, match=reason):
        rewrite_notebook(text)
