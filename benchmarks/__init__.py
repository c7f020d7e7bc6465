"""Stock's callbacks and kerascb's, doing the same work in one run.

`python -m benchmarks --help` says how to run them. A case is a module with a
function `run` that answers with results.

    results.py   what was measured, what was asked; to JSON and back
    budgets.py   what is asked of a case
    measure.py   interleaved measurements of rivals
    machine.py   where, when and with what
    backends.py  which Keras, on which device
    fits.py      a small model's fits, as rivals
    screens.py   what a progress bar is drawn on
    tables.py    results as text and as Markdown
    pictures.py  results as a picture (matplotlib)
    report.py    the command that makes tables and pictures of JSON
"""
