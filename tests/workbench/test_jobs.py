"""Stages as jobs: forms, arguments, queue, logs, stopping, a new server, a full disk."""

import json
import os
import signal
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from workbench_kit import small_workspace, wait_until

from core import stages
from core.errors import UsageError
from core.options import parse
from core.workbench.answers import Conflict
from core.workbench.app import new_keys, workbench_app
from core.workbench.bench import Bench
from core.workbench.events import Events
from core.workbench.jobs import queue as queue_module
from core.workbench.jobs.arguments import arguments_of
from core.workbench.jobs.files import LOG_BYTES, JobFolder, folders
from core.workbench.jobs.forms import WrongForm, checked, form
from core.workbench.jobs.queue import Queue

KEYS = new_keys(8600)
HOME = "http://127.0.0.1:8600"
REQUIRED = {"side": "src", "action": "list", "file": "x.jpg", "files": ["x.db"], "folder": "x"}
# A stage that goes on until it is stopped.
ENDLESS = """
import sys, time
from core.progress import Task
from pydantic import Field
from core.options import Options as Common
from core.errors import Interrupted
from core.types import StageReport
class Options(Common):
    seconds: float = Field(0, description="s")
def run(options, workspace):
    with Task("counting", "second", 1000) as task:
        for _ in range(1000):
            time.sleep(0.01)
            task.update()
    return StageReport("done")
"""


def required(stage):
    return {name: value for name, value in REQUIRED.items() if name in stages.load(stage).Options.model_fields}


@pytest.fixture
def workspace(tmp_path):
    return small_workspace(tmp_path / "work", trained=False)


@pytest.fixture
def queue(workspace):
    made = Queue(workspace, stages, Events(), 0)
    yield made
    for job in made.running():
        made.stop(job.id, kill=True)
    wait_until(lambda: made.watch() or not made.running())


def ended(queue, job):
    """The job once it is over."""
    wait_until(lambda: queue.watch() or queue.find(job["id"]).state not in ("waiting", "running"), 60)
    return queue.find(job["id"])


@pytest.mark.parametrize("stage", stages.names())
def test_every_stage_has_a_form(stage):
    made = form(stages, stage)
    fields = [field for group in made["groups"] for field in group["fields"]]
    names = {field["name"] for field in fields}
    assert len(names) == len(fields) and names == stages.load(stage).Options.model_fields.keys() - {"debug"}
    assert made["summary"] and all(field["help"] for field in fields)
    json.dumps(made)
    required_ones = {field["name"] for field in fields if field["required"]}
    assert required_ones <= required(stage).keys()


@pytest.mark.parametrize("stage", stages.names())
def test_the_arguments_mean_what_was_filled_in(stage, monkeypatch):
    for name in list(os.environ):
        if name.startswith("FORGE_"):
            monkeypatch.delenv(name)
    fields = [field for group in form(stages, stage)["groups"] for field in group["fields"]]
    values = required(stage)
    for field in fields:
        if field["name"] not in values and field["default"] is not None and field["default"] != []:
            values[field["name"]] = field["default"]
    options = checked(stages, stage, values)
    arguments = arguments_of(stage, options)
    name, rest = stages.split(arguments)
    assert name == stage and parse(type(options), stage, rest) == options


def test_values_that_look_like_flags():
    options = checked(stages, "merge", required("merge") | {"output": "--force"})
    assert parse(type(options), "merge", arguments_of("merge", options)[1:]) == options
    with pytest.raises(UsageError, match="taken for an option"):
        arguments_of("face-info", checked(stages, "face-info", {"file": "-x.jpg"}))


def test_what_is_wrong_stands_at_its_field():
    with pytest.raises(WrongForm) as caught:
        checked(stages, "faces", {"side": "scr", "every": 0, "detektor": "x"})
    faults = caught.value.fields
    assert "did you mean src?" in faults["side"] and "greater than or equal to 1" in faults["every"]
    assert "did you mean detector?" in faults["detektor"]


