"""Text from files reaches the terminal as text, and output never decides about success."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

from core.console import VisibleFormatter, say, size_text, visible
from core.errors import InputError
from core.types import StageReport


@pytest.mark.parametrize(
    "text", ["plain text, 100 %", "Gesicht_ä.png", "顔/00001.jpg", "two\nlines\tand a tab", "naïve — ‘quoted’"]
)
def test_text_stays_as_it_is(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("back\x08space", "back\\x08space"),
        ("line\rover", "line\\rover"),
        ("\x9b31m", "\\x9b31m"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udcff.jpg", "\\udcff.jpg"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text, shown):
    assert visible(text) == shown


def test_the_log_too():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(VisibleFormatter("%(message)s"))
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "skipped: %s", ("a\x1b[31m.jpg",), None))
    assert stream.getvalue() == "skipped: a\\x1b[31m.jpg\n"


def test_a_name_with_a_line_break_does_not_pass_for_our_words():
    name = "a.jpg\nhint: run this\x1b[2J"
    error = InputError("no such file", where=name, why=name, hint="look again")
    assert visible(str(error)).splitlines() == [
        "no such file: a.jpg\\nhint: run this\\x1b[2J",
        "  a.jpg\\nhint: run this\\x1b[2J",
        "hint: look again",
    ]
    report = StageReport(name, (("file", name),), (name,), (Path(name),))
    assert len(str(report).splitlines()) == 4
    record = logging.LogRecord("x", logging.INFO, "", 0, "skipped: %s: %d", (Path(name), 3), None)
    assert VisibleFormatter().format(record) == "skipped: a.jpg\\nhint: run this\\x1b[2J: 3"


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0.0 MB"), (930_926, "0.9 MB"), (57e6, "57 MB"), (1.34e9, "1.3 GB"), (70e9, "70 GB")]
)
def test_sizes_are_written_as_people_do(count, shown):
    assert size_text(count) == shown


class Gone(io.StringIO):
    def write(self, text):
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_is_no_failure():
    say("hello", Gone())
    closed = io.StringIO()
    closed.close()
    say("hello", closed)


def core(*arguments, **environment):
    return [sys.executable, "-P", "-m", "core", *arguments], os.environ | {"PYTHONPATH": str(ROOT)} | environment


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp949", "utf-8"])
def test_every_encoding_of_the_output_will_do(tmp_path, encoding):
    command, environment = core("clear", PYTHONIOENCODING=encoding, PYTHONUTF8="0", WORKSPACE=str(tmp_path / "é 顔"))
    done = subprocess.run(command, env=environment, capture_output=True, cwd=tmp_path)
    assert done.returncode == 0 and b"-> " in done.stdout, done.stderr


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", ">/dev/full", "2>/dev/full", "<&-"])
def test_closed_and_full_streams_do_not_decide(tmp_path, redirection):
    command, environment = core("clear", WORKSPACE=str(tmp_path))
    line = " ".join(f"'{word}'" for word in command)
    assert subprocess.run(["bash", "-c", f"{line} {redirection}"], env=environment, capture_output=True).returncode == 0


def test_an_error_keeps_its_exit_code_without_a_stream(tmp_path):
    command, environment = core("train", "1", WORKSPACE=str(tmp_path))
    line = " ".join(f"'{word}'" for word in command)
    done = subprocess.run(["bash", "-c", f"{line} >&- 2>&-"], env=environment)
    assert done.returncode == 3
