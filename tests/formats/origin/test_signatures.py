"""Signed films and pictures: whole, changed, by whom; and what is said where the package is missing."""

import os
import stat
import sys

import numpy as np
import pytest
from films import make_film
from tiny_dfm import write_dfm

from core.errors import CorruptFileError, EnvironmentFault, InputError, UsageError
from core.formats.origin import signature
from core.formats.origin.reading import read_label
from core.formats.origin.signing_key import KEY, ROOT, find_key, make_key
from core.formats.provenance import DIGITAL_SOURCE_TYPE, write_synthetic_image
from core.jobs.provenance import open_seal
from core.stages import provenance
from core.video.film.edit import side_by_side
from core.workspace import Workspace

needs_c2pa = pytest.mark.skipif(not signature.is_installed(), reason="c2pa-python is not installed")


@pytest.fixture
def keys(tmp_path, monkeypatch):
    folder = tmp_path / "keys"
    monkeypatch.setenv("FORGE_KEYS", str(folder))
    return folder


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "film.mp4", sounds=[("aac", "stereo")])


def run(tmp_path, *files, **options):
    return provenance.run(provenance.Options(files=list(files), **options), Workspace(tmp_path))


@needs_c2pa
def test_the_key_is_for_its_owner_alone_and_never_replaced(keys, tmp_path):
    run(tmp_path, make_key="Ann")
    assert stat.S_IMODE((keys / KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert (keys / ROOT).read_bytes() == find_key(keys).root
    assert b"PRIVATE" not in (keys / ROOT).read_bytes()
    before = (keys / KEY).read_bytes()
    with pytest.raises(InputError, match="already"):
        run(tmp_path, make_key="Bob")
    assert (keys / KEY).read_bytes() == before and len(list(keys.iterdir())) == 2


@needs_c2pa
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_film_is_signed_with_its_parent_and_model_and_a_changed_byte_is_seen(keys, film, tmp_path, suffix):
    run(tmp_path, make_key="Ann")
    model = write_dfm(tmp_path / "m.dfm", metadata={"iteration": "7", "consent_sha256": "ab" * 32})
    target = tmp_path / f"pair{suffix}"
    side_by_side(film, film, target, seal=open_seal(target, film, model).sign)
    found = signature.read_signature(target, find_key(keys).root)
    assert (found.valid, found.known, found.signer) == (True, True, "Ann, self-made")
    assert found.source_type == DIGITAL_SOURCE_TYPE
    assert read_label(target) is not None, "the XMP packet is there as well"
    stranger = signature.read_signature(target)
    assert stranger.valid and not stranger.known
    manifest = _manifest(target)
    assert [action["action"] for action in _assertion(manifest, "c2pa.actions")["actions"]] == [
        "c2pa.opened",
        "c2pa.edited",
    ]
    details = _assertion(manifest, "org.dfm-forge.swap")
    assert details["iteration"] == "7" and len(details["model_sha256"]) == 64 and details["consent_sha256"]
    assert manifest["ingredients"][0]["title"] == "film.mp4"
    assert str(tmp_path).encode() not in target.read_bytes()
    data = bytearray(target.read_bytes())
    data[data.index(b"mdat") + 40] ^= 1
    target.write_bytes(data)
    found = signature.read_signature(target, find_key(keys).root)
    assert not found.valid and "assertion.bmffHash.mismatch" in found.problems


def _manifest(path):
    import c2pa

    with open(path, "rb") as file, c2pa.Reader(signature.KINDS[path.suffix], file) as reader:
        return reader.get_active_manifest()


def _assertion(manifest, label):
    return next(each["data"] for each in manifest["assertions"] if each["label"].startswith(label))


@needs_c2pa
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_pictures_of_ours_are_signed_on_demand_and_others_are_not(keys, tmp_path, suffix):
    picture, other = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    write_synthetic_image(picture, np.zeros((16, 16, 3), np.uint8))
    write_synthetic_image(other, np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(InputError, match="no signing key"):
        run(tmp_path, picture, sign=True)
    run(tmp_path, make_key="Ann")
    run(tmp_path, picture, sign=True)
    report = run(tmp_path, picture, other, verify=True)
    assert report.title.startswith("1 of 2")
    assert report.rows[0][1].startswith("valid, by Ann") and report.rows[1][1] == "not signed"
    assert _assertion(_manifest(picture), "c2pa.actions")["actions"][0]["action"] == "c2pa.created"
    foreign = tmp_path / "foreign.mp4"
    make_film(foreign)
    with pytest.raises(InputError, match="only what this program has made"):
        run(tmp_path, foreign, sign=True)


@needs_c2pa
def test_verifying_a_changed_file_fails_and_names_every_file(keys, film, tmp_path):
    run(tmp_path, make_key="Ann")
    whole, changed = tmp_path / "whole.mp4", tmp_path / "changed.mp4"
    for target in (whole, changed):
        side_by_side(film, film, target, seal=open_seal(target).sign)
    changed.write_bytes(changed.read_bytes().replace(b"synthetic media made", b"authentic media made"))
    with pytest.raises(CorruptFileError, match="changed since") as error:
        run(tmp_path, whole, changed, verify=True)
    assert error.value.where == "changed.mp4" and "whole.mp4: valid" in error.value.why


@needs_c2pa
@pytest.mark.parametrize("cut", [0, 20, 3000])
def test_a_damaged_film_is_no_crash(keys, film, tmp_path, cut):
    run(tmp_path, make_key="Ann")
    target = tmp_path / "a.mp4"
    side_by_side(film, film, target, seal=open_seal(target).sign)
    target.write_bytes(target.read_bytes()[:cut])
    found = signature.read_signature(target)
    assert found is None or not found.valid


def test_without_a_key_nothing_is_signed_and_nothing_said(keys, film, tmp_path):
    seal = open_seal(tmp_path / "a.mp4")
    assert (seal.sign, seal.why_not) == (None, "")
    side_by_side(film, film, tmp_path / "a.mp4", seal=seal.sign)
    assert b"c2pa" not in (tmp_path / "a.mp4").read_bytes()


@needs_c2pa
def test_what_cannot_be_signed_is_said(keys, film, tmp_path):
    make_key(keys, "Ann")
    assert "no place in .mkv" in open_seal(tmp_path / "a.mkv").why_not
    assert open_seal(tmp_path / "a.mp4").why_not == ""


def test_without_the_package_it_is_said(keys, film, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(EnvironmentFault, match="requirements-c2pa.txt"):
        run(tmp_path, film, verify=True)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(EnvironmentFault, match="requirements-c2pa.txt"):
        run(tmp_path, make_key="Ann")
    keys.mkdir(exist_ok=True)
    (keys / KEY).write_bytes(b"-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----")
    monkeypatch.setattr(signature, "is_installed", lambda: False)
    assert "requirements-c2pa.txt" in open_seal(tmp_path / "a.mp4").why_not


def test_a_damaged_key_is_known_before_a_film_is_made(keys, tmp_path):
    keys.mkdir()
    (keys / KEY).write_bytes(b"-----BEGIN PRIVATE KEY-----")
    with pytest.raises(CorruptFileError, match="damaged signing key"):
        open_seal(tmp_path / "a.mp4")


@pytest.mark.parametrize("options", [{}, {"make_key": "Ann", "verify": True}, {"sign": True}])
def test_an_unclear_wish_is_refused(tmp_path, options):
    with pytest.raises(UsageError):
        run(tmp_path, **options)
    assert os.environ["FORGE_KEYS"] == os.devnull
