"""The benchmarks run, and measure what they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure import measure

ROOT = Path(__file__).parents[1]


def test_every_rival_works_equally_often():
    """One warm-up, then the repeats, in turn."""
    order = []
    rivals = {
        name: lambda name=name: order.append(name) or 1 for name in ("a", "b")
    }
    result = measure("case", "call", rivals, repeats=2)

    assert order == ["a", "b"] * 3
    assert [row.name for row in result.rows] == ["a", "b"]


@pytest.mark.fit
@pytest.mark.timeout(300)
def test_every_case_runs(tmp_path):
    """`--quick` sees each through and leaves JSON."""
    file = tmp_path / "results.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(file)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    content = json.loads(file.read_text())

    assert {"bare", "stock", "kerascb", "background"} < {
        row["name"] for result in content["results"] for row in result["rows"]
    }
    assert content["machine"]["cores"] >= 1
