"""Merging against golden files: how their cases are read and run.

The full files are in the reference material. ``tests/golden/merge/small.npz`` holds a small scene, and what this
program made of it when it agreed with all of them. Run as a program, this module makes that file anew.
"""

import json
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from golden_files import GOLDEN, golden_path

from core.geometry.align import FaceType, transform_points
from core.geometry.centring import level_matrix
from core.merge.dfl import compose as dfl
from core.merge.dfl import settings as dfl_settings
from core.merge.faceswap import compose as faceswap
from core.merge.faceswap import masks as faceswap_masks
from core.merge.faceswap import settings as faceswap_settings

COLUMN = "opencv5" if int(cv2.__version__.split(".")[0]) >= 5 else "opencv4"
SMALL = GOLDEN / "merge/small.npz"

# DeepFaceLab's names of settings that are called otherwise here.
_RENAMED = {
    "erode_mask_modifier": "erode_mask",
    "blur_mask_modifier": "blur_mask",
    "motion_blur_power": "motion_blur",
    "super_resolution_power": "super_resolution",
    "blursharpen_amount": "blursharpen",
    "image_denoise_power": "image_denoise",
    "bicubic_degrade_power": "bicubic_degrade",
    "color_degrade_power": "color_degrade",
    "color_transfer_mode": "color_transfer",
}
_NUMBERED = {
    "mask_mode": dfl_settings.MASK_MODES,
    "color_transfer": dfl_settings.COLOR_TRANSFERS,
    "sharpen_mode": dfl_settings.SHARPEN_MODES,
}


class Scene(NamedTuple):
    """Inputs of both programs: networks of DeepFaceLab by name, arrays of faceswap by name, first axis: faces."""

    frame: np.ndarray
    landmarks: list
    networks: dict
    resolution: int
    motion: tuple[float, float]
    draws: dict


def dfl_scene() -> Scene:
    folder = golden_path("dfl-merge")
    about = json.loads((folder / "cases.json").read_text())
    return Scene(
        cv2.imread(str(folder / "frame.png")),
        json.loads((folder / "landmarks.json").read_text())["faces"],
        dict(np.load(folder / "networks.npz")),
        about["resolution"],
        (about["motion_power"], about["motion_deg"]),
        dict(np.load(folder / "random.npz")),
    )


def dfl_options(base: dict, overrides: dict) -> dfl_settings.DflSettings:
    values = {_RENAMED.get(name, name): value for name, value in {**base, **overrides}.items()}
    return dfl_settings.DflSettings(
        **{name: _NUMBERED[name][value] if name in _NUMBERED else value for name, value in values.items()}
    )


def dfl_case(
    name: str, faces: list[int], face_type: str, settings: dfl_settings.DflSettings, scene: Scene
) -> np.ndarray:
    """Picture and mask, (4, H, W) uint8."""
    merged = []
    for place, f in enumerate(faces):
        draws = scene.draws.get(name)
        if draws is not None:
            draws = np.array_split(draws, len(faces))[place]
        nets = {key: array[f] for key, array in scene.networks.items()}
        around = dfl_settings.Surroundings(
            segment=lambda _, which, nets=nets: nets[f"xseg_{which}"].astype(np.float32) / 255,
            enhance=lambda _, nets=nets: (nets["enhanced"].astype(np.float32) - 20) / 200,
            motion_power=scene.motion[0],
            motion_degrees=scene.motion[1],
            draws=draws,
        )
        prediction = dfl_settings.Prediction(*(nets[key].astype(np.float32) for key in ("prd", "prd_mask", "dst_mask")))
        cut = dfl.cut_face(scene.frame, scene.landmarks[f], FaceType.parse(face_type), scene.resolution, settings)
        merged.append(dfl.merged_face(cut, prediction, settings, around))
    image, mask = dfl.merged_frame(scene.frame, merged)
    return np.concatenate([image.transpose(2, 0, 1), mask[None]])


def faceswap_options(base: dict, plugins: dict, overrides: dict, era: str) -> faceswap_settings.FaceswapSettings:
    general = dict(base)
    of = {section: dict(values) for section, values in plugins.items()}
    for key, value in overrides.items():
        section, _, name = key.rpartition(".")
        (of[section] if section else general)[name] = value
    mask, balance, sharpen = of["mask_blend"], of["manual_balance"], of["sharpen"]
    spaces = {space.lower(): space for space in faceswap_settings.COLOR_SPACES}
    return faceswap_settings.FaceswapSettings(
        centring=general["centering"],
        coverage=general["coverage"],
        y_offset=general["y_offset"],
        edge=faceswap_settings.Edge(blend=mask.pop("type"), **mask),
        color_adjustment=general["color_adjustment"],
        clip=of["color_transfer"]["clip"],
        preserve_paper=of["color_transfer"]["preserve_paper"],
        balance=faceswap_settings.Balance(
            spaces[balance["colorspace"].lower()],
            (balance["balance_1"], balance["balance_2"], balance["balance_3"]),
            balance["contrast"],
            balance["brightness"],
        ),
        match_threshold=of["match_hist"]["threshold"],
        face_scale=general["face_scale"],
        sharpen=faceswap_settings.Sharpen(**sharpen),
        output_scale=general["output_scale"],
        transparent=general["draw_transparent"],
        one_blend=era != "T",
    )


