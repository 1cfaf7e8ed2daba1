"""``python -m core STAGE [options]``: the one place that prints, and that turns errors into exit codes."""

import logging
import os
import signal
import sys

from core import errors, stages


def main(arguments: list[str]) -> int:
    """Run a stage; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    stage, rest = arguments[0], arguments[1:]
    debug = "--debug" in rest
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format="%(message)s", stream=sys.stderr)
    for noisy in ("matplotlib", "h5py", "PIL", "asyncio", "absl", "jax"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("tensorflow").setLevel(
        logging.ERROR
    )  # it warns of graphs that are built anew, as they are where a phase begins
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return run(stage, rest)
    except BaseException as error:
        if debug and not isinstance(error, SystemExit):
            raise
        return explain(error)


def run(stage: str, arguments: list[str]) -> int:
    from core.options import parse
    from core.progress import TerminalBars, reporting_to
    from core.workspace import Workspace

    module = stages.load(stage)
    options = parse(module.Options, stage, arguments)
    with reporting_to(TerminalBars()):
        report = module.run(options, Workspace.from_environment())
    print(report, flush=True)
    return 0


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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, OSError):
        error = errors.from_os_error(error)
    if isinstance(error, errors.PipelineError):
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    hint = "this is a bug; run the same command with --debug and report what it prints, with the table of `python -m core doctor`"
    print(f"error: {type(error).__name__}: {error}\nhint: {hint}", file=sys.stderr)
    return 1


def usage() -> str:
    width = max(map(len, stages.names()), default=0)
    lines = [f"  {name:<{width}}  {stages.summary(name)}" for name in stages.names()]
    return "usage: python -m core STAGE [options]     (STAGE --help lists its options)\n\n" + "\n".join(lines)


def _terminate(signum, frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
