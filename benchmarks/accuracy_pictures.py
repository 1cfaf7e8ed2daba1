"""Pictures with known faces for benchmarks/accuracy.py: turned, blurred, covered and small heads, and nobody.

python benchmarks/accuracy_pictures.py FOLDER [HEADS_A_TURN=2]
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from turned_heads import Head, heads, seen

from core.demo.portraits import OVAL
from core.faces.mesh_points import points_68

SIZE = 640, 480
TURNS = (0, 15, 30, 45, 60, 68, 75, 82, 88)
SMALL = (80, 60, 40)  # pixels in a frame of 1920 x 1080
SIGMA = 0.04  # of the blur, in heights of the face
NOBODY = 80
BACKGROUNDS = ("coffee", "grass", "rocket", "immunohistochemistry")  # none with the face of an animal
THINGS = ("coffee", "rocket", "retina", "brick", "grass", "gravel", "coins", "clock", "moon", "page", "text")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    models, truth = heads(), {}
    backgrounds = [cv2.GaussianBlur(_image(name), (0, 0), 6) for name in BACKGROUNDS]
    for round_ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 2):
        for number, model in enumerate(models):
            for yaw in [turn * side for turn in TURNS for side in (-1, 1)]:
                behind = cv2.resize(backgrounds[rng.integers(len(backgrounds))], SIZE)
                for tag, image, face in _turned(model, behind, yaw, rng):
                    name = f"{round_}_{number}_{yaw:+d}_{tag}.jpg"
                    _write(folder / name, image)
                    truth[name] = [face]
            for width in SMALL:
                name = f"{round_}_{number}_small{width}.jpg"
                image, face = _small(model, cv2.resize(backgrounds[1], (1920, 1080)), width, rng)
                _write(folder / name, image)
                truth[name] = [face]
    for number in range(NOBODY):
        name = f"nobody_{number:03d}.jpg"
        _write(folder / name, _nobody(rng))
        truth[name] = []
    (folder / "truth.json").write_text(json.dumps(truth))


def _image(name: str) -> NDArray[np.uint8]:
    image = np.asarray(getattr(skimage.data, name)())
    if image.ndim == 2:
        return cv2.cvtColor(image.astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(image[..., 2::-1])


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    path.write_bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def _face(mesh: NDArray, pose: tuple[float, float, float], tag: str) -> dict[str, object]:
    low, high = mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)
    pitch, yaw, roll = pose
    points = points_68(mesh[:, :2]).round(2).tolist()
    box = [*low.round(1).tolist(), *high.round(1).tolist()]
    return {"box": box, "points": points, "yaw": yaw, "pitch": pitch, "roll": roll, "tag": tag}


def _turned(model: Head, behind: NDArray[np.uint8], yaw: float, rng: np.random.Generator):
    """(tag, picture, truth): the head as it is, and blurred and covered ones where it is not turned far."""
    pose = (float(rng.uniform(-20, 20)), yaw + float(rng.uniform(-4, 4)), float(rng.uniform(-15, 15)))
    width = float(np.exp(rng.uniform(np.log(60), np.log(200))))
    centre = np.array([rng.uniform(200, 440), rng.uniform(190, 290)])
    image, mesh = seen(model, behind, pose, width, centre)
    image = np.clip(image * rng.uniform(0.6, 1.25) + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
    yield "plain", image, _face(mesh, pose, "plain")
    if abs(yaw) > 30:
        return
    height = float(np.ptp(mesh[:, 1]))
    yield "blurred", cv2.GaussianBlur(image, (0, 0), SIGMA * height), _face(mesh, pose, "blurred")
    for tag in ("mouth covered", "half covered"):
        yield tag.split()[0], _covered(image, mesh, tag, rng), _face(mesh, pose, tag)


def _covered(image: NDArray[np.uint8], mesh: NDArray, tag: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    points, outline = points_68(mesh[:, :2]), mesh[OVAL, :2]
    up = points[27] - points[8]
    up = up / np.linalg.norm(up)
    right = np.array([-up[1], up[0]])
    wide, high = np.ptp(outline @ right), np.ptp(outline @ up)
    if tag == "mouth covered":
        across = (outline - points[33]) @ right
        top = points[33] + right * (across.max() + across.min()) / 2
        side, down = 0.62 * wide * right, 0.6 * high * up
        corners = np.array([top - side, top + side, top + side - down, top - side - down])
    else:
        middle = points[[27, 28, 33, 8]].mean(axis=0)
        side = 0.8 * wide * right * rng.choice([-1, 1])
        corners = np.array([middle + 0.7 * high * up, middle - 0.7 * high * up])
        corners = np.array([corners[0], corners[0] + side, corners[1] + side, corners[1]])
    mask = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [corners.round().astype(np.int32)], 255)
    alpha = cv2.GaussianBlur(mask, (0, 0), 1.5)[..., None] / 255
    over = rng.uniform(30, 230, 3) + rng.normal(0, 6, image.shape)
    return np.clip(image * (1 - alpha) + over * alpha, 0, 255).astype(np.uint8)


def _small(model: Head, behind: NDArray[np.uint8], width: int, rng: np.random.Generator):
    pose = (float(rng.uniform(-10, 10)), float(rng.uniform(-20, 20)), float(rng.uniform(-8, 8)))
    centre = np.array([rng.uniform(200, 1700), rng.uniform(200, 900)])
    image, mesh = seen(model, behind, pose, width, centre)
    return image, _face(mesh, pose, f"{width} px in 1080p")


def _nobody(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Parts of pictures without people, round ones over one another, as the detector takes them for faces."""
    image = cv2.resize(_image(str(rng.choice(THINGS))), (720, 540))
    for _ in range(int(rng.integers(3, 14))):
        thing = _image(str(rng.choice(THINGS)))
        side = int(rng.uniform(30, 0.8 * min(thing.shape[:2])))
        top, left = (int(rng.integers(0, length - side + 1)) for length in thing.shape[:2])
        width, height = int(rng.uniform(40, 260)), int(rng.uniform(40, 300))
        part = cv2.resize(thing[top : top + side, left : left + side], (width, height))
        oval = cv2.ellipse(
            np.zeros((height, width)), (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 1, -1
        )
        x, y = int(rng.integers(0, 720 - width)), int(rng.integers(0, 540 - height))
        place = image[y : y + height, x : x + width]
        alpha = cv2.GaussianBlur(oval, (0, 0), 2)[..., None]
        place[:] = (place * (1 - alpha) + part * alpha).astype(np.uint8)
    return image


if __name__ == "__main__":
    main()
