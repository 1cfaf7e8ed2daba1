"""``python -m core STAGE [options]``: the one place that prints, and that turns errors into exit codes."""

import logging
import os
import shutil
import signal
import sys
import textwrap
from contextlib import nullcontext
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

from core import errors, stages
from core.console import VisibleFormatter, prepare_streams, say
from core.native_output import diverted, last_lines
from core.workspace import Workspace

# What takes a while to import is imported where it is used, so that the list of stages appears at once.
if TYPE_CHECKING:
    from core.options import Options
    from core.types import StageReport


def main(arguments: list[str] | None = None) -> int:
    """Run the stage that the arguments (without them, the command line's) name; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        say(usage())
        return 0
    if arguments[0] in stages.FAMILIES and arguments[1:] in (["-h"], ["--help"]):
        say(usage(arguments[0]))
        return 0
    # Looked for by hand first: reading the options may be what fails.
    debug = "--debug" in arguments
    libraries = None  # the file in which libraries have their say
    prepare_streams()
    _heed_signals()
    try:
        stage, options = read(arguments)
        debug = options.debug
        workspace = Workspace.from_environment()
        libraries = workspace.logs / f"{'-'.join(stages.split(arguments)[0].split())}.log"
        with nullcontext() if debug else diverted(libraries):
            start_logging(debug)
            say(str(run(stage, options, workspace)))
    # Ctrl-C and the exit of --help are no Exceptions.
    except BaseException as error:
        if debug and not isinstance(error, SystemExit):
            raise
        return explain(error, libraries)
    return 0


def read(arguments: list[str]) -> tuple[ModuleType, "Options"]:
    """The stage's module and the options for it, as the arguments and the environment give them."""
    from core.options import parse

    name, rest = stages.split(arguments)
    stage = stages.load(name)
    return stage, parse(stage.Options, name, rest)


def run(stage: ModuleType, options: "Options", workspace: Workspace) -> "StageReport":
    """Run a stage with bars on the terminal; FORGE_PROGRESS names a file that says the same to programs."""
    from core.progress import ProgressFile, TerminalBars, reporting_to

    file = os.environ.get("FORGE_PROGRESS")
    with reporting_to(ProgressFile(Path(file), TerminalBars()) if file else TerminalBars()):
        return stage.run(options, workspace)


def start_logging(debug: bool) -> None:
    """Lines of the program itself go to stderr; libraries speak up only when something is wrong."""
    from core.progress import BesideBars

    handler = BesideBars()
    handler.setFormatter(VisibleFormatter("%(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler])
    logging.raiseExceptions = False  # a log line that cannot be written is no failure
    for noisy in ("matplotlib", "h5py", "PIL", "asyncio", "absl", "jax"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of graphs that are built anew, as they are where a phase begins.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def explain(error: BaseException, libraries: Path | None = None) -> int:
    """Print what went wrong in a person's words; returns the exit code.

    libraries: the file with what libraries have printed. Its end is shown where it may tell more: with a bug, a fault
    of the machine, and where memory is used up.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 2
    if isinstance(error, KeyboardInterrupt):
        error = errors.Interrupted("interrupted", hint="run the same command again: it goes on where it stopped")
    if isinstance(error, MemoryError):
        error = errors.OutOfMemoryFault(
            "out of memory", why=str(error), hint="close other programs, or choose a smaller size"
        )
    if isinstance(error, BrokenPipeError):
        # Python flushes stdout once more when it ends, which must not fail on the same closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, OSError):
        error = errors.from_os_error(error)
    if isinstance(error, ImportError) and not (error.name or "").startswith("core"):
        hint = "`bash scripts/doctor.sh` looks at the packages; where memory is short, close other programs"
        error = errors.EnvironmentFault("a package that is installed cannot be loaded", why=str(error), hint=hint)
    if isinstance(error, errors.PipelineError):
        if isinstance(error, (errors.EnvironmentFault, errors.OutOfMemoryFault)):
            _say_what_libraries_said(libraries)
        # Who asked for the stop is told no error.
        asked = isinstance(error, errors.Interrupted)
        say(str(error) if asked else f"error: {error}", sys.stderr)
        return error.exit_code
    _say_what_libraries_said(libraries)
    hint = "this is a bug; run the same command with --debug and report what it prints"
    hint += ", with the table of `bash scripts/doctor.sh`"
    say(f"error: {type(error).__name__}: {error}\nhint: {hint}", sys.stderr)
    return 1


def _say_what_libraries_said(path: Path | None) -> None:
    lines = last_lines(path) if path else []
    if lines:
        say("\n".join([f"libraries said (all of it is in {path}):", *(f"  {line}" for line in lines)]), sys.stderr)


def usage(family: str = "") -> str:
    """The list of stages, or of the jobs of a family."""
    start = f"{family} " if family else ""
    of_family = [name for name in stages.names() if name.partition(" ")[0] in stages.FAMILIES]
    found = {name: stages.summary(name) for name in stages.names() if (name in of_family) == bool(family)}
    shown = {name.removeprefix(start): text for name, text in found.items() if name.startswith(start)}
    if not family:
        shown = dict(sorted((shown | stages.FAMILIES).items()))
    width = max(map(len, shown), default=0)
    room = shutil.get_terminal_size().columns
    lines = [line for name, text in shown.items() for line in _entry(f"  {name:<{width}}  ", text, room)]
    script = os.environ.get("FORGE_SCRIPT") if family else None
    what = "JOB" if family else "STAGE"
    called = f"{script or f'python -m core {start}'.strip()} {what}"
    return "\n".join([f"usage: {called} [options]", f"       {called} --help lists its options", "", *lines])


def _entry(name: str, text: str, room: int) -> list[str]:
    """A line of a list, and those that follow it where the text is long."""
    indent = " " * len(name)
    return textwrap.wrap(text, max(room, 60), initial_indent=name, subsequent_indent=indent, break_long_words=False)


def _heed_signals() -> None:
    """SIGTERM and the end of the terminal stop a run as Ctrl-C does; ``nohup`` asks that the latter be ignored."""
    signal.signal(signal.SIGTERM, _terminate)
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) != signal.SIG_IGN:
        signal.signal(hang_up, _terminate)


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
