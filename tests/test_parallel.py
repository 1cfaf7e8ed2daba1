"""Work in threads and processes: in order, not far ahead, ended with the process that asked for it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paths import ROOT

from core import parallel

WAITING = """
import os, time
from core import parallel

def work(item):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(0.2)

if __name__ == "__main__":
    import waiting
    parallel._PAYS_FROM, parallel._CHUNK = 2, 1
    list(parallel.spread(waiting.work, range(10_000)))
"""


def test_results_come_in_order_and_never_far_ahead():
    started = []

    def items():
        for i in range(30):
            started.append(i)
            yield i

    def work(i):
        time.sleep(0.005 * (i % 3))
        return i * i

    results = parallel.in_threads(work, items(), workers=4)
    assert next(results) == 0 and len(started) <= 8
    assert list(results) == [i * i for i in range(1, 30)]


def test_an_error_in_a_worker_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(parallel.in_threads(lambda i: 1 // (5 - i), range(10), workers=2))


def test_workers_end_with_a_killed_parent(tmp_path):
    (tmp_path / "waiting.py").write_text(WAITING)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "waiting.py")], env=environment, stdout=subprocess.PIPE, text=True
    )
    workers = {int(parent.stdout.readline()) for _ in range(3)}
    assert parent.pid not in workers
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 60
    while any(map(_runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    parent.stdout.close()
    assert not any(map(_runs, workers))


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
