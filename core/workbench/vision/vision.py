"""The vision process as the server sees it: one question at a time, and of a page only its newest."""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EnvironmentFault, InputError
from core.own_place import PROJECT
from core.workbench.vision.messages import receive, send

_PATIENCE = 30.0  # seconds
MOST_WAITING = 64


class Vision:
    """May be asked from any thread. The process begins with the first question."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._tickets = itertools.count(1)
        self._newest: dict[str, int] = {}
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)

    def ask(
        self, page: str, question: str, pictures: Sequence[NDArray[np.uint8]], **more: Any
    ) -> dict[str, Any] | None:
        """The answer; None where the same page has asked something newer meanwhile. more: JSON values.

        Raises:
            InputError: the question makes no sense for these pictures.
            EnvironmentFault: the process cannot be started, ended, or takes too long.
        """
        if not self._waiting.acquire(blocking=False):
            raise EnvironmentFault("too much is asked at once", hint="try again")
        try:
            ticket = self._newest[page] = next(self._tickets)
            with self._turn:
                if self._newest[page] != ticket:
                    return None
                return self._answer({"ask": question, **more}, pictures)
        finally:
            self._waiting.release()

    def warm_up(self) -> None:
        """Start the process in the background, so that the first question need not wait for it."""
        threading.Thread(target=self._warm, daemon=True, name="vision").start()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _warm(self) -> None:
        with self._turn:
            try:
                self._started()
            except (EnvironmentFault, OSError):
                self.close()  # the first question says why

    def _answer(self, head: dict[str, Any], pictures: Sequence[NDArray[np.uint8]]) -> dict[str, Any]:
        process = self._started()
        # A network that hangs, or a picture that makes it hang, costs one answer.
        alarm = threading.Timer(_PATIENCE, process.kill)
        alarm.start()
        try:
            send(process.stdin, head, pictures)  # type: ignore[arg-type]
            answer = receive(process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError):
            answer = None
        finally:
            alarm.cancel()
        if answer is None:
            self.close()
            raise EnvironmentFault("the process that looks at faces has ended", hint="try again; it is started anew")
        if "error" in answer[0]:
            said = answer[0]["error"]
            raise InputError(said["what"], why=said["why"], hint=said["hint"])
        return answer[0]

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-P", "-m", "core.workbench.vision.child"]
            path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path},
                # Ctrl-C is for the server, which ends this one.
                start_new_session=True,
            )
            if receive(self._process.stdout) is None:  # type: ignore[arg-type]
                self.close()
                raise EnvironmentFault(
                    "the process that looks at faces does not start", hint="`bash scripts/doctor.sh`"
                )
        return self._process