def test_a_job_runs_and_its_log_can_be_read(queue, workspace):
    job = queue.add("check-faceset", {"side": "src"})
    done = ended(queue, job)
    assert done.state == "done" and done.code == 0 and done.ended > done.started
    text, end = queue.log(job["id"], 0)
    assert "12" in text and queue.log(job["id"], end) == ("", end)
    assert queue.log(job["id"], 10**9)[0] == text  # a log that was replaced is shown from its beginning


def test_a_job_that_fails_says_why(queue):
    done = ended(queue, queue.add("export", {}))
    assert done.state == "failed" and done.code == 3
    assert "no model" in queue.log(done.id, 0)[0]


def test_one_after_another(queue):
    first = queue.add("check-faceset", {"side": "src"})
    second = queue.add("check-faceset", {"side": "dst"}, first["id"])
    assert second["state"] == "waiting"
    done = ended(queue, second)
    assert done.state == "done" and done.started >= queue.find(first["id"]).ended


def test_nothing_follows_a_failure(queue):
    first = queue.add("export", {})
    second = queue.add("check-faceset", {"side": "dst"}, first["id"])
    done = ended(queue, second)
    assert done.state == "cancelled" and "did not end well" in done.note


class EndlessStages:
    """The stages, and one of our own that goes on and on."""

    def __init__(self, folder: Path, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", str(folder))
        # Python runs this before anything else, in the job as well.
        code = "import core.stages as s, pathlib; f = s._files\n"
        code += "s._files = lambda: f() | {'endless': pathlib.Path(s.FOLDER, 'endless.py')}\n"
        code += (
            "import sys, types; m = types.ModuleType('core.stages.endless', 'counts'); sys.modules[m.__name__] = m\n"
        )
        code += f"exec({ENDLESS!r}, m.__dict__)\n"
        (folder / "sitecustomize.py").write_text(code)

    def names(self):
        return [*stages.names(), "endless"]

    def summary(self, name):
        return "counts"

    def load(self, name):
        return stages.load("doctor")


@pytest.fixture
def endless(workspace, tmp_path, monkeypatch):
    folder = tmp_path / "own"
    folder.mkdir()
    made = Queue(workspace, EndlessStages(folder, monkeypatch), Events(), 0)
    yield made
    for job in made.running():
        made.stop(job.id, kill=True)
    wait_until(lambda: made.watch() or not made.running())


def under_way(queue, job):
    """Waits until it counts; gives what it says of its progress."""
    return wait_until(lambda: queue.watch() or _progress(queue, job), 60)


def _progress(queue, job):
    said = next(each for each in queue.jobs() if each["id"] == job["id"])["progress"]
    return said if said.get("done") else None


def test_progress_and_stopping(endless):
    job = endless.add("endless", {})
    said = under_way(endless, job)
    assert said["total"] == 1000 and said["description"] == "counting" and 0 < said["done"] < 1000
    endless.stop(job["id"])
    done = ended(endless, job)
    assert done.state == "stopped" and done.code == 130 and done.note == "stopped by you"


def test_a_killed_job(endless):
    job = endless.add("endless", {})
    under_way(endless, job)
    endless.stop(job["id"], kill=True)
    assert ended(endless, job).state == "killed"


def test_a_new_server_knows_what_runs(endless, workspace):
    job = endless.add("endless", {})
    under_way(endless, job)
    second = Queue(workspace, endless._stages, Events(), 0)
    second.watch()
    assert [one.id for one in second.running()] == [job["id"]]
    second.stop(job["id"])
    assert ended(second, job).state == "stopped"


def test_a_new_server_sees_how_the_others_ended(queue, workspace):
    job = queue.add("check-faceset", {"side": "src"})
    folder = next(folders(workspace.workbench / "jobs"))
    wait_until(folder.end, 60)
    second = Queue(workspace, stages, Events(), 0)
    second.watch()
    assert second.find(job["id"]).state == "done"


def test_one_whose_runner_was_killed_too(endless, workspace):
    job = endless.add("endless", {})
    under_way(endless, job)
    pid = int((workspace.workbench / "jobs" / job["id"] / "pid").read_text())
    os.killpg(pid, signal.SIGKILL)
    assert ended(endless, job).state == "killed"


def test_taking_over(endless):
    first = endless.add("endless", {})
    under_way(endless, first)
    second = endless.add("endless", {}, first["id"], takes_over=True)
    assert ended(endless, first).state == "stopped"
    assert under_way(endless, second)["done"]


def test_a_disk_that_fills_up_stops_what_runs(endless):
    job = endless.add("endless", {})
    under_way(endless, job)
    endless.reserve = 10**18
    done = ended(endless, job)
    assert done.state == "stopped" and "were left on the disk" in done.note
    with pytest.raises(Exception, match="nearly full"):
        endless.add("endless", {})


def test_a_long_log_is_shown_from_its_end(tmp_path):
    folder = JobFolder(tmp_path)
    folder.log.write_bytes(b"a" * LOG_BYTES + b"\xc3\xa9end")
    text, end = folder.log_from(0)
    assert text.endswith("end") and len(text) <= LOG_BYTES and end == LOG_BYTES + 5


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"id": 1}', '{"id": "x", "stage": "y", "arguments": [], "z": 1}'])
def test_damaged_files_of_jobs_are_passed_over(workspace, content):
    folder = workspace.workbench / "jobs" / "20260101-000000-abcdef"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(content)
    assert Queue(workspace, stages, Events(), 0).jobs() == []


