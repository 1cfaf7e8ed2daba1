"""The jobs of a workspace: started one after another or side by side, watched, stopped; all of it is in files."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from core.errors import InputError, Interrupted
from core.jobs import doctor
from core.own_place import PROJECT
from core.workbench.answers import Conflict, Missing
from core.workbench.events import Events
from core.workbench.jobs.arguments import arguments_of
from core.workbench.jobs.files import OVER, Job, JobFolder, folders, is_id, new_id
from core.workbench.jobs.forms import Stages, checked
from core.workspace import Workspace

MOST_WAITING = 64
MOST_KEPT = 200  # jobs that are over
# So long a runner may take until it holds its lock.
_PATIENCE = 20.0
_STOPPED = "stopped by you"


class Queue:
    """Every method may be called from any thread. ``watch`` has to be called now and then.

    reserve: bytes of disk that have to stay free; where less is left, what runs is stopped.
    """

    def __init__(self, workspace: Workspace, stages: Stages, events: Events, reserve: int):
        self.reserve = reserve
        self._workspace, self._stages, self._events = workspace, stages, events
        self._root = workspace.workbench / "jobs"
        self._lock = threading.RLock()
        self._runners: dict[str, subprocess.Popen] = {}
        self._jobs = {job.id: job for folder in folders(self._root) if (job := folder.read())}
        self._told: dict[str, Any] = {}

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs, the newest first, with how far they are."""
        with self._lock:
            return [self._said(job) for job in sorted(self._jobs.values(), key=lambda job: job.id, reverse=True)]

    def find(self, identity: str) -> Job:
        """Raises Missing where there is none of this id."""
        job = self._jobs.get(identity)
        if job is None:
            raise Missing("there is no such job", where=identity[:40])
        return job

    def log(self, identity: str, start: int) -> tuple[str, int]:
        """(the log of a job from this byte on, the byte after it)."""
        return self._folder(self.find(identity)).log_from(start)

    def add(
        self, stage: str, values: Mapping[str, Any], after: str = "", *, takes_over: bool = False
    ) -> dict[str, Any]:
        """Ask for a stage. after: id of a job that has to end well before; empty to start it at once.

        takes_over: stop that job, which saves, and begin then.

        Raises:
            WrongForm: an option cannot be so. UsageError: no such stage. Missing: no job has that id.
            Conflict: too many jobs wait. InputError: the disk is nearly full.
        """
        if after and self.find(after).state in OVER - {"done"}:
            raise Conflict("the job before it did not end well", where=after)
        options = checked(self._stages, stage, values)
        arguments = tuple(arguments_of(stage, options))
        self._require_room()
        with self._lock:
            if sum(job.state not in OVER for job in self._jobs.values()) >= MOST_WAITING:
                raise Conflict("too many jobs wait", why=f"at most {MOST_WAITING}", hint="stop some of them first")
            job = Job(new_id(), stage, arguments, dict(values), after, takes_over, created=time.time())
            self._keep(job)
            if takes_over and self.find(after).state == "running":
                self.stop(after)
            self._forget_old()
        self.watch()
        return self._said(self._jobs[job.id])

    def stop(self, identity: str, *, kill: bool = False) -> None:
        """Ask a job to end, as Ctrl-C does: it saves first. kill: end it at once, which loses what is not saved.

        Raises:
            Missing: there is none of this id. Conflict: it is over.
        """
        with self._lock:
            job = self.find(identity)
            if job.state == "waiting":
                self._keep(replace(job, state="cancelled", note=_STOPPED, ended=time.time()))
                return
            if job.state in OVER:
                raise Conflict("this job is over", where=job.stage)
            self._keep(replace(job, note=_STOPPED))
            self._signal(job, signal.SIGKILL if kill else signal.SIGINT)

    def watch(self) -> None:
        """Look after the jobs once: which have ended, which may start, whether the disk is nearly full."""
        with self._lock:
            for job in list(self._jobs.values()):
                if job.state == "running":
                    self._look_after(job)
            for job in sorted(self._jobs.values(), key=lambda job: job.id):
                if job.state == "waiting":
                    self._start_if_due(job)
            self._guard_the_disk()
            self._tell()

    def running(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.state == "running"]

    def _folder(self, job: Job) -> JobFolder:
        return JobFolder(self._root / job.id)

    def _keep(self, job: Job) -> None:
        self._folder(job).write(job)
        self._jobs[job.id] = job

    def _forget_old(self) -> None:
        over = sorted(job.id for job in self._jobs.values() if job.state in OVER)
        for identity in over[:-MOST_KEPT]:
            del self._jobs[identity]
            if is_id(identity):
                shutil.rmtree(self._root / identity, ignore_errors=True)

    def _start_if_due(self, job: Job) -> None:
        before = self._jobs.get(job.after)
        if before is not None and before.state not in OVER:
            return
        if before is not None and before.state not in (("done", "stopped") if job.takes_over else ("done",)):
            note = f"the job before it, {before.stage}, did not end well"
            self._keep(replace(job, state="cancelled", note=note, ended=time.time()))
            return
        folder = self._folder(job)
        self._keep(replace(job, state="running", started=time.time()))
        command = [sys.executable, "-P", "-m", "core.workbench.jobs.runner", str(folder.path)]
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
        environment = os.environ | {"PYTHONPATH": path, "WORKSPACE": str(self._workspace.root)}
        with open(folder.log, "ab") as log:
            # A session of its own: Ctrl-C in the terminal of the server, and its end, do not reach the job.
            self._runners[job.id] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        folder.path.joinpath("pid").write_text(str(self._runners[job.id].pid))

    def _look_after(self, job: Job) -> None:
        runner = self._runners.get(job.id)
        if runner is not None and runner.poll() is None:
            return
        folder = self._folder(job)
        if runner is None and (time.time() - job.started < _PATIENCE or folder.is_held()) and not folder.end():
            return
        self._runners.pop(job.id, None)
        end = folder.end()
        if end is None:
            self._keep(replace(job, state="killed", ended=time.time(), note=job.note or "it was killed"))
            return
        code, ended = end
        state = "done" if code == 0 else "stopped" if code == Interrupted.exit_code else "failed"
        if code < 0:
            state = "killed"
        self._keep(replace(job, state=state, code=code, ended=ended))  # type: ignore[arg-type]

    def _signal(self, job: Job, number: signal.Signals) -> None:
        """Send a signal to a job; to end it at once, also to the processes that it started."""
        runner = self._runners.get(job.id)
        if runner is None and not self._folder(job).is_held():
            return  # the number of its process may be another program's by now
        try:
            pid = runner.pid if runner else int(self._folder(job).path.joinpath("pid").read_text())
            # The runner leads a group of its own, and hands on what is sent to it alone.
            send = os.killpg if number == signal.SIGKILL else os.kill
            send(pid, number)
        except (OSError, ValueError):
            return  # it has just ended

    def _free(self) -> int:
        return doctor.disk(self._workspace).free

    def _require_room(self) -> None:
        if self._free() < self.reserve:
            raise InputError(
                "the disk is nearly full",
                where=self._workspace.root,
                why=f"{self._free() / 1e9:.1f} GB are free, {self.reserve / 1e9:.1f} GB are kept in reserve",
                hint="free some space, or start the workbench with a smaller --reserve",
            )

    def _guard_the_disk(self) -> None:
        if not self.running() or self._free() >= self.reserve:
            return
        for job in self.running():
            if not job.note:
                note = f"stopped: less than {self.reserve / 1e9:.1f} GB were left on the disk"
                self._keep(replace(job, note=note))
                self._signal(job, signal.SIGINT)

    def _said(self, job: Job) -> dict[str, Any]:
        said = asdict(job) | {"arguments": list(job.arguments)}
        said["progress"] = self._folder(job).progress_said() if job.state == "running" else {}
        return said

    def _tell(self) -> None:
        """Events for the jobs that are not what was told of them last."""
        for job in self._jobs.values():
            said = self._said(job)
            if self._told.get(job.id) != said:
                new = job.id not in self._told and job.state in OVER
                self._told[job.id] = said
                # What was over before this server began is no news.
                if not new:
                    self._events.add("job", said)
