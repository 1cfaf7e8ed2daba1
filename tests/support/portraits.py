"""Small real faces for tests of sorting, cropped as an extractor would, with planted faults.

They are skimage's astronaut and matplotlib's Grace Hopper.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from matplotlib.cbook import get_sample_data
from skimage.data import astronaut

from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.imaging.masks import encode_mask, hull_mask
from core.types import FaceRecord

_ASTRONAUT = """
178 102 178 111 177 120 180 134 183 146 190 157 201 167 212 171 221 175 229 175 242 169 255 160 263 150 268 143
272 125 273 116 274 107 186 90 190 86 197 84 205 85 216 92 234 93 245 87 254 87 261 90 265 94 224 99 224 109 223
114 222 125 211 129 216 131 222 133 228 132 233 130 193 101 198 99 206 99 212 103 206 103 199 103 238 104 244
101 248 101 255 105 250 106 243 105 199 140 209 139 215 139 222 140 229 140 236 140 246 142 234 152 228 154 222
154 215 153 205 147 201 140 216 142 222 143 228 143 243 142 228 148 222 149 216 148"""
_HOPPER = """
165 200 167 218 170 235 183 262 188 283 200 302 226 321 253 326 272 332 290 329 314 315 334 294 344 274 351 258
356 225 354 208 354 191 183 178 191 171 205 167 223 167 247 178 281 176 303 163 320 162 333 165 341 171 265 186
266 205 267 213 269 234 245 246 256 248 269 249 280 248 288 243 200 194 209 189 224 188 237 194 227 196 212 197
290 192 302 184 310 184 323 190 315 192 301 193 232 277 247 270 259 267 270 268 281 266 292 267 306 273 291 285
282 289 271 290 260 290 242 284 236 277 261 275 270 276 278 275 301 273 279 277 270 278 261 278"""


@cache
def person(which: int) -> tuple[np.ndarray, np.ndarray]:
    """Frame (uint8 BGR) and its 68 landmarks: 0 the astronaut, 1 Grace Hopper."""
    image = (
        astronaut()[..., ::-1] if which == 0 else cv2.imread(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))
    )
    text = _ASTRONAUT if which == 0 else _HOPPER
    return np.ascontiguousarray(image), np.array(text.split(), np.float64).reshape(68, 2)


def face(which: int = 0, seed: int = 0, size: int = 128, fault: str = "") -> tuple[np.ndarray, FaceRecord]:
    """A face crop with a little variety, and its record.

    fault: '', blurred, dark, bright, flat, upside down, border, obstructed or clear (a mask).
    """
    frame, points = person(which)
    rng = np.random.default_rng([which, seed])
    shift = np.array([frame.shape[1] - points[:, 0].max() + 25, 0]) if fault == "border" else np.zeros(2)
    if fault == "border":
        frame = cv2.warpAffine(frame, np.array([[1, 0, shift[0]], [0, 1, 0]], np.float64), frame.shape[1::-1])
    noisy = points + shift + rng.normal(0, 0.004 * np.ptp(points[:, 1]), points.shape)
    matrix = face_matrix(noisy, size, FaceType.WHOLE_FACE)
    image = cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_AREA).astype(np.float32)
    image = _faulty(image * rng.uniform(0.8, 1.15, 3) + rng.normal(0, 2, image.shape), fault)
    if fault == "border":
        inside = cv2.warpAffine(np.ones(frame.shape[:2], np.float32), matrix, (size, size))
        image *= (inside > 0.5)[..., None]
    record = FaceRecord(
        f"{seed:05d}_0.jpg",
        (size, size),
        transform_points(noisy, matrix),
        "whole_face",
        f"{seed:05d}.png",
        (int(noisy[:, 0].min()), int(noisy[:, 1].min()), int(noisy[:, 0].max()), int(noisy[:, 1].max()) + seed % 7),
        noisy,
        matrix,
        xseg_mask=_mask(size, transform_points(noisy, matrix), fault),
    )
    return np.clip(image, 0, 255).astype(np.uint8), record


def _faulty(image: np.ndarray, fault: str) -> np.ndarray:
    if fault == "blurred":
        return cv2.GaussianBlur(image, (0, 0), image.shape[0] / 40)
    scale, offset = {"dark": (0.06, 0), "bright": (0.3, 230), "flat": (0.06, 110)}.get(fault, (1, 0))
    return image[::-1, ::-1].copy() if fault == "upside down" else image * scale + offset


def _mask(size: int, landmarks: np.ndarray, fault: str) -> bytes | None:
    if fault not in ("obstructed", "clear"):
        return None
    mask = hull_mask((size, size), landmarks)
    if fault == "obstructed":
        mask[size // 2 :, : int(size * 0.55)] = 0
    return encode_mask(mask)


def write_face(folder: Path, name: str, which: int = 0, seed: int = 0, size: int = 128, fault: str = "") -> Path:
    """A face file under ``name``."""
    image, record = face(which, seed, size, fault)
    folder.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert ok
    dfl_image.write(folder / name, data.tobytes(), record)
    return folder / name


def write_set(folder: Path, count: int = 12, which: int = 0) -> list[Path]:
    """Faces of one person with extractor names, two of them from one frame."""
    paths = [write_face(folder, f"{seed:05d}_0.jpg", which, seed) for seed in range(1, count)]
    image, record = face(which, 1)
    other = cv2.imencode(".jpg", image[:, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    dfl_image.write(folder / "00001_1.jpg", other, record)
    return [*paths, folder / "00001_1.jpg"]


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file directly in a folder with its bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
