"""Automatic cleaning: planted faults get the right verdict, good faces none."""

import re
from dataclasses import replace
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from golden_files import golden_path
from portraits import write_face

from core.faces.embedders import sface
from core.faceset.cleaning import page, sentences
from core.faceset.cleaning import verdicts as clean
from core.faceset.cleaning.coverage import coverage, gaps
from core.faceset.database import faces
from core.faceset.database.connection import open_database
from core.faceset.gallery import open_gallery
from core.faceset.masks import report
from core.faceset.register import imported_face
from core.faceset.scores.features import Features
from core.faceset.scores.persons import find_persons, identities
from core.faceset.sorting import groups
from core.formats import dfl_image
from core.types import Polygon

PLANTED = {
    "blurred": "blurred",
    "dark": "too dark",
    "bright": "too bright",
    "flat": "low contrast",
    "upside down": "misaligned",
    "border": "cut off",
    "obstructed": "obstructed",
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Twenty good faces of one person, and one face for each fault, judged."""
    frames = tmp_path_factory.mktemp("planted") / "data_src"
    for seed in range(20):
        write_face(frames / "aligned", f"{seed:05d}.jpg", seed=seed, fault="clear" if seed % 2 else "")
    for number, fault in enumerate(PLANTED):
        write_face(frames / "aligned", f"p {fault}.jpg", seed=50 + number, fault=fault)
    write_face(frames / "aligned", "p other.jpg", which=1, seed=3)
    (frames / "aligned/p copy.jpg").write_bytes((frames / "aligned/00003.jpg").read_bytes())
    with open_gallery(frames / "aligned") as gallery:
        features = Features(gallery, identities(frames / "faces.db", lambda: sface.create().embed))
        yield features, clean.judge(features)


def verdict(planted, name):
    features, verdicts = planted
    return verdicts.found.get(features.gallery.names.index(name), {})


@pytest.mark.parametrize("fault", PLANTED)
def test_each_fault_is_found(planted, fault):
    assert PLANTED[fault] in verdict(planted, f"p {fault}.jpg")


def test_another_person_and_the_copy_are_found(planted):
    assert set(verdict(planted, "p other.jpg")) == {"another person"}
    assert set(verdict(planted, "p copy.jpg")) == {"duplicate"} or set(verdict(planted, "00003.jpg")) == {"duplicate"}


def test_good_faces_have_no_verdict(planted):
    features, verdicts = planted
    judged = {features.gallery.names[i] for i in verdicts.found}
    assert {name for name in judged if not name.startswith("p ")} <= {"00003.jpg"}
    assert len(judged) == len(PLANTED) + 2
    assert "drawn from landmarks" in sentences.remarks(verdicts)[0]


def test_nothing_is_judged_by_identity_when_not_asked(planted):
    assert "another person" not in clean.judge(planted[0], identity=False).counts()


def test_a_blurred_face_is_kept_where_its_pose_is_rare(planted):
    features, _ = planted
    index = features.gallery.names.index("p blurred.jpg")
    crowded = clean.judge(features, clean.Limits(rare=5))
    lonely = clean.judge(features, clean.Limits(rare=1000))
    assert "blurred" in crowded.found[index] and index not in crowded.spared
    assert index not in lonely.found and index in lonely.spared


def test_the_page_needs_no_other_file(planted):
    features, verdicts = planted
    maps = {"src": coverage(features["head_yaw"], features["head_pitch"])}
    text = page.cleaning_page("Cleaning <src>", features.gallery, verdicts, maps)
    shown = sum(verdicts.counts().values()) + len(verdicts.spared)
    assert "Cleaning &lt;src&gt;" in text and text.count("data:image/jpeg;base64,") == shown
    assert "http" not in text.replace("http-equiv", "") and "<link" not in text and "<script" not in text
    assert "prefers-color-scheme:dark" in text
    # Every picture leads to its file.
    links = re.findall(r'<a href="(\.\./[^"]*)"', text)
    assert len(links) == shown
    for link in links:
        assert (features.gallery.folder.parent / "aligned_views" / unquote(link)).resolve().is_file()
    moved = page.cleaning_page("x", features.gallery, verdicts, {}, {"p blurred.jpg": "aligned_trash/p blurred~2.jpg"})
    assert 'href="../aligned_trash/p%20blurred~2.jpg"' in moved and 'href="../aligned/p%20blurred.jpg"' not in moved
    for name in verdicts.counts():
        assert f'id="{name.replace(" ", "-")}"' in text


def test_it_is_said_which_mask_a_verdict_rests_on(planted):
    features, verdicts = planted
    by_name = dict(zip(features.gallery.names, verdicts.masks, strict=True))
    assert by_name["p obstructed.jpg"] == by_name["00001.jpg"] == "xseg" and by_name["00000.jpg"] == "hull"
    text = page.cleaning_page("Cleaning", features.gallery, verdicts, {})
    assert text.count("(xseg mask)") == verdicts.counts()["obstructed"] == 1
    found = report.counted(verdicts.masks)
    assert f"masks come from: {found['xseg']} xseg, {found['hull']} hull" in text


def test_polygons_are_a_mask_that_verdicts_rest_on(tmp_path):
    path = write_face(tmp_path / "aligned", "00001.jpg", fault="clear")
    record = dfl_image.read(path)
    left_half = Polygon(True, np.array([(0, 0), (64, 0), (64, 128), (0, 128)], np.float32))
    dfl_image.write(path, path.read_bytes(), replace(record, xseg_mask=None, polygons=(left_half,)))
    with open_gallery(tmp_path / "aligned") as gallery:
        verdicts = clean.judge(Features(gallery), identity=False)
    assert verdicts.masks == ("polygons",) and verdicts.found[0]["obstructed"] > 0.3


def test_pose_gaps_are_told():
    src, dst = np.radians(np.r_[np.zeros(100), [-60] * 4]), np.radians(np.r_[np.zeros(50), [-70] * 312])
    lines = [sentences.gap_sentence(gap) for gap in gaps(coverage(src, src * 0), coverage(dst, dst * 0))]
    assert lines == ["dst looks right by 60 to 75 degrees in 312 frames; src has no faces there"]
    assert coverage(src, src * 0).counts.sum() == 104


def test_persons_and_their_bins(planted):
    features, _ = planted
    found = find_persons(features)
    other = features.gallery.names.index("p other.jpg")
    assert (
        found.labels[0] == 0 and found.labels[other] != 0 and found.similarity[0] > 0.8 > 0.35 > found.similarity[other]
    )
    by_person = groups.divide(features, "persons", 3)
    assert by_person.names[by_person.labels[other]] != by_person.names[by_person.labels[0]] == "person_00"


def test_bins_of_a_score(planted):
    features, _ = planted
    found = groups.divide(features, "brightness", 4)
    values, labels = features["brightness"], found.labels
    assert (
        sum(found.sizes()) == len(features)
        and labels[values.argmin()] == 0
        and labels[values.argmax()] == len(found.names) - 1
    )
    assert all(values[labels == k].max() <= values[labels == k + 1].min() for k in range(len(found.names) - 1))


def test_identity_vectors_of_the_database_are_used_for_the_very_face(tmp_path):
    frames = tmp_path / "data_src"
    paths = [write_face(frames / "aligned", f"{seed:05d}_0.jpg", seed=seed) for seed in (1, 2)]
    vector = np.eye(1, 128, dtype=np.float32)[0]
    with open_database(frames / "faces.db", create=True) as connection:
        for path, moved in zip(paths, (0, 9), strict=True):
            record = dfl_image.read(path)
            record = replace(record, source_landmarks=record.source_landmarks + moved)
            row = faces.FaceRow(imported_face(record), vectors={"sface": vector})
            faces.add(connection, [(faces.FrameRow(record.source_filename), [row])])
    with open_gallery(frames / "aligned") as gallery:
        features = Features(gallery, identities(frames / "faces.db", lambda: lambda image, landmarks: vector * 2))
        found = features["identity"]
    assert found[0, 0] == 1 and found[1, 0] == 2


FAULTS = {
    "blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 5),
    "too bright": lambda image: cv2.convertScaleAbs(image, None, 0.2, 235),
    "too dark": lambda image: cv2.convertScaleAbs(image, None, 0.05, 0),
    "low contrast": lambda image: cv2.convertScaleAbs(image, None, 0.05, 120),
    "misaligned": lambda image: image[::-1, ::-1].copy(),
    "cut off": lambda image: cv2.rectangle(
        image.copy(), (0, 0), (image.shape[1] * 2 // 5, image.shape[0]), (0, 0, 0), -1
    ),
    "duplicate": lambda image: image,  # only encoded once more
}


def test_planted_in_a_set_from_a_film(tmp_path):
    """A man from a webcam, every fault planted once, and a woman of another film."""
    frames, train = tmp_path / "data_src", golden_path("quality/train")
    good = sorted((train / "src").glob("*.jpg"))[::3]
    (frames / "aligned").mkdir(parents=True)
    for path in good:
        (frames / "aligned" / path.name).write_bytes(path.read_bytes())
    for fault, change in FAULTS.items():
        image, record = cv2.imread(str(good[7])), dfl_image.read(good[7])
        data = cv2.imencode(".jpg", change(image), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
        dfl_image.write(frames / "aligned" / f"p {fault}.jpg", data, record)
    other = sorted((train / "dst").glob("*.jpg"))[5]
    (frames / "aligned/p another person.jpg").write_bytes(other.read_bytes())
    with open_gallery(frames / "aligned") as gallery:
        verdicts = clean.judge(Features(gallery, identities(frames / "faces.db", lambda: sface.create().embed)))
        found = {gallery.names[i]: set(v) for i, v in verdicts.found.items()}
    for fault in [*FAULTS, "another person"]:
        if fault != "duplicate":
            assert fault in found[f"p {fault}.jpg"]
    assert {"duplicate"} in (found.get("p duplicate.jpg"), found.get(good[7].name))
    assert {name for name in found if not name.startswith("p ")} <= {good[7].name}
