"""Judging saves, backups and files: what is meant, which faces are used, what is written."""

import json

import pytest
from facekit import write_faces
from model_saves import model_files
from quality_faces import people
from tiny_dfm import write_dfm

from core.checkpoints.backups import make_backup
from core.checkpoints.model_folder import ModelFolder
from core.errors import CorruptFileError, InputError, UsageError
from core.faceset.store import open_faceset
from core.formats import dfl_image
from core.imaging.codec import encode_jpeg
from core.jobs.models import judged, quality, train
from core.training.choices import Choices, RunSettings
from core.training.sources.validation_split import split
from core.types import FaceRecord
from core.workspace import Workspace

TINY = {
    "resolution": 64,
    "face_type": "wf",
    "archi": "df",
    "ae_dims": 32,
    "e_dims": 16,
    "d_dims": 16,
    "d_mask_dims": 16,
}


def write_side(folder, faces):
    """Face files of a side, each a frame of its own."""
    folder.mkdir(parents=True)
    for number, face in enumerate(faces, 1):
        record = FaceRecord(
            f"{number:05d}_0.jpg", face.image.shape[:2], face.landmarks, "whole_face", f"{number:05d}.png"
        )
        data = dfl_image.embed(encode_jpeg(face.image, 95), record)
        (folder / record.name).write_bytes(data)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("ws"))
    subject = people()[0]
    for name, faces in (("src", subject.src), ("dst", subject.dst)):
        write_side(workspace.side(name).aligned, faces)
    workspace.create()
    model = save(workspace, 10, seed=1, held_out=2)
    make_backup(model, "early")
    save(workspace, 20, seed=2, held_out=2)
    write_dfm(workspace.model / "copy_SAEHD_model.dfm")
    return workspace


def save(workspace, iteration, seed, held_out=0):
    model = ModelFolder(workspace.model, "one")
    model.save(iteration, model_files(TINY, iteration, seed, {"held_out": held_out, "held": []}))
    return model


def test_a_model_is_judged_on_its_held_out_faces(workspace):
    made = quality.judge(workspace)
    assert (made.label, made.iteration, made.held_out, made.src, made.dst, made.run) == ("one", 20, True, 2, 2, 6)
    faces = open_faceset(workspace.side("dst").aligned)
    kept = split(faces, 2, "dst").validation
    record = json.loads(made.data.read_text())
    assert made.data == workspace.model / "one_quality.json" and record["version"] == 1 and record["synthetic"]
    assert len(record["faces"]["dst"]) == len(kept) == 2
    assert set(record["each"]["identity"]) == set(record["faces"]["dst"])
    assert {"src_ssim", "dst_ssim", "identity", "sharpness", "mask_iou", "flicker"} <= record["figures"].keys()
    assert record["figures"]["identity"].keys() == {"mean", "spread", "low", "high", "count", "better"}
    page = made.page.read_text()
    assert (
        "synthetic" in page
        and "held-out" in page
        and "http://" not in page.replace(quality.page.DIGITAL_SOURCE_TYPE, "")
    )
    assert not list(workspace.model.glob(".quality*"))
    again = quality.judge(workspace)
    assert json.loads(again.data.read_text()) == record
    # What is written beside the model is no part of it.
    assert not ModelFolder(workspace.model, "one").load(repair=False).remarks


def test_a_file_says_nothing_of_held_out_faces(workspace):
    made = quality.judge(workspace, str(workspace.model / "copy_SAEHD_model.dfm"), faces=3)
    assert (made.label, made.iteration, made.held_out, made.dst) == ("copy SAEHD model", None, False, 3)
    assert "may have been trained on" in made.page.read_text() and "dst_ssim" not in made.figures
    # It gives back what it is shown: no source at all, and nothing else wrong.
    assert made.figures["identity"].mean < 0 and made.figures["edge"].mean < 1
    assert quality.judge(workspace, str(workspace.model / "copy_SAEHD_model.dfm"), held_out=2).held_out


def test_two_saves_are_compared_on_the_same_faces(workspace):
    made = quality.compare(workspace, "early", "one")
    assert (made.before, made.after, made.held_out, made.dst) == ("one early", "one", True, 2)
    record = json.loads(made.data.read_text())
    assert record["before"]["iteration"] == 10 and record["after"]["iteration"] == 20
    assert record["before"]["each"]["src_psnr"] != record["after"]["each"]["src_psnr"]
    assert record["changes"]["src_psnr"]["verdict"] == "the same"  # two faces prove nothing
    assert "one early" in made.page.read_text()
    # With a file, of which nobody knows what it was trained on, no face counts as held out.
    assert not quality.compare(workspace, "one:early", str(workspace.model / "copy_SAEHD_model.dfm")).held_out


def test_what_cannot_be_meant(workspace, tmp_path):
    for text in ("nobody", "one:nobody", "two:early"):
        with pytest.raises(InputError, match="no such save or backup|no model of that name"):
            quality.judge(workspace, text)
    with pytest.raises(InputError, match="no such file"):
        quality.judge(workspace, str(tmp_path / "gone.dfm"))
    with pytest.raises(UsageError, match="compared with itself"):
        quality.compare(workspace, "one", "one")
    (tmp_path / "bad.dfm").write_bytes(b"nothing")
    with pytest.raises(CorruptFileError):
        quality.judge(workspace, str(tmp_path / "bad.dfm"))
    empty = Workspace(tmp_path / "empty").create()
    with pytest.raises(InputError, match="no model"):
        quality.judge(empty)


def test_noise_is_seen_as_no_face_and_does_no_harm(workspace, tmp_path):
    other = Workspace(tmp_path)  # without a folder for models, as somebody has it who only brings a file
    for side in ("src", "dst"):
        write_faces(other.side(side).aligned, 4)
    made = quality.judge(other, str(workspace.model / "copy_SAEHD_model.dfm"))
    assert made.dst == 4 and "points" not in made.figures and made.figures["seen"].mean < 0.5


def test_a_model_of_another_name_and_class_has_a_label_of_its_own(workspace):
    found = judged.candidate(workspace, None)
    assert (found.label, found.held_out, found.options["resolution"]) == ("one", 2, 64)


def test_a_run_can_judge_its_swaps_at_the_target(workspace):
    choices = Choices(recipe=TINY | {"batch_size": 2}, seed=3, validation_count=2, use_pretrained=False)
    settings = RunSettings(target=2, workers=0)
    made = train.train(workspace, model="two", choices=choices, settings=settings, quality=True)
    assert "2 held-out target faces" in made.quality[0] and any("likeness" in line for line in made.quality)
    summary = (workspace.model / "two_SAEHD_summary.txt").read_text()
    assert all(line in summary for line in made.quality)
    rows = [json.loads(line) for line in (workspace.model / "metrics.jsonl").read_text().splitlines()]
    assert "quality" not in rows[-2] and {"identity", "src_ssim"} <= rows[-1]["quality"].keys()
    # The same figures as of the save.
    judged_later = quality.judge(workspace, "two", faces=16)
    assert judged_later.figures["identity"].mean == pytest.approx(rows[-1]["quality"]["identity"], abs=1e-3)


def test_a_model_is_kept_when_its_swaps_cannot_be_judged(workspace, monkeypatch):
    def fails(*_, **__):
        raise InputError("no eyes")

    monkeypatch.setattr(quality, "glance", fails)
    choices = Choices(recipe=TINY | {"batch_size": 2}, seed=3, use_pretrained=False)
    made = train.train(
        workspace, model="three", choices=choices, settings=RunSettings(target=1, workers=0), quality=True
    )
    assert made.iteration == 1 and made.quality == () and made.exported.path.is_file()
