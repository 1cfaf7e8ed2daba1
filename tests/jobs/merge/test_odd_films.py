"""Odd films through the whole step, as scripts/6_merge.sh runs it: times, sound and pixels come out as they went in."""

from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
from films import EVEN, UNEVEN, make_film, packets, shown
from found_faces import SETTINGS, face_at
from tiny_dfm import write_dfm

from core.faceset.database import extraction, faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.formats.origin.reading import read_label
from core.stages import merge
from core.video.film.frames import bits, read_film
from core.video.probe import probe
from core.workspace import Workspace

SIZE = (320, 200)
SOUND = [("aac", "stereo")]
RED, BLUE = "ann", "bob"
# Frame -> x of the faces in it, all at the same height; frame 4 has none.
ONE = {number: () if number == 4 else (110,) for number in range(1, 13)}
TWO = {number: () if number == 4 else (110, 240) for number in range(1, 13)}
LOSSY = 12  # levels: rounding of luma and chroma, and what the encoder loses

FILMS = {
    "uneven": {"times": UNEVEN, "sounds": SOUND},
    "turned by 90": {"sounds": SOUND, "turned": 90, "size": (200, 320)},
    "turned by 180": {"sounds": SOUND, "turned": 180, "times": UNEVEN},
    "ten bits": {
        "sounds": SOUND,
        "pixels": "yuv420p10le",
        "encoder": "libx265",
        "options": {"x265-params": "log-level=none"},
    },
    "silent": {"times": UNEVEN},
    "two sounds and words": {"sounds": [*SOUND, ("aac", "mono")], "subtitles": "mov_text", "chapters": True},
    "odd size": {"sounds": SOUND, "size": (321, 201), "pixels": "yuv444p"},
}


def merged(tmp_path, film, found=ONE, **options):
    """(film, new film): merged by a model that makes negatives."""
    workspace = Workspace(tmp_path / "w").create()
    path = make_film(workspace.root / "data_dst.mp4", **{"size": SIZE, "times": EVEN} | film)
    write_dfm(workspace.model / "swap_SAEHD_model.dfm", inverts=True)
    rows = []
    for number, places in found.items():
        name = f"{number:05d}.png"
        there = [replace(face_at(name, x), person=person) for x, person in zip(places, (RED, BLUE), strict=False)]
        rows.append((FrameRow(name), [FaceRow(face) for face in there]))
    with open_database(workspace.side("dst").database, create=True) as connection:
        extraction.write_settings(connection, SETTINGS | {"source": {}, "from_video": True})
        faces.add(connection, rows)
    options = {"mask": "hull", "color": "none", "calm": 0.0, "quality": 1, "workers": 2} | options
    report = merge.run(merge.Options(side="dst", **options), workspace)
    (output,) = report.outputs
    return path, output


def images(path, deep=False):
    return [np.asarray(frame.image) for frame in read_film(probe(path), deep=deep)]


def require_swapped_and_the_rest_kept(before, after, found=ONE):
    """Negatives where faces are, the film everywhere else."""
    white = np.iinfo(before[0].dtype).max
    unit = white / 255
    assert len(before) == len(after) == len(found)
    for number, (one, other) in enumerate(zip(before, after, strict=True), start=1):
        assert one.shape == other.shape
        rest = np.ones(one.shape[:2], np.uint8)
        for x in found[number]:
            middle = (slice(95, 105), slice(x - 5, x + 5))
            assert np.abs(white - one[middle].astype(float) - other[middle]).mean() < 12 * unit, number
            cv2.circle(rest, (x, 100), 80, 0, -1)
        apart = np.abs(one.astype(float) - other)[rest > 0]
        assert apart.mean() < 1.5 * unit and np.quantile(apart, 0.999) < LOSSY * unit, number


@pytest.mark.parametrize("name", FILMS)
def test_times_sound_and_pixels_come_out_right(tmp_path, name):
    film, output = merged(tmp_path, FILMS[name])
    assert shown(output) == shown(film)
    for kind in ("audio", "subtitle"):
        assert packets(output, kind) == packets(film, kind)
    assert len(packets(output, "audio")) == len(FILMS[name].get("sounds", ()))
    assert read_label(output) is not None
    deep = name == "ten bits"
    assert bits(probe(output)) == (10 if deep else 8)
    # Frames are read upright, as the steps before have seen them.
    require_swapped_and_the_rest_kept(images(film, deep), images(output, deep))


def test_two_people_and_one_of_them_alone(tmp_path):
    film, output = merged(tmp_path, {"sounds": SOUND}, TWO)
    require_swapped_and_the_rest_kept(images(film), images(output), TWO)
    _, output = merged(tmp_path / "2", {"sounds": SOUND}, TWO, person=[BLUE])
    only = {number: places[1:] for number, places in TWO.items()}
    before, after = images(film), images(output)
    require_swapped_and_the_rest_kept(before, after, only)


def test_a_frame_without_a_face_stays_as_it_is(tmp_path):
    film, output = merged(tmp_path, {"encoder": "ffv1", "pixels": "bgr0"} | {"sounds": SOUND}, codec="h264")
    apart = np.abs(images(film)[3].astype(int) - images(output)[3])
    assert apart.max() <= LOSSY


def test_the_pictures_of_a_turned_film_are_upright_for_players(tmp_path):
    _, output = merged(tmp_path, FILMS["turned by 90"])
    with av.open(str(output)) as film:
        frame = next(film.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (*SIZE, 0)
