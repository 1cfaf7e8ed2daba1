"""A program can call every job: plain values in, frozen dataclasses out, nothing of the command line."""

import dataclasses
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import get_args

import pytest

import core.jobs
from core.options import Options
from core.types import StageReport

# Run as a file, in a process of its own.
_NO_JOB = {"core.jobs.backend_probe"}
MODULES = [
    module.name
    for module in pkgutil.walk_packages(core.jobs.__path__, "core.jobs.")
    if not module.ispkg and module.name not in _NO_JOB
]


def public(module, kind):
    """The classes or functions that a module defines and that others may use."""
    members = inspect.getmembers(module, kind)
    return [member for name, member in members if not name.startswith("_") and member.__module__ == module.__name__]


def kinds(annotation):
    """The annotation, and everything that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from kinds(part)


@pytest.mark.parametrize("name", MODULES)
def test_no_job_knows_the_command_line(name):
    module = importlib.import_module(name)
    for function in public(module, inspect.isfunction):
        for annotation in inspect.get_annotations(function).values():
            for kind in kinds(annotation):
                assert not (inspect.isclass(kind) and issubclass(kind, (Options, StageReport))), function
                assert "Options" not in str(kind), function


@pytest.mark.parametrize("name", MODULES)
def test_results_do_not_change(name):
    for kind in public(importlib.import_module(name), inspect.isclass):
        if dataclasses.is_dataclass(kind):
            assert kind.__dataclass_params__.frozen, kind


@pytest.mark.parametrize("name", MODULES)
def test_a_job_returns_data_not_text(name):
    """What takes a workspace is a job, or opens one."""
    module = importlib.import_module(name)
    for function in public(module, inspect.isfunction):
        hints = inspect.get_annotations(function)
        if str(hints.get("workspace")).endswith("Workspace'>"):
            assert hints.get("return") not in (str, list[str], tuple[str, ...], inspect.Parameter.empty), function


def test_every_stage_calls_a_job():
    for path in sorted((Path(core.jobs.__file__).parents[1] / "stages").glob("[a-z]*.py")):
        # The player and the workbench are rooms of their own, above the jobs.
        rooms = ("core.jobs", "core.live", "core.workbench")
        assert any(room in path.read_text() for room in rooms), f"{path.name} calls no job"