def test_the_queue_has_an_end(queue, monkeypatch):
    monkeypatch.setattr(queue_module, "MOST_WAITING", 2)
    first = queue.add("check-faceset", {"side": "src"})
    queue.add("check-faceset", {"side": "src"}, first["id"])
    with pytest.raises(Conflict, match="too many"):
        queue.add("check-faceset", {"side": "src"}, first["id"])
    second = queue.jobs()[0]
    queue.stop(second["id"])
    ended(queue, second)  # also where it ran, since the first one was quick


@pytest.fixture
def client(workspace):
    made = TestClient(workbench_app(Bench(workspace, stages, 0), KEYS), base_url=HOME, headers={"origin": HOME})
    made.post("/enter", content=KEYS.token)
    return made


def test_over_the_routes(client):
    assert "train" in {stage["name"] for stage in client.get("/api/v1/stages").json()}
    assert client.get("/api/v1/form?stage=train").json()["groups"][0]["fields"]
    answer = client.post("/api/v1/jobs", json={"stage": "faces", "values": {"side": "src", "every": -1}})
    assert answer.status_code == 422 and list(answer.json()["fields"]) == ["every"]
    assert client.get("/api/v1/jobs").json() == []
    for stage in ("workbench", "nothing", "../x", ""):
        assert client.post("/api/v1/jobs", json={"stage": stage}).status_code == 422
    for path in ("jobs/x/log", "jobs/20260101-000000-abcdef/log"):
        assert client.get(f"/api/v1/{path}").status_code == 404
    assert client.post("/api/v1/jobs", json={"stage": "doctor", "after": "x"}).status_code == 404


def test_events_are_told_once_and_again_to_who_missed_them(client, workspace):
    bench = Bench(workspace, stages, 0)
    made = TestClient(workbench_app(bench, KEYS), base_url=HOME, headers={"origin": HOME})
    made.post("/enter", content=KEYS.token)
    address = "ws://127.0.0.1:8600/api/v1/events"
    with made.websocket_connect(address) as socket:
        hello = socket.receive_json()
        assert hello == {"reset": True, "run": bench.events.run, "number": 0}
        bench.events.add("faces", {"side": "src"})
        assert socket.receive_json() == {"number": 1, "kind": "faces", "data": {"side": "src"}}
    bench.events.add("faces", {"side": "dst"})
    with made.websocket_connect(f"{address}?run={bench.events.run}&after=1") as socket:
        assert socket.receive_json()["reset"] is False
        assert socket.receive_json()["number"] == 2
    for query in (f"run={bench.events.run}&after=99", "run=other&after=1", f"run={bench.events.run}&after=x"):
        with made.websocket_connect(f"{address}?{query}") as socket:
            assert socket.receive_json()["reset"] is True


def test_too_many_missed_events_mean_looking_again():
    events = Events()
    for number in range(2100):
        events.add("job", number)
    assert events.after(50) is None and events.after(2099)[0].number == 2100 and events.after(2100) == []
