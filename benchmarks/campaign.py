"""The long campaign: damaged and hostile files for every reader, as JSON.

Each reader works in a process of its own, which is started again when it hangs or dies. Usage:
``python benchmarks/campaign.py [--inputs N] [--seconds S] [--seed N] [--out FILE] [READER...]``; N inputs a reader, S
seconds for all of them together.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from fuzzing.attempts import attempt  # noqa: E402
from fuzzing.mutators import mutated  # noqa: E402
from fuzzing.readers import READERS  # noqa: E402

PATIENCE = 20.0  # seconds for one input, where Python is not at work and cannot stop itself
MEMORY = Path("/dev/shm")


def main() -> None:
    given = _arguments()
    names, ends = given.readers or list(READERS), time.monotonic() + given.seconds
    results = {}
    for number, name in enumerate(names):
        share = (ends - time.monotonic()) / (len(names) - number)
        results[name] = campaign(name, given.inputs, given.seed, time.monotonic() + share)
        print(f"{name:12} {json.dumps(results[name])}", file=sys.stderr, flush=True)
    text = json.dumps(_report(results, given.seed), indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("readers", nargs="*", choices=[[], *READERS])
    return parser.parse_args()


def _report(results: dict[str, dict], seed: int) -> dict:
    totals = Counter()
    for found in results.values():
        totals.update({key: value for key, value in found.items() if isinstance(value, int)})
    machine = {"system": platform.platform(), "python": platform.python_version(), "processor": platform.processor()}
    return {"seed": seed, "machine": machine, "totals": dict(totals), "readers": results}


def campaign(name: str, inputs: int, seed: int, ends: float) -> dict:
    """Counts of what became of the inputs, and where what should not have happened did."""
    counts, places, number, died = Counter(), {}, 0, 0
    while number < inputs and time.monotonic() < ends:
        parent, child = multiprocessing.Pipe()
        worker = multiprocessing.Process(target=_work, args=(child, name, seed, number, inputs, ends), daemon=True)
        worker.start()
        child.close()
        number, finished = _listen(parent, counts, places, number)
        worker.kill()
        worker.join()
        if finished:
            break
        died += 1
        places.setdefault(f"hang or death of the process at input {number}", number)
        number += 1
    return {"inputs": counts.total() + died, **counts, "hang_or_death": died, "places": places}


def _listen(parent: Connection, counts: Counter, places: dict[str, int], number: int) -> tuple[int, bool]:
    """(input that is under way, whether the worker came to its end)."""
    while parent.poll(PATIENCE):
        try:
            message = parent.recv()
        except EOFError:
            return number, False
        if message is None:
            return number, True
        number, kind, place = message
        counts[kind] += 1
        if kind not in ("read", "typed"):
            places.setdefault(f"{kind}: {place}", number)
        number += 1
    return number, False


def _work(child: Connection, name: str, seed: int, first: int, inputs: int, ends: float) -> None:
    # Libraries complain of every damaged file.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    reader = READERS[name]
    tree = reader.sample()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for number in range(first, inputs):
            if time.monotonic() > ends:
                break
            # Of its own number, so that an input can be made again alone.
            changed = mutated(tree, random.Random(f"{seed} {name} {number}"))
            found = attempt(reader, changed, Path(folder) / "x")
            if found.kind == "hang":  # or the machine was busy with something else
                found = attempt(reader, changed, Path(folder) / "x")
            child.send((number, found.kind, found.place))
    child.send(None)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
