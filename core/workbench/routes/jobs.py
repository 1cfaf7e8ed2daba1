"""Stages and jobs: forms, start, stop, logs."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.workbench.answers import error_response, get, post, whole_number
from core.workbench.bench import Bench
from core.workbench.jobs.forms import WrongForm, checked, form, require_stage

# The server itself is no job.
NOT_HERE = frozenset({"workbench"})


class Asked(BaseModel):
    """A stage to run. values: of its options, those that were chosen. after: id of the job that comes before.
    takes_over: stop that one for it.
    """

    model_config = ConfigDict(extra="forbid")

    stage: Annotated[str, Field(max_length=60)]
    values: dict[str, Any] = {}
    after: Annotated[str, Field(max_length=60)] = ""
    takes_over: bool = False


class Stop(BaseModel):
    """kill: at once, without saving."""

    model_config = ConfigDict(extra="forbid")

    kill: bool = False


def routes(bench: Bench) -> list[Route]:
    """The routes."""

    def stages(request: Request) -> Any:
        names = [name for name in bench.stages.names() if name not in NOT_HERE]
        return [{"name": name, "summary": bench.stages.summary(name)} for name in names]

    def show_form(request: Request) -> Any:
        stage = request.query_params.get("stage", "")
        require_stage(bench.stages, stage, NOT_HERE)
        return form(bench.stages, stage)

    def check(request: Request, asked: Asked) -> Any:
        return _with_faults(lambda: [checked(bench.stages, asked.stage, asked.values), {"ok": True}][1])

    def start(request: Request, asked: Asked) -> Any:
        require_stage(bench.stages, asked.stage, NOT_HERE)
        return _with_faults(lambda: bench.jobs.add(asked.stage, asked.values, asked.after, takes_over=asked.takes_over))

    def stop(request: Request, asked: Stop) -> Any:
        bench.jobs.stop(request.path_params["job"], kill=asked.kill)
        bench.jobs.watch()
        return {"ok": True}

    def log(request: Request) -> Any:
        begin = whole_number(request.query_params.get("from", "0"), 0, 2**53)
        text, end = bench.jobs.log(request.path_params["job"], begin)
        return {"text": text, "next": end}

    return [
        get("/stages", stages),
        get("/form", show_form),
        post("/form", Asked, check),
        get("/jobs", lambda request: bench.jobs.jobs()),
        post("/jobs", Asked, start),
        post("/jobs/{job}/stop", Stop, stop),
        get("/jobs/{job}/log", log),
    ]


def _with_faults(work: Any) -> Any:
    """What the work gives; of a wrong form, the faults by field."""
    try:
        return work()
    except WrongForm as error:
        response: Response = error_response(error, fields=error.fields)
        return response
