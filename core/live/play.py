"""Opens model, source, page and outputs, and plays until somebody ends it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import plugins
from core.faces.contract import DetectorSettings
from core.geometry.align import FaceType
from core.inference.sessions import Runtime, Settings, fastest_here
from core.jobs.merge.model import open_swapper
from core.live.agreement import require_agreement
from core.live.controls import Controls
from core.live.follow import Follower
from core.live.outlet import Outlet
from core.live.page.app import MOST_BYTES, live_app
from core.live.player import Player
from core.live.recording import Recording
from core.live.sources import BROWSER, Capture, open_source
from core.live.virtual_camera import VirtualCamera
from core.video.film.writer import FilmReport
from core.web.guard import Keys
from core.web.server import bound, new_server
from core.workspace import Workspace

log = logging.getLogger(__name__)
_PAGE_SIZE = (640, 480)
_ENGINES = "engines"  # what runtimes compile of a model, for the next start


@dataclass(frozen=True)
class LiveChoices:
    """What is played, and how.

    dfm: the model; None for the newest of the workspace. face_type: of one that does not say it.
    source: ``browser``, a device such as ``/dev/video0``, an address such as ``rtsp://...``, or a film.
    runtime: what the model computes on. port: of the page, 0 for any.
    every: pictures from one search for faces to the next. faces: how many are swapped. smooth: calm landmarks.
    record: a film of what was shown. camera_out: show it as a camera of this computer.
    seconds: until it ends by itself; 0 for never.
    """

    dfm: Path | None = None
    face_type: FaceType | None = None
    source: str = BROWSER
    controls: Controls = field(default_factory=Controls)
    runtime: Runtime = "auto"
    port: int = 8600
    every: int = 6
    faces: int = 1
    smooth: bool = True
    detect_size: int = 320
    record: Path | None = None
    camera_out: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Played:
    """What was played. status: the player's numbers. recorded: the film; unrecorded: pictures that it lacks."""

    model: Path
    device: str
    status: dict[str, Any]
    recorded: FilmReport | None
    unrecorded: int


def new_follower(choices: LiveChoices, workspace: Workspace) -> Follower:
    """What finds the faces. Raises EnvironmentFault where its networks are not installed."""
    looks = DetectorSettings(size=choices.detect_size, rotations="none", assets=workspace.assets)
    return Follower(
        plugins.load("detectors", "yunet").create(looks),
        plugins.load("landmarkers", "facemesh").create(workspace.assets, "none"),
        choices.every,
        choices.faces,
        choices.smooth,
    )


def live_settings(workspace: Workspace, runtime: Runtime) -> Settings:
    """What a model is run with: the processor has other things to do at the same time."""
    wanted = fastest_here() if runtime == "auto" else runtime
    return Settings(runtime=wanted, cache=workspace.logs / _ENGINES, spin=False)


def play(workspace: Workspace, choices: LiveChoices) -> Played:
    """Play until Ctrl-C, the end of the time, or an error.

    Raises:
        InputError: no model, no source, no consent for a picture without badge, a port in use, a file in the way.
        UsageError, CorruptFileError, EnvironmentFault, OutOfMemoryFault: as of models, sources and outputs.
    """
    swapper = open_swapper(workspace, choices.dfm, choices.face_type, live_settings(workspace, choices.runtime))
    require_agreement(swapper)
    if choices.runtime == "auto" and swapper.dfm.session.device == "CPU":
        log.info("OpenVINO shows more pictures a second on a processor: pip install -r requirements-live.txt")
    source = open_source(choices.source)
    outlet = Outlet()
    player = Player(workspace, swapper, new_follower(choices, workspace), choices.controls)
    recording = Recording(choices.record, player.fail) if choices.record else None
    with ExitStack() as stack:
        player.outputs.append(outlet)
        if choices.camera_out:
            camera = VirtualCamera(source.size if source else _PAGE_SIZE)
            stack.callback(camera.close)
            player.outputs.append(camera)
            log.info("virtual camera: %s", camera.device)
        if recording:
            player.outputs.append(stack.enter_context(recording))
        listening = stack.enter_context(bound(choices.port))
        keys = Keys("forge_live", listening.getsockname()[1])
        server = new_server(live_app(player, outlet, keys, takes_camera=source is None), most_bytes=MOST_BYTES)

        def end() -> None:
            server.should_exit = True

        player.on_failure = end
        stack.enter_context(player)
        if source:
            stack.enter_context(Capture(source, player.put, player.fail))
        stack.enter_context(_ending(choices.seconds, end))
        log.info("open this link (Ctrl-C ends the program): %s", keys.link)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            log.info("ending")
    if player.failure:
        raise player.failure
    return Played(
        model=swapper.path,
        device=swapper.dfm.session.device,
        status=player.status(),
        recorded=recording.report if recording else None,
        unrecorded=recording.dropped if recording else 0,
    )


@contextmanager
def _ending(seconds: float, end: Any) -> Iterator[None]:
    """Calls ``end`` after so many seconds, unless it is 0."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    if seconds:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
