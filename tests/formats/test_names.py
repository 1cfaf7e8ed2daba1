"""Names that archives give: cleaned, and unique however many are the same."""

import time

from core.formats.names import UniqueNames, safe_component, safe_image_name


def test_one_component_whatever_is_given():
    assert safe_component("../../etc/passwd", "x") == "passwd"
    assert safe_component("..\\..\\autoexec.bat", "x") == "autoexec.bat"
    assert safe_component("..", "x") == "x"
    assert safe_component(".hidden", "x") == "hidden"
    assert safe_component("a\0b\x1b[31m", "x") == "a_b_[31m"
    assert safe_component(7, "x") == "x"
    assert len(safe_component("é" * 500 + ".jpg", "x").encode()) <= 200
    assert safe_image_name("frame.exe", "x") == "frame.exe.jpg"


def test_each_name_is_given_once():
    names = UniqueNames()
    assert [names.take("a.jpg") for _ in range(3)] == ["a.jpg", "a~2.jpg", "a~3.jpg"]
    assert names.take("A.jpg") == "A~4.jpg"
    assert names.take("a~2.jpg") == "a~2~2.jpg"
    assert names.take("a.jpg", "ann") == "a.jpg"


def test_very_many_of_one_name_take_no_time():
    names = UniqueNames()
    started = time.process_time()
    assert len({names.take("a.jpg") for _ in range(100_000)}) == 100_000
    assert time.process_time() - started < 5
