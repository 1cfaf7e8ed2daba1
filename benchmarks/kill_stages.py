"""Is anything lost when a stage is killed? Each is killed by SIGKILL before every thing that it does to the disk.

usage: python benchmarks/kill_stages.py [--faces 3] [--out FILE] [CASE...]
After each kill all that was there before must still be somewhere in the workspace, and the same command, run again,
must leave what a run leaves that nothing interrupts. Prints JSON and keeps it in benchmarks/results/kill_stages.json.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

import kills  # noqa: E402


def main() -> None:
    cases = {case.name: case for case in (*kills.CASES, *kills.SLOW_CASES)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=kills.FACES)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/kill_stages.json")
    parser.add_argument("cases", nargs="*", choices=[[], *cases])
    given = parser.parse_args()
    kills.FACES = given.faces
    found = {name: every_step(cases[name]) for name in given.cases or cases}
    machine = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    totals = {key: sum(each[key] for each in found.values()) for key in ("kills", "kills_with_loss")}
    text = json.dumps({"machine": machine, "faces": given.faces, "totals": totals, "cases": found}, indent=1)
    given.out.write_text(text + "\n")
    print(text)


def every_step(case: kills.Case) -> dict:
    """How often a case was killed, and what was wrong after which step."""
    wrong = {}
    with tempfile.TemporaryDirectory(prefix="kill_stages.") as folder:
        wanted = kills.outcome(case, Path(folder) / "whole")
        for step in count():
            found = kills.look(case, Path(folder) / str(step), step, wanted)
            if found is None:
                break
            if found:
                wrong[step] = found
    print(f"{case.name}: {step} kills, {len(wrong)} with loss", file=sys.stderr, flush=True)
    return {"kills": step, "kills_with_loss": len(wrong), "wrong": wrong}


if __name__ == "__main__":
    main()
