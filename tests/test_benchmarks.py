"""The benchmarks run, measure what they say, and say what was asked."""

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import backends, budgets, report, tables
from benchmarks.__main__ import CASES, main
from benchmarks.backups_auto import _Fit
from benchmarks.measure import Rival, Took, measure
from benchmarks.results import CPU, WALL, Budget, Result, Row, Run, read, write

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
MACHINE = {
    "date": "2026-01-01",
    "commit": "abc",
    "runtime": "keras 3 on jax",
    "device": "cpu",
    "gpu": None,
    "driver": None,
    "cpu": "Z80",
    "cores": 1,
    "python": "3.11",
}


def result_of(**times_us):
    """A case whose rows took so long, by both clocks."""
    rows = (Row(name, times, times) for name, times in times_us.items())
    return Result("case", "step", tuple(rows))


def run_of(*results, is_quick=False):
    """Those results, from a machine."""
    return Run(MACHINE, is_quick, results)


def own_environment(monkeypatch):
    """What is set in `os.environ` is forgotten after the test."""
    monkeypatch.setattr(os, "environ", dict(os.environ))


class TestMeasure:
    def test_every_rival_works_equally_often(self):
        """One warm-up, then the repeats, in turn, each begun by another."""
        order = []
        rivals = {
            name: lambda name=name: order.append(name) or 1
            for name in ("a", "b")
        }
        result = measure("case", "call", rivals, repeats=2)

        assert order == ["a", "b", "a", "b", "b", "a"]
        assert [row.name for row in result.rows] == ["a", "b"]

    def test_what_is_measured_once_is_not_warmed_up(self):
        """A single measurement is a look, or a process of its own."""
        calls = []
        measure("case", "call", {"a": lambda: calls.append(0) or 1}, repeats=1)

        assert len(calls) == 1

    def test_preparing_and_settling_surround_the_work(self):
        """Both belong to every measurement."""
        order = []
        rival = Rival(
            lambda: order.append("work") or 1,
            lambda: order.append("prepare"),
            lambda: order.append("settle"),
        )
        measure("case", "call", {"a": rival}, repeats=1)

        assert order == ["prepare", "work", "settle"]

    def test_work_may_measure_itself(self):
        """What it took counts then, by the unit."""
        result = measure(
            "case", "call", {"a": lambda: Took(2, 4e-6, 6e-6, 7)}, repeats=3
        )

        assert result.row("a").median_us(CPU) == pytest.approx(2)
        assert result.row("a").median_us(WALL) == pytest.approx(3)
        assert result.row("a").memory_bytes == 7


class TestResult:
    def test_ratios_are_taken_pair_by_pair(self):
        """The median of the ratios, not the ratio of the medians."""
        result = result_of(bare=(1.0, 10.0, 100.0), kerascb=(2.0, 10.0, 90.0))

        assert result.ratio("kerascb", "bare", WALL) == 1.0
        assert result.added_us("kerascb", WALL) == 0.0

    def test_what_is_added_is_held_against_what_stock_adds(self):
        """Both are counted from the bare row."""
        result = result_of(bare=(10.0,), stock=(30.0,), kerascb=(11.0,))

        assert result.added_share("kerascb", "stock", CPU) == pytest.approx(
            0.05
        )

    def test_a_share_of_nothing_is_no_figure(self):
        """Where stock adds nothing measurable, nothing can be said."""
        result = result_of(bare=(10.0,), stock=(9.0,), kerascb=(11.0,))

        assert math.isnan(result.added_share("kerascb", "stock", CPU))

    @pytest.mark.parametrize(
        ("budget", "is_kept"),
        [
            (budgets.ratio("kerascb", "stock", 0.5), True),
            (budgets.ratio("kerascb", "stock", 0.3), False),
            (budgets.added_share("kerascb", "stock", 0.11, CPU), True),
            (budgets.added_share("kerascb", "stock", 0.09, CPU), False),
            (budgets.added_us("kerascb", 2.1, CPU), True),
            (budgets.added_us("kerascb", 1.9, CPU), False),
        ],
    )
    def test_a_budget_is_kept_or_not(self, budget, is_kept):
        """The figure is held against the limit."""
        result = result_of(bare=(10.0,), stock=(30.0,), kerascb=(12.0,))
        [verdict] = result.judged([budget]).verdicts

        assert verdict.is_kept is is_kept

    def test_nothing_is_asked_of_rows_that_are_not_there(self):
        """Stock's TensorBoard cannot be measured without TensorFlow."""
        result = result_of(bare=(1.0,), kerascb=(1.0,))

        assert not result.judged(
            [budgets.ratio("kerascb", "stock", 1)]
        ).verdicts

    def test_json_keeps_everything(self, tmp_path):
        """What is read is what was written, a missing figure too."""
        unknown = Budget("?", 1.0, lambda result: math.nan, ("bare",), "s")
        result = result_of(bare=(1.0, 2.0)).judged([unknown], "a note")
        write(tmp_path / "run.json", run_of(result))
        again = read(tmp_path / "run.json")

        [verdict] = again.results[0].verdicts
        assert again.results[0].rows == result.rows
        assert again.results[0].note == "a note"
        assert again.machine == MACHINE
        assert math.isnan(verdict.measured)
        assert not verdict.is_kept


