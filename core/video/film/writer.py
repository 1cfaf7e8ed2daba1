"""A film out of frames: encoded in parts, joined when the last has come, labelled, then put in its place."""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from core.errors import DiskFullError, EnvironmentFault, InputError
from core.formats.origin.film import label_film, write_sidecar
from core.formats.provenance import VIDEO_TAGS
from core.fsio import fsync_dir, lock, remove_leftovers, temporary_path
from core.safe_paths import own_folder
from core.video.film.color import Converter, say
from core.video.film.encoders import new_context, ordinary_threads
from core.video.film.frames import Frame, Image
from core.video.film.join import join_parts
from core.video.film.parts import Parts
from core.video.film.plan import Plan
from core.video.info import VideoInfo

log = logging.getLogger(__name__)
_LOCK = "lock"


@dataclass(frozen=True)
class FilmReport:
    """A film that was written.

    path: the file.
    frames: how many it has.
    resumed: how many of them an earlier run had made.
    width, height: pixels.
    encoder: FFmpeg's name of it.
    pixels: FFmpeg's name of their format.
    notes: what is not as in the film that it was made of, in words.
    signed: whether it has a signature.
    """

    path: Path
    frames: int
    resumed: int
    width: int
    height: int
    encoder: str
    pixels: str
    notes: tuple[str, ...]
    signed: bool = False


