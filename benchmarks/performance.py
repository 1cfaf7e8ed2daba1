"""The table and the picture of docs/performance.md, from the results of the benchmarks.

usage: python benchmarks/performance.py [--run BEFORE]

``--run`` measures training first: BEFORE is a checkout of the program before the changes (git worktree add BEFORE
32d2d88). The rows of extraction and export are kept by benchmarks/extraction.py and export.py.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE, PICTURE = ROOT / "docs/performance.md", ROOT / "docs/screens/performance.png"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
# File, place of the value in it, what it is, what was predicted (after : before), whether more is better.
ROWS = (
    ("training_data", ("samples_per_cpu_s", "uncached"), "samples a CPU-second, decoded anew", "2.4", True),
    ("training_data", ("samples_per_cpu_s", "cached"), "samples a CPU-second, cached", "1.2", True),
    ("train_step", ("main_thread_ms_a_step",), "main thread beside the networks, ms a step", "1/7", False),
    ("train_step", ("update_cpu_ms",), "update of the optimizer, CPU ms", "1/1.5", False),
    ("train_step", ("step_cpu_ms",), "whole step, CPU ms", "1/1.15", False),
    ("extraction", ("png_frame",), "extraction of a 720p PNG with a face, CPU ms", "1/1.5", False),
    ("extraction", ("film_frame",), "extraction of a 720p film frame, CPU ms", "1/1.5", False),
    ("extraction", ("identity",), "identity of a face, CPU ms", "1/1.11", False),
    ("export", ("ms_per_face",), "a swap by a .dfm in 8 bits, CPU ms", "1/2.7", False),
    ("export", ("file_mib",), "that .dfm, MiB", "1/4", False),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, metavar="BEFORE")
    given = parser.parse_args()
    if given.run:
        for name in ("training_data", "train_step"):
            subprocess.run([sys.executable, ROOT / f"benchmarks/{name}.py", "--against", given.run], check=True)
    rows = [(what, predicted, more, *values(name, path)) for name, path, what, predicted, more in ROWS]
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table(rows)}{END}{rest.split(END)[1]}")
    draw(rows)


def values(name: str, path: tuple[str, ...]) -> tuple[float, float]:
    """(before, after)."""
    result = json.loads((ROOT / f"benchmarks/results/{name}.json").read_text())
    found = []
    for when in ("before", "after"):
        value = result[path[0]][when] if len(path) > 1 else result[when]
        found.append(float(value[path[-1]]))
    return found[0], found[1]


def table(rows: list) -> str:
    lines = ["| what | before | after | after : before | predicted |", "|---|---|---|---|---|"]
    for what, predicted, _, before, after in rows:
        lines.append(f"| {what} | {before:g} | {after:g} | {after / before:.2f} | {predicted} |")
    return "\n".join(lines) + "\n"


def draw(rows: list) -> None:
    """How many times better each row became."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    better = [after / before if more else before / after for _, _, more, before, after in rows]
    figure = Figure(figsize=(8, 3), dpi=80, layout="constrained")
    axes = figure.add_subplot()
    axes.barh([row[0] for row in rows][::-1], [times - 1 for times in better[::-1]], left=1)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("times better than before")
    FigureCanvasAgg(figure).print_png(str(PICTURE))


if __name__ == "__main__":
    main()
