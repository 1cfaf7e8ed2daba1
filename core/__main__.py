"""``python -m core STAGE [options]``: the one place that prints, and that turns errors into exit codes."""

import logging
import os
import signal
import sys
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

from core import errors, stages
from core.console import VisibleFormatter, prepare_streams, say

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
    # Looked for by hand first: reading the options may be what fails.
    debug = "--debug" in arguments
    prepare_streams()
    _heed_signals()
    try:
        stage, options = read(arguments)
        debug = options.debug
        start_logging(debug)
        say(str(run(stage, options)))
    # Ctrl-C and the exit of --help are no Exceptions.
    except BaseException as error:
        if debug and not isinstance(error, SystemExit):
            raise
        return explain(error)
    return 0


def read(arguments: list[str]) -> tuple[ModuleType, "Options"]:
    """The stage's module and the options for it, as the arguments and the environment give them."""
    from core.options import parse

    stage = stages.load(arguments[0])
    return stage, parse(stage.Options, arguments[0], arguments[1:])


def run(stage: ModuleType, options: "Options") -> "StageReport":
    """Run a stage with bars on the terminal, in the workspace that the environment names."""
    from core.progress import TerminalBars, reporting_to
    from core.workspace import Workspace

    with reporting_to(TerminalBars()):
        return stage.run(options, Workspace.from_environment())


def start_logging(debug: bool) -> None:
    """Lines of the program itself go to stderr; libraries speak up only when something is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(VisibleFormatter("%(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler])
    logging.raiseExceptions = False  # a log line that cannot be written is no failure
    for noisy in ("matplotlib", "h5py", "PIL", "asyncio", "absl", "jax"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of graphs that are built anew, as they are where a phase begins.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def explain(error: BaseException) -> int:
    """Print what went wrong in a person's words; returns the exit code."""
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
        say(f"error: {error}", sys.stderr)
        return error.exit_code
    hint = "this is a bug; run the same command with --debug and report what it prints"
    hint += ", with the table of `bash scripts/doctor.sh`"
    say(f"error: {type(error).__name__}: {error}\nhint: {hint}", sys.stderr)
    return 1


def usage() -> str:
    width = max(map(len, stages.names()), default=0)
    lines = [f"  {name:<{width}}  {stages.summary(name)}" for name in stages.names()]
    return "usage: python -m core STAGE [options]     (STAGE --help lists its options)\n\n" + "\n".join(lines)


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
