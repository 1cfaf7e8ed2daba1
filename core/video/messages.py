"""What an ffmpeg program says while it works, and how it ended."""

import re
import signal
from dataclasses import dataclass

# Names of who speaks, with addresses that differ from run to run; the level; the text.
_LINE = re.compile(r"^(?:\[[^\]]*\] )*?\[(\w+)\] (.*)")
_ERRORS = frozenset({"panic", "fatal", "error"})
# ffmpeg ends itself in good order at a signal that it catches, with an exit code that tells nothing.
_CAUGHT = re.compile(r"received signal (\d+)")
# Our scaling is configured at the first frame, and again when the frames that come in change.
_SCALED = re.compile(r"^\[Parsed_scale_\d+ @ .*\] w:(\d+) h:(\d+) fmt:\S+ .*?sar:(\d+)/(\d+) -> w:\d+")
_DISTINCT = 1000  # error lines that are kept: a damaged film may give millions
_NO_MEMORY = ("Cannot allocate memory", "ould not allocate memory", "Failed to allocate memory")
_STARVED = 200  # such lines; a damaged film, too, may ask for more than there is, but not so often

# What it usually means when a signal ended it.
_REASONS = {
    signal.SIGKILL: "the usual cause is too little memory, else a limit of processor time",
    signal.SIGXCPU: "a limit of processor time (ulimit -t)",
    signal.SIGXFSZ: "a limit of the size of files (ulimit -f)",
    signal.SIGSEGV: "the program crashed",
    signal.SIGABRT: "the program crashed",
}


# Width, height, width of a pixel by its height.
Shape = tuple[int, int, float]


@dataclass(frozen=True)
class Outcome:
    """How a run of ffmpeg ended.

    code: its exit code, 0 for success, negative for the signal that ended it.
    complaints: its error lines, each once.
    shapes: width, height and pixel aspect of the frames that were decoded, each once, in the order of appearance.
    stopped: what ended it before it was done, in words; empty where nothing did.
    seconds: the time of the last frame, from the beginning of what was read; None when it does not tell.
    """

    code: int
    complaints: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    stopped: str = ""
    seconds: float | None = None

    @property
    def last_complaint(self) -> str:
        return self.complaints[-1] if self.complaints else ""


def shape_text(shape: Shape) -> str:
    """A shape in words."""
    width, height, aspect = shape
    return f"{width} x {height}" + (f" (pixels {aspect:.3g} : 1)" if aspect != 1 else "")


class Messages:
    """What one run has said so far; it is given line by line, as it comes."""

    def __init__(self) -> None:
        self._complaints: dict[str, None] = {}
        self._shapes: dict[Shape, None] = {}
        self._caught = 0
        self._unlabelled = ""
        self._starved = 0

    @property
    def hopeless(self) -> bool:
        """Whether it asks for memory again and again and gets none: some versions never end, then."""
        return self._starved > _STARVED

    def hear(self, line: str) -> None:
        """Take note of a line."""
        parsed = _LINE.match(line)
        if not parsed:
            self._unlabelled = line or self._unlabelled
        elif parsed[1] in _ERRORS:
            self._complain(parsed[2])
        elif found := _SCALED.match(line.replace("[verbose] ", "", 1)):
            self._shapes.setdefault(_shape(*map(int, found.groups())))
        elif found := _CAUGHT.search(parsed[2]):
            self._caught = int(found[1])

    def _complain(self, text: str) -> None:
        self._starved += no_memory(text)
        if text and len(self._complaints) < _DISTINCT:
            self._complaints.setdefault(text)

    def outcome(self, code: int) -> Outcome:
        """How the run ended, by its exit code and by what it said."""
        complaints = tuple(self._complaints)
        if code and not complaints and self._unlabelled:  # of a shell or a loader: the program itself never began
            complaints = (self._unlabelled,)
        return Outcome(code, complaints, tuple(self._shapes), _stopped(code, self._caught))


def no_memory(complaint: str) -> bool:
    """Whether an error line says that there is not enough memory."""
    return any(words in complaint for words in _NO_MEMORY)


def _shape(width: int, height: int, numerator: int, denominator: int) -> Shape:
    aspect = numerator / denominator if numerator and denominator else 1.0
    return width, height, aspect


def _stopped(code: int, caught: int) -> str:
    """The signal that ended a program: as Python tells it, as a shell in between tells it, as ffmpeg that caught it."""
    number = -code if code < 0 else caught
    if not number and 128 < code < 160:
        number = code - 128
    if not number:
        return ""
    try:
        known = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    reason = _REASONS.get(known)
    return f"signal {number} ({known.name})" + (f": {reason}" if reason else "")
