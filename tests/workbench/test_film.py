"""Frames of a film by number: the pixels that an extraction gives, wherever one begins."""

import av
import numpy as np
import pytest
from found_faces import face_at

from core.faceset.database import faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.imaging.codec import decode_image
from core.video.decode import read_frames
from core.video.probe import probe
from core.workbench.answers import Missing
from core.workbench.sides.film import Film
from core.workbench.sides.side_view import SideView
from core.workbench.sides.small_film import SmallFilm
from core.workspace import Workspace

COUNT = 60


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A key frame every 25 frames, frames that refer to later ones, and a beginning that is not at 0."""
    path = tmp_path_factory.mktemp("film") / "data_dst.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "25", "bf": "2", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for number in range(COUNT):
            image = np.full((72, 128, 3), 40, np.uint8)
            image[:, 2 * number : 2 * number + 6] = (240, 200, 160)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = number + 3
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_any_frame_is_the_one_of_an_extraction(path):
    wanted = list(read_frames(probe(path)))
    film = Film(path)
    assert len(film) == len(wanted) == COUNT
    for number in (0, 1, 2, 59, 24, 25, 26, 58, 3, 40, 41):
        difference = np.abs(film.frame(number).astype(int) - wanted[number])
        assert difference.mean() < 2.5 and difference.max() < 40, number
        others = [
            np.abs(film.frame(number).astype(int) - wanted[near]).mean()
            for near in (number - 1, number + 1)
            if 0 <= near < COUNT
        ]
        assert difference.mean() < min(others)
    film.close()


@pytest.mark.parametrize("number", [-1, COUNT, 10**9])
def test_frames_that_there_are_not(path, number):
    with pytest.raises(Missing):
        Film(path).frame(number)


def test_a_side_without_loose_frames_shows_its_film(path, tmp_path):
    workspace = Workspace(tmp_path / "work").create()
    side = workspace.side("dst")
    (workspace.root / "data_dst.mp4").write_bytes(path.read_bytes())
    with open_database(side.database, create=True) as connection:
        rows = [(FrameRow(f"{number:05d}.png"), [FaceRow(face_at(f"{number:05d}.png", 50))]) for number in (5, 20)]
        faces.add(connection, rows)
    view = SideView(side)
    tag, jpeg = view.frame_jpeg(1, 64)
    assert tag and jpeg[:2] == b"\xff\xd8"
    bright = view.frame(1).mean(axis=(0, 2)).argmax()
    assert abs(int(bright) - 2 * 19 - 3) <= 4


def test_a_small_film_is_made_once_and_anew_for_another_film(path, tmp_path):
    made = SmallFilm(tmp_path / "thumbs" / "dst_film.db")
    assert made.get("one", 3) is None
    assert made.make("one", path, lambda: False) == 0  # as narrow as that it needs none
    wide = tmp_path / "wide.mp4"
    with av.open(str(wide), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "25"})
        stream.width, stream.height, stream.pix_fmt = 1280, 64, "yuv420p"
        for number in range(20):
            image = np.full((64, 1280, 3), 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    stops = iter([False, True])
    assert made.make("one", wide, lambda: next(stops)) == 16
    assert made.make("one", wide, lambda: False) == 4 and made.make("one", wide, lambda: False) == 0
    for number in (0, 7, 19):
        picture = decode_image(made.get("one", number))
        assert picture.shape == (32, 640, 3) and abs(picture.mean() - 10 * number) < 4
    assert made.get("another", 3) is None and made.make("another", wide, lambda: False) == 20
