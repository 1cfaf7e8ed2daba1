"""The scripts in order, on real clips, with a tiny model that is whole; then kill -9 at each stage, and again."""

import hashlib
import json
import os
import random
import shutil
import signal
import time

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from runner import TINY, run, start

pytestmark = pytest.mark.e2e


def digests(folder):
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.iterdir()
        if p.is_file() and not p.name.startswith(".")
    }


def check_dfm(path, resolution=64):
    """The contract that live programs rely on."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    assert (
        entry.name == "in_face:0"
        and entry.shape[1:] == [resolution, resolution, 3]
        and not isinstance(entry.shape[0], int)
    )
    assert [o.name for o in session.get_outputs()] == ["out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0"]
    for batch in (1, 2):
        out = session.run(
            None, {"in_face:0": np.random.default_rng(0).random((batch, resolution, resolution, 3), np.float32)}
        )
        assert [o.shape for o in out] == [(batch, resolution, resolution, c) for c in (1, 3, 1)]
        assert all(o.dtype == np.float32 and o.min() >= 0 and o.max() <= 1 for o in out)
    metadata = {p.key: p.value for p in onnx.load(path, load_external_data=False).metadata_props}
    assert "compositeWithTrainedAlgorithmicMedia" in json.dumps(metadata)


def test_all_steps_to_a_verified_dfm(workspace):
    source, target = workspace / "data_src", workspace / "data_dst"
    assert [p.name for p in sorted(source.glob("*.png"))] == [f"{i:05d}.png" for i in range(1, 15)]
    assert len(list(target.glob("*.jpg"))) == 14
    assert (source / "faces.db").is_file() and len(list((source / "aligned").glob("*_0.jpg"))) == 14
    before = digests(source / "aligned")

    run("scripts/3.1_sort_src.sh", "--by", "blur", workspace=workspace)
    assert (source / "aligned" / "00000.jpg").exists()
    run("scripts/3.1_sort_src.sh", "--undo", workspace=workspace)
    assert digests(source / "aligned") == before

    done = run("scripts/3.2_apply_xseg_src.sh", workspace=workspace)
    assert "drawn from landmarks" in done.stdout

    run("scripts/3.3_pack_src.sh", "--remove-originals", workspace=workspace)
    assert (source / "aligned" / "faceset.pak").is_file() and not list((source / "aligned").glob("*.jpg"))
    run("scripts/3.4_unpack_src.sh", workspace=workspace)
    assert digests(source / "aligned") == before
    run("scripts/3.3_pack_src.sh", workspace=workspace)

    run("scripts/5_train.sh", "3", *TINY, workspace=workspace)
    (dfm,) = (workspace / "model").glob("*.dfm")
    check_dfm(dfm)
    for name in (
        "encoder.npy",
        "inter_AB.npy",
        "inter_B.npy",
        "decoder.npy",
        "src_dst_opt.npy",
        "data.dat",
        "summary.txt",
    ):
        assert list((workspace / "model").glob(f"*_SAEHD_{name}")), name
    preview = workspace / "model" / "preview" / "latest.jpg"
    assert cv2.imread(str(preview)) is not None and b"compositeWithTrainedAlgorithmicMedia" in preview.read_bytes()

    dfm.unlink()
    run("exportDFM.sh", workspace=workspace)
    check_dfm(dfm)

    again = run("scripts/5_train.sh", "3", workspace=workspace)
    assert "already" in (again.stdout + again.stderr)
    conflict = run("scripts/5_train.sh", "4", "--resolution", "96", workspace=workspace, code=2)
    assert "64" in conflict.stderr and "96" in conflict.stderr


@pytest.mark.parametrize("seed", range(2))
def test_killed_extraction_is_completed_with_the_same_files(extracted, clips, tmp_path, seed):
    workspace = tmp_path / "w"
    shutil.copytree(clips, workspace)
    for script, pause in (("scripts/1_extract_src_video.sh", 0.8), ("scripts/3_extract_src_faces.sh", 2.5)):
        arguments = ["--image-size", "128"] if "faces" in script else []
        process = start(script, *arguments, workspace=workspace)
        time.sleep(pause * random.Random(seed).random() + pause / 2)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        run(script, *arguments, workspace=workspace)
    assert digests(workspace / "data_src" / "aligned") == digests(extracted / "data_src" / "aligned")


def test_killed_packing_loses_nothing(workspace):
    aligned = workspace / "data_src" / "aligned"
    before = digests(aligned)
    process = start("scripts/3.3_pack_src.sh", "--remove-originals", workspace=workspace)
    time.sleep(1.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    run("scripts/3.3_pack_src.sh", "--remove-originals", workspace=workspace)
    run("scripts/3.4_unpack_src.sh", workspace=workspace)
    assert digests(aligned) == before


def test_training_stops_on_request_survives_kill_and_goes_on(workspace):
    metrics = workspace / "model" / "metrics.jsonl"

    def iterations():
        found = list((workspace / "model").rglob("*metrics.jsonl"))
        return sum(1 for _ in found[0].open()) if found else 0

    def wait_for(count, process):
        deadline = time.monotonic() + 180
        while iterations() < count:
            if process.poll() is not None:
                raise AssertionError(process.communicate())
            assert time.monotonic() < deadline, metrics
            time.sleep(0.1)

    process = start("scripts/5_train.sh", *TINY, workspace=workspace)
    wait_for(2, process)
    os.kill(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    first = digests(workspace / "model")
    assert any(name.endswith("_SAEHD_encoder.npy") for name in first)

    process = start("scripts/5_train.sh", workspace=workspace)
    wait_for(iterations() + 2, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    process = start("scripts/5_train.sh", workspace=workspace)
    wait_for(iterations() + 2, process)
    (workspace / "model" / "STOP").touch()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert not (workspace / "model" / "STOP").exists()
