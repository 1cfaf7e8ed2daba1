"""What libraries print behind Python's back: in a file, and on the terminal only where it may tell more."""

import os
import subprocess
import sys

import pytest
from paths import ROOT

from core.__main__ import explain
from core.errors import EnvironmentFault, InputError
from core.native_output import diverted, last_lines

QUIET = """
import sys
from pathlib import Path
from core.native_output import diverted
with diverted(Path(sys.argv[1])):
    pass
"""
CODE = """
import os, sys
from pathlib import Path
from core.native_output import diverted
with diverted(Path(sys.argv[1])):
    os.write(2, b"a library\\n")
    print("ours", file=sys.stderr)
os.write(2, b"after\\n")
"""


def run(path, redirection="", code=CODE):
    line = f'"$@" {redirection}'
    command = ["bash", "-c", line, "bash", sys.executable, "-P", "-c", code, str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_libraries_write_into_the_file_and_python_to_the_terminal(tmp_path):
    done = run(tmp_path / "logs" / "x.log")
    assert (done.returncode, done.stderr) == (0, "ours\nafter\n")
    assert (tmp_path / "logs" / "x.log").read_text() == "a library\n"


def test_an_empty_file_does_not_stay(tmp_path, capfd):
    with diverted(tmp_path / "logs" / "x.log"):
        pass
    assert not list((tmp_path / "logs").glob("*"))


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_a_stream_that_is_gone_is_no_failure(tmp_path, redirection):
    assert run(tmp_path / "x.log", redirection, QUIET).returncode == 0


def test_a_link_or_a_folder_that_cannot_be_made_diverts_nothing(tmp_path):
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "x.log").symlink_to(tmp_path / "mine")
    for path in (tmp_path / "x.log", tmp_path / "mine" / "x.log"):
        assert run(path).stderr == "a library\nours\nafter\n"
    assert (tmp_path / "mine").read_text() == "precious"


def test_the_end_is_shown_where_it_may_tell_more(tmp_path, capsys):
    path = tmp_path / "x.log"
    path.write_text("".join(f"line {number}\n" for number in range(100)))
    assert len(last_lines(path)) == 15 and last_lines(tmp_path / "absent") == []
    explain(EnvironmentFault("no driver"), path)
    shown = capsys.readouterr().err
    assert str(path) in shown and "  line 99\n" in shown and shown.index("line 99") < shown.index("error: no driver")
    explain(ZeroDivisionError(), path)
    assert "line 99" in capsys.readouterr().err
    explain(InputError("no frames"), path)
    assert "line 99" not in capsys.readouterr().err