class TestReport:
    def asked(self):
        """A case with a budget kept and one missed."""
        result = result_of(bare=(10.0,), stock=(30.0,), kerascb=(12.0,))
        return result.judged(
            [budgets.added_us("kerascb", us, CPU) for us in (5, 1)], "a note"
        )

    @pytest.mark.parametrize(
        "text",
        [
            tables.as_text(asked(None), is_quick=False),
            tables.as_markdown(run_of(asked(None))),
        ],
        ids=["text", "markdown"],
    )
    @pytest.mark.parametrize(
        "words", ["kept", "MISSED", "≤ 5 µs", "2 µs", "30.0 µs", "a note"]
    )
    def test_tables_say_asked_and_measured(self, text, words):
        """And whether it was kept."""
        assert words in text

    def test_quick_runs_are_not_judged(self):
        """Their figures mean nothing."""
        text = tables.as_markdown(run_of(self.asked(), is_quick=True))

        assert "MISSED" not in text
        assert "no figure counts" in text

    def test_tables_replace_what_is_between_the_marks(self, tmp_path):
        """The rest of the document stays."""
        file, document = tmp_path / "run.json", tmp_path / "page.md"
        write(file, run_of(self.asked()))
        document.write_text(f"a\n{report.BEGIN}\nold\n{report.END}\nb\n")
        main(["report", str(file), "--into", str(document)])
        once = document.read_text()
        main(["report", str(file), "--into", str(document)])

        assert once.startswith(f"a\n{report.BEGIN}\n")
        assert once.endswith(f"{report.END}\nb\n")
        assert "old" not in once
        assert document.read_text() == once

    def test_a_document_without_marks_is_left_alone(self, tmp_path, capsys):
        """It is told what it lacks."""
        file, document = tmp_path / "run.json", tmp_path / "page.md"
        write(file, run_of(self.asked()))
        document.write_text("a")
        with pytest.raises(SystemExit):
            main(["report", str(file), "--into", str(document)])

        assert document.read_text() == "a"
        assert report.BEGIN in capsys.readouterr().err

    def test_draws_a_picture(self, tmp_path):
        """A PNG of some size."""
        pytest.importorskip("matplotlib")
        file, picture = tmp_path / "run.json", tmp_path / "run.png"
        write(file, run_of(self.asked()))
        main(["report", str(file), "-o", str(picture)])

        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size > 10_000

    def test_the_document_is_made_from_the_committed_results(self):
        """No figure in it is typed by hand."""
        files = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
        if not files:
            pytest.skip("nothing has been measured yet")
        document = DOCUMENT.read_text()

        text = report.markdown([read(file) for file in files])
        assert report.put_into(document, text) == document


class TestBackends:
    def test_the_cpu_hides_the_gpus(self, monkeypatch):
        """From every backend."""
        own_environment(monkeypatch)
        backends.choose(None, "cpu")

        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
        assert os.environ["JAX_PLATFORMS"] == "cpu"
        assert backends.device() == "cpu"

    def test_no_gpu_is_an_error_that_names_the_backend(
        self, monkeypatch, runtime
    ):
        """And not a measurement of something else."""
        own_environment(monkeypatch)
        monkeypatch.setattr(backends, "gpu_name", lambda: None)
        with pytest.raises(backends.Unavailable, match=runtime.backend):
            backends.choose(None, "gpu")

    def test_a_backend_that_is_not_installed_is_named(
        self, monkeypatch, capsys
    ):
        """Before anything is measured."""
        own_environment(monkeypatch)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(SystemExit):
            main(["hooks", "--backend", "jax"])

        assert "jax is not installed" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("backend", "is_legacy"), [("tensorflow", "0"), ("tf_keras", "1")]
    )
    def test_the_backend_is_chosen_by_the_environment(
        self, monkeypatch, backend, is_legacy
    ):
        """So that processes of a case choose the same."""
        own_environment(monkeypatch)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
        backends.choose(backend, "cpu")

        assert os.environ["KERAS_BACKEND"] == "tensorflow"
        assert os.environ["TF_USE_LEGACY_KERAS"] == is_legacy


class TestBackupsAuto:
    def fit(self):
        """Ten steps of 1 s; a backup after the third slows the next two."""
        steps_s = np.array([1, 1, 1, 1.5, 1.5, 1, 1, 1, 1, 1.0])
        held_s = np.full(10, 1e-6)
        held_s[2] = 0.5
        after = np.cumsum(steps_s + held_s)
        return _Fit(after - held_s, after, seen=[float(after[4]) - 0.1])

    def test_cost_is_what_holds_and_what_slows(self):
        """Of the time from the first step to the last."""
        assert self.fit().cost_share == pytest.approx(1.5 / 10.5, rel=1e-3)

    def test_lost_work_counts_from_when_the_state_was_taken(self):
        """Until the next backup is there, or the fit ends."""
        first, last = self.fit().lost_s

        assert first == pytest.approx(5.4, rel=1e-3)
        assert last == pytest.approx(8.5, rel=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_explained(case):
    """The document says which question it answers."""
    assert f"`{case}`" in DOCUMENT.read_text()


def test_a_case_that_is_not_there_is_named(capsys):
    """With the ones that are."""
    with pytest.raises(SystemExit):
        main(["nonsense"])

    assert "nonsense" in capsys.readouterr().err


@pytest.mark.fit
@pytest.mark.timeout(400)
def test_every_case_runs(tmp_path, runtime):
    """`--quick` sees each through and leaves JSON, without TensorFlow too."""
    if runtime.name != "keras3" or runtime.backend == "jax":
        pytest.skip("runs on TensorFlow and on torch")
    file = tmp_path / "results.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(file)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    content = json.loads(file.read_text())

    assert {"bare", "stock", "kerascb", "kerascb list", "background"} < {
        row["name"] for result in content["results"] for row in result["rows"]
    }
    assert content["is_quick"]
    assert content["machine"]["cores"] >= 1
