"""The requests of a page of the workbench, without a browser and without a socket."""

import json
import uuid

import numpy as np
from starlette.testclient import TestClient

from core.faceset.database import measured
from core.faceset.database.connection import open_database
from core.faceset.scores.persons import EMBEDDER
from core.workbench.app import new_keys, workbench_app

KEYS = new_keys(8600)
HOME = "http://127.0.0.1:8600"
OURS = {"origin": HOME}


class Page:
    """A page that has entered, as far as requests go."""

    def __init__(self, bench):
        self.bench = bench
        self.client = TestClient(workbench_app(bench, KEYS), base_url=HOME, headers=OURS)
        assert self.client.post("/enter", content=KEYS.token).status_code == 200

    def get(self, path):
        return self.client.get(f"/api/v1/{path}")

    def json(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body=None):
        return self.client.post(f"/api/v1/{path}", json=body or {})

    def view(self, side, query=""):
        answer = self.get(f"{side}/view?{query}")
        assert answer.status_code == 200, answer.text
        data = answer.content
        length = int.from_bytes(data[:4], "little")
        assert (4 + length) % 8 == 0
        head, start = json.loads(data[4 : 4 + length]), 4 + length
        count = head["count"]
        ids = [f"{number:016x}" for number in np.frombuffer(data, "<u8", count, start)]
        columns = np.frombuffer(data, "<f4", offset=start + 8 * count).reshape(len(head["columns"]), count)
        return head, ids, dict(zip(head["columns"], columns, strict=True))

    def edit(self, side, *operations, **more):
        return self.post(f"{side}/edits", {"id": str(uuid.uuid4()), "operations": list(operations), **more})


def with_vectors(side, without: int = 0) -> list[str]:
    """Two persons by turns, in the order of ids; the last few have no vector."""
    with open_database(side.database) as connection, connection:
        ids = sorted(row[0] for row in connection.execute("SELECT face FROM faces"))
        known = ids[: len(ids) - without]
        rows = np.tile(np.eye(2, 128, dtype=np.float32), (len(ids), 1)) + 0.01
        measured.note_vectors(connection, EMBEDDER, dict(zip(known, rows, strict=False)))
    return ids