def faceswap_raw(mask_type: str, where: faceswap.Cut, face: int, arrays: dict, settings) -> np.ndarray | None:
    """The mask before erosion."""
    if mask_type == "none":
        return None
    if mask_type == "predicted":
        return faceswap_masks.predicted_mask(swapped(arrays, where.size, face)[..., 3], settings.edge)
    if mask_type in ("components", "extended"):
        return faceswap.landmark_mask(mask_type, where, settings.edge)
    kind = mask_type.removeprefix("stored_")
    points = np.asarray(where.landmarks, np.float64)
    normalised = transform_points(points, level_matrix(points))
    stored = arrays[mask_type][face]
    centring = "face" if kind == "empty" else kind
    return faceswap_masks.stored_mask(
        stored, centring, normalised, where.size, settings.centring, settings.coverage, settings.edge
    )


def swapped(arrays: dict, size: int, face: int) -> np.ndarray:
    values = arrays[f"swapped_{size}"][face]
    return values.astype(np.float32) / (255 if values.dtype == np.uint8 else 1)


def over_limits(made: np.ndarray, wanted: np.ndarray, limits: dict) -> dict:
    """The measures that are above their limits; empty if none is."""
    d = np.abs(made.astype(np.float64) - wanted.astype(np.float64))
    d = d / 257 if wanted.dtype == np.uint16 else np.where(d > 128, 256 - d, d)
    found = {"gt1_percent": 100 * (d > 1).mean(), "gt3_percent": 100 * (d > 3).mean(), "mean_abs": d.mean()}
    return {name: (round(float(value), 4), limits[name]) for name, value in found.items() if value > limits[name]}


# The small scene: settings of DeepFaceLab's merger and of faceswap's convert, by the name of a case.
SMALL_DFL = {
    "original": {"mode": "original"},
    "overlay_mask0_edge": {"mask_mode": "full", "erode_mask": 9, "blur_mask": 12},
    "overlay_dst_rct": {"mask_mode": "dst", "color_transfer": "rct", "erode_mask": -5},
    "overlay_sum_lct": {"mask_mode": "learned-prd+learned-dst", "color_transfer": "lct"},
    "hist_match_mkl": {"mode": "hist-match", "color_transfer": "mkl-m"},
    "seamless_idt": {"mode": "seamless", "color_transfer": "idt-m"},
    "seamless_hist": {"mode": "seamless-hist-match", "mask_mode": "XSeg-prd*XSeg-dst"},
    "raw_rgb": {"mode": "raw-rgb"},
    "raw_predict_sr": {"mode": "raw-predict", "super_resolution": 60},
    "sot": {"color_transfer": "sot-m"},
    "mix_scale": {"color_transfer": "mix-m", "output_face_scale": 10},
    "filters": {"motion_blur": 40, "blursharpen": 3, "sharpen_mode": "box", "image_denoise": 35, "bicubic_degrade": 30},
    "degraded": {"color_degrade": 100, "blursharpen": -12},
}
SMALL_FACESWAP = {
    "extended_avg": {},
    "components_transfer": {"mask_type": "components", "color_adjustment": "color-transfer"},
    "stored_match": {"mask_type": "stored_face", "color_adjustment": "match-hist", "mask_blend.erosion_left": 15.0},
    "predicted_balance": {
        "mask_type": "predicted",
        "color_adjustment": "manual-balance",
        "manual_balance.balance_2": 20.0,
        "mask_blend.type": "gaussian",
    },
    "seamless": {"color_adjustment": "seamless-clone", "face_scale": 5.0},
    "sharpened_small": {"sharpen.method": "unsharp_mask", "output_scale": 50, "y_offset": 0.1},
    "transparent_old": {"draw_transparent": True, "mask_type": "stored_head", "coverage": 1.0, "era": "G"},
    "hard": {"mask_type": "none", "sharpen.method": "gaussian"},
}
_BASE = {
    "coverage": 0.875,
    "centering": "face",
    "y_offset": 0.0,
    "color_adjustment": "avg-color",
    "face_scale": 0.0,
    "output_scale": 100,
    "draw_transparent": False,
}
_PLUGINS = {
    "mask_blend": {"type": "normalized", "kernel_size": 3, "passes": 4, "threshold": 4},
    "color_transfer": {"clip": True, "preserve_paper": True},
    "manual_balance": {
        "colorspace": "hsv",
        **dict.fromkeys(("balance_1", "balance_2", "balance_3", "contrast", "brightness"), 0.0),
    },
    "match_hist": {"threshold": 99.0},
    "sharpen": {"method": "none", "amount": 150, "radius": 0.3, "threshold": 5.0},
}
_SMALL_SIZE = 16


