"""The script that measures a graphics card, tried with a tiny model on whatever is here."""

import json
import os
import subprocess

import pytest
from paths import ROOT


@pytest.mark.slow
@pytest.mark.timeout(1520)
def test_every_part_answers(tmp_path):
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    out = tmp_path / "gpu.json"
    command = [
        "bash",
        str(ROOT / "benchmarks/gpu.sh"),
        str(out),
        "",
        "--tiny",
        "--backends",
        backend,
        "--seconds",
        "1500",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(out.read_text())
    for kind in ("bfloat16", "tf32", "float32"):
        assert found[f"step {backend} {kind}"]["ms"] > 0, found
    assert found["gan"]["peak_bytes"] > 0, found
    for kind in ("train with data and export", "train, warp on device"):
        assert found[kind]["iterations"] == 6, found
    assert found["step, warp on device"]["ms"] > 0, found
    assert found["inference"]["ms"] > 0, found
    assert [row[0] for row in found["fit"]["rows"]] == [1, 2], found
