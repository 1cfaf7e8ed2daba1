"""The workbench as a process of its own, which a test may kill."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx2
from paths import ROOT


class Server:
    """The stage, started as the script does."""

    def __init__(self, workspace, *arguments):
        environment = os.environ | {"WORKSPACE": str(workspace.root), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-P", "-m", "core", "workbench", "--reserve", "0", *arguments]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self.said = ""
        while "open this link" not in self.said:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line
        self.link = re.search(r"http://127\.0\.0\.1:(\d+)/enter#(\S+)", self.said)
        self.home = f"http://127.0.0.1:{self.link[1]}"

    @contextmanager
    def entered(self, **more):
        """A client with the cookie. The link is printed a moment before the server listens."""
        transport = httpx2.HTTPTransport(retries=6, **more)
        with httpx2.Client(
            base_url=self.home, headers={"origin": self.home}, timeout=30, transport=transport
        ) as client:
            assert client.post("/enter", content=self.link[2]).status_code == 200
            yield client

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode
