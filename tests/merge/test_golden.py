"""Merging as DeepFaceLab and faceswap do it: every case of their golden files within its limits, and a small file."""

import json

import cv2
import merge_cases as cases
import numpy as np
import pytest
from golden_files import golden_path

from core.geometry.align import FaceType
from core.merge.dfl import compose as dfl
from core.merge.dfl.motion import motion_vectors
from core.merge.faceswap import compose as faceswap
from core.merge.faceswap import masks

LOOSE = {"gt1_percent": 1.0, "gt3_percent": 0.3, "mean_abs": 0.05}


def test_small_scene_is_as_it_was_when_all_golden_cases_agreed():
    stored = dict(np.load(cases.SMALL))
    over = {
        name: found
        for name, made in cases.small_results(stored)
        if (found := cases.over_limits(cases.less_frame(made, stored["frame"]), stored[name], LOOSE))
    }
    assert not over


def test_deepfacelab():
    folder = golden_path("dfl-merge")
    about, outputs = json.loads((folder / "cases.json").read_text()), np.load(folder / "outputs.npz")
    scene = cases.dfl_scene()
    over = {}
    for name, case in about["cases"].items():
        settings = cases.dfl_options(about["base"], case["overrides"])
        made = cases.dfl_case(name, case["faces"], case["face_type"], settings, scene)
        if case["output"] == "delta":
            made = cases.less_frame(made, scene.frame)
        found = cases.over_limits(made, outputs[name], case["tolerance"][cases.COLUMN])
        # Sharpening a hundredfold multiplies single differences; its file says to judge it by the mean.
        if found and not ("sharpen" in name and name.endswith("100") and "mean_abs" not in found):
            over[name] = found
    assert len(about["cases"]) == 113
    assert not over


def test_network_inputs_of_deepfacelab():
    steps, scene = np.load(golden_path("dfl-merge/steps.npz")), cases.dfl_scene()
    limit, share = (0.015, 0.005) if cases.COLUMN == "opencv5" else (0.01, 0.003)
    checked = 0
    for name in steps.files:
        kind, *rest = name.split("/")
        if kind not in ("pred_in", "xseg_dst_in") or rest[1] not in ("sr", "nosr"):
            continue
        settings = cases.dfl_settings.DflSettings(super_resolution=50 if rest[1] == "sr" else 0)
        face = scene.landmarks[int(rest[2][-1])]
        cut = dfl.cut_face(scene.frame, face, FaceType.parse(rest[0]), scene.resolution, settings)
        made = cut.network_input if kind == "pred_in" else dfl.segmentation_input(cut)
        off = np.abs(made - steps[name].astype(np.float32))
        assert off.max() <= limit and (off > 0.004).mean() <= share, name
        checked += 1
    assert checked > 10


def test_motion_vectors():
    motion = json.loads(golden_path("dfl-merge/motion.json").read_text())
    made = motion_vectors(motion["landmarks"])
    assert np.allclose([power for power, _ in made], motion["motion_power"])
    assert np.allclose([degrees for _, degrees in made], motion["motion_deg"])


def test_faceswap():
    folder = golden_path("faceswap-convert")
    about, outputs = json.loads((folder / "cases.json").read_text()), np.load(folder / "outputs.npz")
    frame, arrays = cv2.imread(str(folder / "frame.png")), dict(np.load(folder / "inputs.npz"))
    landmarks = [np.float32(points) for points in json.loads((folder / "landmarks.json").read_text())["faces"]]
    over = {}
    for name, case in about["cases"].items():
        for key, made in faceswap_results(name, case, about, frame, landmarks, arrays, outputs):
            limits = case["tolerance"][cases.COLUMN]
            if key.endswith(("/matrix", "/roi")):
                found = np.abs(made - outputs[key]).max() > 0.002
            else:
                found = cases.over_limits(made, outputs[key], limits)
            if found:
                over[key] = found
    assert len(about["cases"]) == 119
    assert not over


def faceswap_results(name, case, about, frame, landmarks, arrays, outputs):
    """(key of the outputs, result) of one case."""
    general = {**about["base"], **{key: value for key, value in case["overrides"].items() if "." not in key}}
    numbers = {k: v for k, v in case["overrides"].items() if k not in ("output_size", "mask_type", "faces")}
    numbers = {k: v for k, v in numbers.items() if not k.startswith("patch.")}
    settings = cases.faceswap_options(about["base"], about["plugin_defaults"], numbers, case.get("era", "T"))
    size, group = general["output_size"], case["group"]
    if group == "oldbox":
        box = case["oldbox"]
        yield name, units(masks.old_patch_box(size, box["type"], box["distance"], box["radius"], box["passes"]))
        return
    cuts = [faceswap.cut(landmarks[f], size, settings) for f in general["faces"]]
    placed = list(zip(general["faces"], cuts, strict=True))
    raws = [cases.faceswap_raw(general["mask_type"], w, f, arrays, settings) for f, w in placed]
    if group == "mask":
        ones = np.ones((size, size))
        yield f"{name}/raw", units(ones if raws[0] is None else raws[0])
        yield f"{name}/mask", units(ones if raws[0] is None else masks.blending_mask(raws[0], settings.edge))
        return
    faces = [cases.swapped(arrays, size, f)[..., :3] for f in general["faces"]]
    patches = [faceswap.patch(frame, w, new, raw, settings) for w, new, raw in zip(cuts, faces, raws, strict=True)]
    if group == "color":
        yield name, units(patches[0][..., :3])
    elif group == "frame":
        made = faceswap.converted(frame, list(zip(cuts, patches, strict=True)), settings).transpose(2, 0, 1)
        yield name, cases.less_frame(made, frame) if case["output"] == "delta" else made
    else:
        origin = case["overrides"].get("patch.origin", about["plugin_defaults"]["patch"]["origin"])
        about_each = [
            faceswap.patch_metadata(w, size, settings, (frame.shape[1], frame.shape[0]), origin) for w in cuts or [None]
        ]
        yield f"{name}/matrix", np.stack([matrix for matrix, _ in about_each])
        yield f"{name}/roi", np.stack([corners for _, corners in about_each])
        top = np.iinfo(outputs[f"{name}/patch"].dtype).max
        empty = [np.zeros((size, size, 4))]
        yield f"{name}/patch", np.stack([(np.clip(p, 0, 1) * top).astype(np.int64) for p in patches or empty])


def units(values: np.ndarray) -> np.ndarray:
    return np.rint(values * 65535)


@pytest.mark.parametrize("changes", [{"mode": "overlaid"}, {"erode_mask": 401}, {"blur_mask": -1}, {"mask_mode": "0"}])
def test_what_deepfacelab_does_not_know_is_refused(changes):
    with pytest.raises(cases.dfl.UsageError):
        cases.dfl_settings.DflSettings(**changes)