class FilmWriter:
    """Writes a film from frames that come in order; one writer for a file at a time.

    Used in a ``with`` block. What it leaves without ``finish`` is kept beside the film, in ``.NAME.parts``, and the
    next writer with the same plan goes on behind it.

    done: number of the last frame that it has; the next that it takes follows it. resumed: how many it had at first.
    """

    def __init__(
        self,
        path: Path,
        plan: Plan,
        info: VideoInfo | None = None,
        *,
        made_from: str = "",
        digest: Callable[[int, int], str] | None = None,
        keep: bool = False,
        seal: Callable[[Path], None] | None = None,
    ):
        """path: the film; it appears when it is whole, in the place of an older one.
        info: of the film whose sound, subtitles, chapters and tags are taken over.
        made_from: what else decides the frames, such as a hash of settings: parts of an interrupted run are of use only
            where it is the same.
        digest: hexadecimal, of what else decides the frames from one to another: of an earlier run each part is of use
            for which it is the same, and ``gaps`` tells what is missing.
        keep: keep the parts also when the film is whole.
        seal: is called with the whole, labelled film before it appears, and is the last that changes it.
        """
        self.path, self.plan, self.done, self.resumed = path, plan, 0, 0
        self._digest, self._keep, self._seal = digest, keep, seal
        self._info = info
        self._identity = {
            "plan": plan.recorded(),
            "film": _identity(info),
            "made from": made_from,
            "av": av.__version__,
        }
        self._encoder: Any = None
        self._converter: Converter | None = None
        self._notes: list[str] = []
        self._last: int | None = None
        self._stack = ExitStack()

    def __enter__(self) -> "FilmWriter":
        """Raises InputError when another process writes this film."""
        folder = own_folder(self.path.parent / f".{self.path.name}.parts")
        self._stack.enter_context(lock(folder / _LOCK, str(self.path)))
        for place in (folder, self.path.parent):  # half of a joined film can be large
            remove_leftovers(place, own=False)
        self._parts = Parts(folder, self._identity, self._digest)
        self._stack.callback(self._parts.close)
        self.done, self.resumed = self._parts.done, self._parts.frames
        if self.done:
            self._last = max(self._parts.times())
            log.info("going on behind frame %d of an earlier run", self.done)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoder = None
        self._stack.close()

    def write(self, frame: Frame) -> None:
        """Append a frame. Its image is uint16 if the plan is deep, else uint8; all have one size.

        Raises:
            InputError: it is not later than the frame before, or not of its size.
            DiskFullError: no space left.
            EnvironmentFault: the encoder failed.
        """
        if frame.number != self.done + 1 or frame.time_base != self.plan.time_base:
            raise ValueError(f"frame {frame.number} instead of {self.done + 1}, or times of another clock")
        if self._last is not None and frame.pts <= self._last:
            raise InputError("a frame is not later than the one before it", where=f"frame {frame.number}")
        image = self._fitting(frame)
        with _typed(self.path):
            if self._encoder is None:
                self._begin_part()
            self._store(self._encoder.encode(self._converted(image, frame.pts)))
            self.done, self._last = frame.number, frame.pts
            if self.done % self.plan.part == 0:
                self._end_part()

    def gaps(self) -> Iterator[tuple[int, int | None]]:
        """First and last frame of each run of frames that is to be written, in order; the last run has no known end.

        Raises:
            InputError: a run was shorter than it was once.
        """
        while True:
            following = self._parts.following
            yield self.done + 1, following - 1 if following else None
            if following is None:
                return
            if self.done < following:
                raise InputError(
                    "the film has fewer frames than when its parts were made",
                    where=f"frame {self.done + 1}",
                    hint=f"delete the folder {self._parts.folder}, and run it again",
                )

    def note(self, text: str) -> None:
        """Add what a person should know of the film to the report."""
        self._notes.append(text)

    def finish(self) -> FilmReport:
        """Make the film of all frames so far, label it, and put it in its place.

        Raises:
            InputError: there was no frame.
            DiskFullError: no space left; the next run goes on here.
            EnvironmentFault: the film could not be written.
        """
        with _typed(self.path):
            self._end_part()
            if not self.done or self._parts.size is None:
                raise InputError("a film without frames", where=self.path)
            temporary = temporary_path(self.path.parent, self.path.suffix)
            try:
                self._notes += join_parts(temporary, self.plan, self._parts, self._info, VIDEO_TAGS)
                label_film(temporary)
                if self._seal:
                    self._seal(temporary)
                write_sidecar(self.path)
                _flush(temporary)
                os.replace(temporary, self.path)
            finally:
                temporary.unlink(missing_ok=True)
            fsync_dir(self.path.parent)
        width, height = self._parts.size
        if not self._keep:
            self._clear_away()
        notes = (*self.plan.notes, *dict.fromkeys(self._notes))
        encoder, pixels = self.plan.encoder, self.plan.pixels
        signed = self._seal is not None
        return FilmReport(self.path, self.done, self.resumed, width, height, encoder, pixels, notes, signed)

    def _fitting(self, frame: Frame) -> Image:
        """The image without the column or row that the format of the pixels cannot hold."""
        height, width = frame.image.shape[:2]
        even_width = width - width % 2 * (self.plan.sampling != "444")
        even_height = height - height % 2 * (self.plan.sampling == "420")
        size = (even_width, even_height)
        if size != (width, height):
            self._notes.append(
                f"cut from {width} x {height} to {even_width} x {even_height} pixels: half of the chroma"
            )
        if min(size) < 2:
            raise InputError(
                "a frame is too small for a film", where=f"frame {frame.number}", why=f"{width} x {height}"
            )
        if self._parts.size is None:
            self._parts.begin(size)
        if size != self._parts.size or frame.image.dtype.itemsize != 1 + self.plan.deep:
            raise InputError(
                "a frame is not like the others",
                where=f"frame {frame.number}",
                why=f"{frame.image.dtype} {width} x {height}, not of the size {self._parts.size} or of that depth",
            )
        return frame.image[:even_height, :even_width]

    def _converted(self, image: Image, pts: int) -> Any:
        if self._converter is None:
            self._converter = Converter(self.plan, image.shape[1], image.shape[0])
        return self._converter.frame(image, pts)

    def _begin_part(self) -> None:
        context = new_context(self.plan.encoder, self.plan.options, self.plan.threads)
        context.width, context.height = self._parts.size or (0, 0)
        context.pix_fmt = self.plan.pixels
        context.time_base, context.framerate = self.plan.time_base, self.plan.rate
        context.flags |= av.codec.context.Flags.global_header
        say(context, self.plan.colors)
        with ordinary_threads():
            context.open()
        self._encoder = context

    def _end_part(self) -> None:
        if self._encoder is not None:
            self._store(self._encoder.encode(None))
            self._encoder = None
            self._parts.finish(self.done)
            if self._parts.done > self.done:  # parts of an earlier run follow
                self.done, self._last = self._parts.done, max(self._parts.times())

    def _store(self, packets: list[Any]) -> None:
        for packet in packets:
            self._parts.add(packet.pts, packet.is_keyframe, bytes(packet))

    def _clear_away(self) -> None:
        self._parts.clear()
        (self._parts.folder / _LOCK).unlink()
        self._parts.folder.rmdir()


def _identity(info: VideoInfo | None) -> dict[str, Any]:
    if info is None:
        return {}
    status = info.path.stat()
    return {"name": info.path.name, "bytes": status.st_size, "modified": status.st_mtime_ns, "program": info.program}


def _flush(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _typed(path: Path) -> Iterator[None]:
    """Failures of the library as errors of this program."""
    try:
        yield
    except av.error.FFmpegError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError("no space left on the disk", where=path) from None
        raise EnvironmentFault("cannot write a film", where=path, why=str(error)) from None
