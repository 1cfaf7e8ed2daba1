"""Every reader answers damaged and hostile files with a typed error or a value, in bounds, and touches nothing else.

A short campaign with fixed seeds; ``benchmarks/campaign.py`` is the long one.
"""

import random
import zlib

import pytest
from fuzzing.attempts import attempt
from fuzzing.mutators import mutated
from fuzzing.readers import READERS

# Inputs of each reader: about as many as it answers in a few seconds.
COUNTS = dict.fromkeys(READERS, 150) | {"film": 12, "description": 40, "xseg": 25, "olddb": 40, "scores": 40}


@pytest.mark.parametrize("name", READERS)
def test_sound_files_are_read(name, tmp_path):
    reader = READERS[name]
    assert attempt(reader, reader.sample(), tmp_path / "x").sound


@pytest.mark.parametrize("name", READERS)
def test_no_input_gets_through(name, tmp_path):
    reader, rng = READERS[name], random.Random(zlib.crc32(name.encode()))
    tree = reader.sample()
    bad = []
    for number in range(COUNTS[name]):
        changed = mutated(tree, rng)
        found = attempt(reader, changed, tmp_path / "x")
        if not found.sound:
            bad.append((number, found))
    assert not bad, bad[:5]
