"""What the original program demands of a face file and a packed faceset, written down independently of the code under
test.

Every deviation is an AssertionError. The metadata is read by the standard unpickler with numpy 1 names only.
"""

import io
import pickle
import pickletools
import struct

import numpy as np

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
ENUMS = {("samplelib.Sample", "SampleType"), ("facelib.FaceType", "FaceType")}
FACE_TYPES = {
    "half_face": 0,
    "midfull_face": 1,
    "full_face": 2,
    "full_face_no_align": 3,
    "whole_face": 4,
    "head": 10,
    "head_no_align": 20,
    "mark_only": 100,
}


class Enum:
    def __init__(self, value):
        assert type(value) is int
        self.value = value


class Strict(pickle.Unpickler):
    def __init__(self, data: bytes, enums: bool):
        super().__init__(io.BytesIO(data))
        self.allowed = ALLOWED | (ENUMS if enums else set())

    def find_class(self, module, name):
        assert (module, name) in self.allowed, f"{module}.{name}"
        return Enum if (module, name) in ENUMS else super().find_class(module, name)


def unpickle(data: bytes, enums: bool = False):
    end = 0
    for opcode, argument, position in pickletools.genops(data):
        assert opcode.proto <= 4, opcode.name
        if opcode.name == "PROTO":
            assert argument in (2, 3, 4)
        end = position
    assert end == len(data) - 1, "bytes after the end of the pickle"
    return Strict(data, enums).load()


def face_segments(data: bytes) -> list[tuple[int, bytes]]:
    """(marker, payload) of a face JPEG, read as the original reads it: no fill bytes, no empty payloads, no DRI,
    nothing after EOI.
    """
    assert data[:2] == b"\xff\xd8"
    position, found = 2, []
    while True:
        assert data[position] == 0xFF, f"no marker at {position}"
        marker = data[position + 1]
        assert marker != 0xDD, "a restart interval"
        assert not 0xD0 <= marker <= 0xD8 and marker not in (0xFF, 0), "a marker that stands alone"
        size = struct.unpack_from(">H", data, position + 2)[0]
        assert size > 2, "an empty segment"
        body = data[position + 4 : position + 2 + size]
        assert len(body) == size - 2
        found.append((marker, body))
        position += 2 + size
        if marker == 0xDA:
            break
    end = data.find(b"\xff\xd9", position)
    assert end >= 0, "no end of image"
    assert end + 2 == len(data), "bytes after the end of the image"
    return found


def check_face_file(data: bytes, name: str) -> dict:
    """The metadata of a face file that obeys every rule."""
    assert name.endswith(".jpg")
    found = face_segments(data)
    markers = [marker for marker, _ in found]
    assert markers.count(0xEF) == 1
    assert all(body.startswith(b"JFIF") for marker, body in found if marker == 0xE0)
    assert 0xC0 in markers or 0xC2 in markers
    at = markers.index(0xEF)
    assert not any(0xE0 <= marker <= 0xEE for marker in markers[at + 1 :])
    assert all(0xE0 <= marker <= 0xEE for marker in markers[:at]), "APP15 follows the other APPn at once"
    payload = found[at][1]
    assert len(payload) <= 65533
    meta = unpickle(payload)
    check_meta(meta)
    return meta


def check_meta(meta: dict) -> None:
    assert type(meta) is dict
    assert all(value is not None for value in meta.values())
    assert meta["face_type"] in FACE_TYPES
    for key in ("landmarks", "source_landmarks"):
        if key in meta:
            assert len(meta[key]) == 68 and all(
                len(point) == 2 and all(type(x) is float for x in point) for point in meta[key]
            )
    if "source_rect" in meta:
        assert (
            isinstance(meta["source_rect"], np.ndarray)
            and meta["source_rect"].shape == (4,)
            and meta["source_rect"].dtype.kind == "i"
        )
    if "image_to_face_mat" in meta:
        assert np.asarray(meta["image_to_face_mat"]).shape == (2, 3)
    if "xseg_mask" in meta:
        assert isinstance(meta["xseg_mask"], np.ndarray) and meta["xseg_mask"].dtype == np.uint8
    if "seg_ie_polys" in meta:
        check_polys(meta["seg_ie_polys"])
        assert meta["seg_ie_polys"]["polys"], "an empty set is no key"


def check_polys(polys: dict) -> None:
    assert set(polys) == {"polys"}
    for poly in polys["polys"]:
        assert set(poly) == {"type", "pts"} and poly["type"] in (0, 1) and type(poly["type"]) is int
        assert np.asarray(poly["pts"]).dtype == np.float32 and np.asarray(poly["pts"]).shape[1] == 2


KEYS = [
    "sample_type",
    "filename",
    "face_type",
    "shape",
    "landmarks",
    "seg_ie_polys",
    "xseg_mask",
    "xseg_mask_compressed",
    "eyebrows_expand_mod",
    "source_filename",
    "person_name",
]


def check_pak(data: bytes) -> list[tuple[dict, bytes]]:
    """(config, face file) of each face of a pak that obeys every rule, the absolute last offset among them."""
    version, length = struct.unpack_from("<QQ", data)
    assert version == 1
    configs = unpickle(data[16 : 16 + length], enums=True)
    assert type(configs) is list
    table = np.frombuffer(data, "<u8", len(configs) + 1, 16 + length)
    start = 16 + length + table.nbytes
    assert table[0] == 0
    assert table[-1] == len(data)
    ends = [*(int(n) + start for n in table[1:-1]), len(data)]
    found = []
    for config, begin, end in zip(configs, table[:-1], ends, strict=True):
        check_config(config)
        found.append((config, data[int(begin) + start : end]))
    return found


def check_config(config: dict) -> None:
    assert list(config) == KEYS
    assert type(config["sample_type"]) is Enum and config["sample_type"].value == 1
    assert type(config["face_type"]) is Enum and config["face_type"].value in FACE_TYPES.values()
    assert "/" not in config["filename"]
    assert type(config["shape"]) is tuple and len(config["shape"]) == 3 and config["shape"][2] == 3
    assert type(config["landmarks"]) is list and len(config["landmarks"]) == 68
    check_polys(config["seg_ie_polys"])
    assert config["xseg_mask"] is None
    assert config["xseg_mask_compressed"] is None or config["xseg_mask_compressed"].dtype == np.uint8
    assert type(config["eyebrows_expand_mod"]) is float
    assert config["person_name"] is None or type(config["person_name"]) is str
