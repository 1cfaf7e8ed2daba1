"""Every stage on a machine that is in a bad way: full or read-only disks, few files, little memory, odd clocks.

usage: python benchmarks/conditions.py [--out FILE] [--condition NAME]... [CASE...]
Under each condition a stage must succeed or say what is wrong with one of its exit codes (never 1, the code of a bug,
and never by dying), must lose nothing, and must, run again under good conditions, leave what a whole run leaves. Full
and read-only disks are mounted, for which the benchmark must run as root. Prints JSON and keeps it in
benchmarks/results/conditions.json.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

import kills  # noqa: E402

from core.errors import PipelineError  # noqa: E402
from core.workspace import Workspace  # noqa: E402

SAID = range(2, 9)  # exit codes that say what is wrong
PATIENCE = 300
MIB = 1 << 20


@dataclass(frozen=True)
class Condition:
    """limits: of the process, (which, how much). environment: None takes a variable away. streams: how those of the
    process are redirected, in the words of a shell. disk: full or ro. date: of all files, in the words of touch.
    """

    limits: tuple[tuple[int, int], ...] = ()
    environment: dict[str, str | None] = field(default_factory=dict)
    streams: str = ""
    disk: str = ""
    date: str = ""


CONDITIONS = {
    "no HOME": Condition(environment={"HOME": None, "XDG_CACHE_HOME": None}),
    "HOME that cannot be written": Condition(environment={"HOME": "/proc/1"}),
    "TMPDIR that is not there": Condition(environment={"TMPDIR": "/nonexistent"}),
    "40 open files": Condition(limits=((resource.RLIMIT_NOFILE, 40),)),
    "files of 8 KB": Condition(limits=((resource.RLIMIT_FSIZE, 8192),)),
    "1 GB of addresses": Condition(limits=((resource.RLIMIT_AS, 1000 * MIB),)),
    "closed streams": Condition(streams="<&- >&- 2>&-"),
    "full streams": Condition(streams=">/dev/full 2>/dev/full"),
    "full disk": Condition(disk="full"),
    "read-only disk": Condition(disk="ro"),
    "files of 2040": Condition(date="2040-01-01"),
    "files of 1980": Condition(date="1980-01-01"),
}


def main() -> None:
    cases = {case.name: case for case in (*kills.CASES, *kills.SLOW_CASES)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/conditions.json")
    parser.add_argument("--condition", action="append", choices=CONDITIONS)
    parser.add_argument("cases", nargs="*", choices=[[], *cases])
    given = parser.parse_args()
    found = {name: under_all(cases[name], given.condition or list(CONDITIONS)) for name in given.cases or cases}
    every = [each for of_case in found.values() for each in of_case.values()]
    totals = {"runs": len(every), "wrong": sum(bool(each["wrong"]) for each in every)}
    machine = {"system": platform.platform(), "cores": os.cpu_count()}
    text = json.dumps({"machine": machine, "totals": totals, "cases": found}, indent=1)
    given.out.write_text(text + "\n")
    print(text)


def under_all(case: kills.Case, names: list[str]) -> dict[str, dict]:
    with tempfile.TemporaryDirectory(prefix="conditions.") as folder:
        wanted = kills.outcome(case, Path(folder) / "whole")
        found = {}
        for number, name in enumerate(names):
            found[name] = look(case, Path(folder) / str(number), CONDITIONS[name], wanted)
            print(f"{case.name}, {name}: {json.dumps(found[name])}", file=sys.stderr, flush=True)
        return found


def look(case: kills.Case, root: Path, condition: Condition, wanted: dict[str, str]) -> dict:
    """Exit code, the first line that was printed about it, and what is wrong."""
    workspace = Workspace(root).create()
    case.prepare(workspace)
    before = set(kills.contents(workspace))
    if condition.date:
        dated(root, condition.date)
    with DISKS[condition.disk](root):
        code, said = run(case, workspace, condition)
    wrong = []
    if code != 0 and code not in SAID:
        wrong.append(f"exit code {code}")
    wrong += [f"lost: {each}" for each in before.difference(kills.contents(workspace))]
    try:
        case.run(workspace)
    except PipelineError as error:
        said += f" / again: {error.what}"
    found = kills.visible(workspace)
    different = [name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)]
    return {"code": code, "said": said, "wrong": wrong + [f"{name} differs" for name in sorted(different)]}


def run(case: kills.Case, workspace: Workspace, condition: Condition) -> tuple[int, str]:
    command = [sys.executable, "-P", "-m", "core", case.stage, *case.arguments(workspace)]
    given = os.environ | {"PYTHONPATH": str(ROOT), "WORKSPACE": str(workspace.root)} | condition.environment
    environment = {name: value for name, value in given.items() if value is not None}
    line = f'"$@" {condition.streams}'
    done = subprocess.run(
        ["bash", "-c", line, "bash", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=lambda: limit(condition),
    )
    errors = [text for text in done.stderr.splitlines() if text.startswith("error:")]
    return done.returncode, errors[0] if errors else ""


def limit(condition: Condition) -> None:
    for which, most in condition.limits:
        resource.setrlimit(which, (most, most))


def dated(root: Path, date: str) -> None:
    for path in root.rglob("*"):
        subprocess.run(["touch", "-d", date, path], check=True)


@contextmanager
def good_disk(root: Path) -> Iterator[None]:
    yield


@contextmanager
def read_only(root: Path) -> Iterator[None]:
    subprocess.run(["mount", "--bind", root, root], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", root], check=True)
        yield
    finally:
        subprocess.run(["umount", root], check=True)


@contextmanager
def full(root: Path) -> Iterator[None]:
    """A disk on which the workspace has 12 KB left. What is on it afterwards is brought back."""
    aside = root.with_name(f"{root.name}.aside")
    root.rename(aside)
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", root], check=True)
    try:
        shutil.copytree(aside, root, dirs_exist_ok=True, symlinks=True)
        filler = root / ".filler"
        with open(filler, "wb") as stream:
            fill(stream.fileno())
        os.truncate(filler, filler.stat().st_size - 12288)
        yield
        filler.unlink()
        shutil.rmtree(aside)
        shutil.copytree(root, aside, symlinks=True)
    finally:
        subprocess.run(["umount", root], check=True)
    root.rmdir()
    aside.rename(root)


def fill(stream: int) -> None:
    for size in (MIB, 4096):
        try:
            while os.write(stream, bytes(size)) == size:
                pass
        except OSError:
            continue


DISKS: dict[str, Callable] = {"": good_disk, "ro": read_only, "full": full}

if __name__ == "__main__":
    main()
