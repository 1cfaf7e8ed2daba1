"""The cleaning report: poses and scores in words, and that what a file is called cannot harm it."""

import base64
import html
import re
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from portraits import write_face

from core.faceset.cleaning import heat_maps, page, sentences
from core.faceset.cleaning.coverage import coverage, gaps
from core.faceset.cleaning.verdicts import VERDICTS, Verdicts
from core.faceset.gallery import open_gallery
from core.jobs.faceset.pack import pack_faces
from core.workspace import Workspace


def poses(*groups):
    """Coverage of so many faces each of (count, yaw, pitch), degrees."""
    angles = np.radians([(yaw, pitch) for count, yaw, pitch in groups for _ in range(count)])
    return coverage(angles[:, 0], angles[:, 1])


@pytest.mark.parametrize(
    ("src", "dst", "said"),
    [
        (
            [(100, 5, 5), (2, 35, 5)],
            [(50, 5, 5), (120, 35, 5)],
            ["left by 30 to 45 degrees in 120 frames; src has 2 faces"],
        ),
        # Neighbours are one range, but not across the front.
        (
            [(100, 50, 5)],
            [(20, -5, 5), (20, 5, 5), (10, 20, 5)],
            [
                "right by less than 15 degrees in 20 frames; src has no faces",
                "left by less than 30 degrees in 30 frames; src has no faces",
            ],
        ),
        ([(100, 5, 5)], [(100, 5, 40)], ["up by 30 to 45 degrees in 100 frames; src has no faces"]),
        # A corner of the map, though src looks left and looks down elsewhere.
        (
            [(50, 35, 5), (50, 5, -20), (1, 35, -20)],
            [(30, 35, -20)],
            ["left by 30 to 45 degrees and down by 15 to 30 degrees in 30 frames; src has 1 face"],
        ),
        ([(100, 5, 5)], [(9, 80, 5), (100, 5, 5)], []),
        ([(100, 120, 5)], [(100, 100, 5)], []),  # beyond the edge
    ],
)
def test_gaps_in_words(src, dst, said):
    found = [sentences.gap_sentence(gap) for gap in gaps(poses(*src), poses(*dst))]
    assert found == [f"dst looks {text} there" for text in said]


def test_the_maps_of_both_sides_show_what_is_missing():
    src, dst = poses((100, 5, 5), (2, 35, 5)), poses((50, 5, 5), (120, 35, 5), (1, -70, 5))
    text = heat_maps.pose_section({"src": src, "dst": dst})
    assert text.count("<table") == 2 and text.count('class="thin"') == 2
    assert "2 faces looking left by 30 to 45 degrees and up by less than 15 degrees" in text
    assert "src has 2 faces there" in text
    # As far out as either looks, with the left on the left.
    head = re.findall(r"(left|right)<br>(\d+)", text[: text.index("</tr>")])
    assert head == [*[("left", a) for a in ("30", "15", "0")], *[("right", a) for a in ("0", "15", "30", "45", "60")]]
    assert "everywhere" in heat_maps.pose_section({"src": src, "dst": src})
    alone = heat_maps.pose_section({"dst": dst})
    assert alone.count("<table") == 1 and "src" not in alone


@pytest.mark.parametrize(
    ("verdict", "score", "said"),
    [
        ("obstructed", 0.23, "hidden by the mask: 23% of the face (xseg mask)"),
        ("another person", -0.1, "0% like the person that most faces show"),
        ("too dark", 30.4, "brightness 30 of 255"),
        ("duplicate", 3.0, "one of 3 pictures that show the same; the sharpest stays"),
        ("no face", 1.0, ""),
    ],
)
def test_scores_in_words(verdict, score, said):
    assert sentences.score_sentence(verdict, score, "xseg") == said


def test_every_score_has_a_sentence():
    silent = {verdict for verdict in VERDICTS if not sentences.score_sentence(verdict, 0.5)}
    assert silent == {"unreadable", "no face"}


def test_names_of_files_are_only_text(tmp_path):
    names = ["a<script>alert(1)</script>.jpg".replace("/", "_"), 'x" onload="y.jpg', "100% & #1?.jpg"]
    for seed, name in enumerate(names):
        write_face(tmp_path / "aligned", "plain.jpg", seed=seed).rename(tmp_path / "aligned" / name)
    with open_gallery(tmp_path / "aligned") as gallery:
        found = Verdicts({i: {"blurred": 0.1} for i in range(3)}, (), ("hull",) * 3, 3)
        text = page.cleaning_page("t", gallery, found, {})
    assert "<script" not in text and 'onload="' not in text
    links = re.findall(r'<a href="\.\./aligned/([^"]*)"', text)
    assert sorted(unquote(html.unescape(link)) for link in links) == sorted(names)


def test_a_picture_of_a_pak_is_enlarged_on_the_page(tmp_path):
    for seed in range(3):
        write_face(tmp_path / "data_src/aligned", f"{seed}.jpg", seed=seed)
    pack_faces(Workspace(tmp_path), "src", remove_originals=True)
    with open_gallery(tmp_path / "data_src/aligned") as gallery:
        assert gallery.pak is not None
        found = Verdicts({1: {"blurred": 0.1, "too dark": 9.0}}, (), ("hull",) * 3, 3)
        text = page.cleaning_page("t", gallery, found, {})
    assert "../" not in text and "figure:target" in text
    for anchor in ("blurred-1", "too-dark-1"):
        assert text.count(f'id="{anchor}"') == text.count(f'href="#{anchor}"') == 1
    image = base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])
    assert cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR).shape == (320, 320, 3)