def small_scene(stored) -> Scene:
    """The scene of an opened small.npz."""
    names = ("prd", "prd_mask", "dst_mask", "enhanced", "xseg_prd", "xseg_dst")
    return Scene(
        stored["frame"], list(stored["landmarks"]), {n: stored[n] for n in names}, _SMALL_SIZE, (24.7, 33.0), {}
    )


def small_results(stored) -> Iterator[tuple[str, np.ndarray]]:
    """(name, result) of every case."""
    scene = small_scene(stored)
    for name, changes in SMALL_DFL.items():
        settings = dfl_settings.DflSettings(**{"color_transfer": "none", **changes})
        yield f"dfl/{name}", dfl_case(name, [0, 1], "whole_face", settings, scene)
    for name, changes in SMALL_FACESWAP.items():
        options = {"mask_type": "extended", "era": "T", **changes}
        mask_type, era = options.pop("mask_type"), options.pop("era")
        settings = faceswap_options(_BASE, _PLUGINS, options, era)
        faces = []
        for f, points in enumerate(scene.landmarks):
            where = faceswap.cut(points, 2 * _SMALL_SIZE, settings)
            raw = faceswap_raw(mask_type, where, f, stored, settings)
            face = swapped(stored, where.size, f)[..., :3]
            faces.append((where, faceswap.patch(scene.frame, where, face, raw, settings)))
        yield f"faceswap/{name}", faceswap.converted(scene.frame, faces, settings).transpose(2, 0, 1)


def _made_up() -> dict[str, np.ndarray]:
    """A frame of 96 x 72 pixels with two faces, and what networks say of them, also outside of 0..1."""
    from drawn_faces import landmarks

    rng = np.random.default_rng(5)
    frame = cv2.resize(rng.integers(0, 255, (8, 10, 3), np.uint8), (96, 72), interpolation=cv2.INTER_LINEAR)
    points = [
        transform_points(landmarks(32), [[1.4, -0.2, 14], [0.2, 1.4, 6]]),
        transform_points(landmarks(32, seed=1), [[0.7, 0.1, 64], [-0.1, 0.7, 34]]),
    ]
    for p, color in zip(points, ((120, 150, 200), (90, 110, 160)), strict=True):
        cv2.fillConvexPoly(frame, cv2.convexHull(p.astype(np.int32)), color)
        for part in (slice(36, 42), slice(42, 48), slice(60, 68)):
            cv2.fillConvexPoly(frame, cv2.convexHull(p[part].astype(np.int32)), (40, 30, 60))

    def smooth(size: int, channels: int) -> np.ndarray:
        return np.stack([cv2.resize(rng.random((5, 5, channels)), (size, size)) for _ in points])

    def oval(size: int, width: float) -> np.ndarray:
        y, x = np.mgrid[:size, :size] / (size - 1) - 0.5
        return np.stack([np.clip((width - np.hypot(x, y * 0.9)) * 9, -0.02, 1.02) for _ in points])

    n, s = _SMALL_SIZE, 2 * _SMALL_SIZE
    eight = {
        "enhanced": smooth(4 * n, 3),
        "xseg_prd": oval(256, 0.42),
        "xseg_dst": oval(256, 0.38),
        "stored_face": oval(64, 0.4),
    }
    whole = {key: np.clip(value * 255, 0, 255).astype(np.uint8) for key, value in eight.items()}
    floats = {
        "prd": smooth(n, 3) * 1.1 - 0.05,
        "prd_mask": oval(n, 0.45),
        "dst_mask": oval(n, 0.4),
        f"swapped_{s}": np.concatenate([smooth(s, 3), oval(s, 0.4)[..., None]], -1),
    }
    halves = {key: value.astype(np.float16) for key, value in floats.items()}
    return {"frame": frame, "landmarks": np.round(points, 2), **whole, "stored_head": whole["stored_face"], **halves}


def less_frame(result: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """What of a result, (channels, H, W) uint8, is not the frame, modulo 256: mostly zeros, which pack well."""
    out = result.copy()
    if result.shape[1:] == frame.shape[:2]:
        out[:3] -= frame.transpose(2, 0, 1)
    return out


def write_small() -> None:
    scene = _made_up()
    results = {name: less_frame(made, scene["frame"]) for name, made in small_results(scene)}
    SMALL.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(SMALL, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in (scene | results).items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)
    print(SMALL, SMALL.stat().st_size)


if __name__ == "__main__":
    write_small()
