"""Small alignments for tests, and the comparison of two of them."""

import pickle
import zlib

import numpy as np

from core.formats.faceswap.document import FsaDocument, FsaFace, FsaFrame, make_mask

ERAS = ("newest/frames", "v3_0", "guide2023", "hand")
MATRIX = [[0.5, -0.1, 3.0], [0.1, 0.5, -4.0]]
_FACE_PARTS = ("box", "thumb", "extra")


def face(seed: int = 0, points: int = 68, **parts) -> FsaFace:
    rng = np.random.default_rng(seed)
    mask = make_mask(rng.integers(0, 256, (8, 8), np.uint8), MATRIX, "head")
    usual = {"masks": {"xseg_face": mask}, "identities": {"vggface2": rng.normal(size=4).astype(np.float32)}}
    landmarks = rng.uniform(-20, 300, (points, 2)).astype(np.float32)
    return FsaFace((seed - 3, 5, 60, 70), landmarks, **{"thumb": bytes(range(256)), **usual, **parts})


def document(*faces: FsaFace) -> FsaDocument:
    frames = FsaFrame("a.png", faces or (face(0), face(1))), FsaFrame("leer ü.png")
    return FsaDocument((*frames, FsaFrame("c.png", (face(2),), {"pts_time": 40, "keyframe": True})))


def described(found: FsaDocument) -> dict:
    """All that is in a document, as values that can be compared."""
    return {frame.key: (frame.video_meta, frame.extra, [_face(f) for f in frame.faces]) for frame in found.frames}


def _face(face: FsaFace) -> dict:
    masks = {
        name: (m.stored_size, m.centering, m.frame_to_mask.tolist(), m.interpolator, m.pixels().tobytes(), m.extra)
        for name, m in face.masks.items()
    }
    identities = {name: vector.tolist() for name, vector in face.identities.items()}
    parts = {name: getattr(face, name) for name in _FACE_PARTS}
    return parts | {"landmarks": face.landmarks.tolist(), "masks": masks, "identities": identities}


def packed(value, protocol: int = 4) -> bytes:
    """An ``.fsa`` of any value, as faceswap writes it."""
    return zlib.compress(pickle.dumps(value, protocol))


def plain(version: float | None = 2.4, **changes) -> dict:
    """The value of a file with one face, as the newest version has it; without a version only the frames."""
    made = {
        "x": 1,
        "y": 2,
        "w": 30,
        "h": 40,
        "landmarks_xy": [[float(i), i / 2] for i in range(68)],
        "mask": {},
        "identity": {},
        "thumb": None,
    }
    data = {"a.png": {"faces": [made | changes], "video_meta": {}}}
    return data if version is None else {"__meta__": {"version": version}, "__data__": data}
