"""Files of scores: texts in them, and what a damaged one may claim."""

import h5py
import numpy as np

from core.faceset.scores import score_files
from core.faceset.scores.measures import COLUMNS, SHAPE

KEYS = [bytes(16), bytes(15) + b"1"]


def saved(folder, *names):
    rows = [COLUMNS[SHAPE] | {"source_filename": name} for name in names]
    score_files.save(folder, SHAPE, KEYS[: len(rows)], rows)
    return next(folder.glob("*.h5"))


def test_texts_come_back_whatever_they_hold(tmp_path):
    names = ["", "frame \udcff ä 顔.png"]
    saved(tmp_path, *names)
    parts = score_files.lookup(tmp_path, SHAPE, KEYS)
    assert score_files.read(parts, SHAPE, "source_filename", 2).tolist() == names


def test_texts_that_could_claim_any_length_are_not_read(tmp_path):
    path = saved(tmp_path, "a.png", "b.png")
    with h5py.File(path, "r+") as file:
        del file["source_filename"]
        file["source_filename"] = np.array(["a.png", "b.png"], h5py.string_dtype())
    assert score_files.lookup(tmp_path, SHAPE, KEYS) == []
