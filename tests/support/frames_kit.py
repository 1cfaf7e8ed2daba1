"""What tests of the Frames screen need: a workspace with planted faults, and its routes without a browser."""

import json
import shutil

import numpy as np
from portraits import person
from workbench_kit import NO_FACE, TWO_FACES, small_workspace
from workbench_page import Page

from core import stages
from core.faceset.database import faces
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.workbench.bench import Bench

# Beside those of the kit: a frame whose points are nowhere near the face.
MISALIGNED = 3
PLANTED = {"none": NO_FACE, "several": TWO_FACES, "misaligned": MISALIGNED}
# Of all frames of the target side, which are one picture.
HEIGHT, WIDTH = person(1)[0].shape[:2]
POINTS = person(1)[1]
BOX = [150.0, 110.0, 370.0, 345.0]


def planted_workspace(root):
    """A copy of the small workspace with one track, the sizes of the frames and a misaligned face."""
    workspace = small_workspace(root, trained=False)
    side = workspace.side("dst")
    with open_database(side.database) as connection:
        with connection:
            connection.execute("UPDATE frames SET width = ?, height = ?", (WIDTH, HEIGHT))
            connection.execute("UPDATE faces SET confidence = 0.9, landmark_confidence = 0.95, roll = 0")
            connection.execute("UPDATE faces SET track = 1")
            _tell_apart(connection)
        face = faces.of_frames(connection, [f"{MISALIGNED:05d}.png"])[f"{MISALIGNED:05d}.png"][0]
        with changing(connection, "plant") as change:
            points = face.landmarks.copy()
            points[27:48] += np.random.default_rng(1).uniform(-90, 90, (21, 2))
            change.update(face, landmarks=points)
    return workspace


def _tell_apart(connection):
    """The second face of the frame with two has a box and a track of its own."""
    left = min(faces.of_frames(connection, [f"{TWO_FACES:05d}.png"])[f"{TWO_FACES:05d}.png"], key=middle)
    query = 'UPDATE faces SET track = 2, "left" = "left" - 120, "right" = "right" - 120 WHERE face = ?'
    connection.execute(query, (left.id,))


def middle(face):
    """How far to the right a face is."""
    return float(np.mean(face.landmarks[:, 0]))


def copied(workspace, root):
    """The same once more, for a test that changes it."""
    shutil.copytree(workspace.root, root)
    return type(workspace)(root)


class Client(Page):
    """A page that has entered, for the frames of a workspace."""

    def __init__(self, workspace):
        super().__init__(Bench(workspace, stages, 0))

    def frame(self, number, side="dst"):
        """The faces of a frame; number: from 1, as in its name."""
        return self.json(f"{side}/placed?from={number - 1}")["frames"][0]["faces"]

    def edit(self, *operations, side="dst", **more):
        return super().edit(side, *operations, **more)

    def lanes(self, query="", side="dst"):
        """(head, name of a column -> its values)."""
        data = self.get(f"{side}/lanes?{query}").content
        length = int.from_bytes(data[:4], "little")
        head = json.loads(data[4 : 4 + length])
        columns = np.frombuffer(data, "<f4", offset=4 + length).reshape(4, -1)
        return head, dict(zip(("faces", "lowest", "who", "flags"), columns, strict=True))

    def flagged(self, name, query=""):
        """Numbers, from 1, of the frames with a flag."""
        head, columns = self.lanes(query)
        bit = 1 << head["flags"].index(name)
        return [int(frame) + 1 for frame in np.flatnonzero(columns["flags"].astype(int) & bit)]

    def places(self, side="dst"):
        """All kept faces of a side: id -> what the database says of where it is."""
        with open_database(self.bench.sides[side].side.database) as connection:
            return {
                face.id: (face.frame, face.person, face.box.tobytes(), np.asarray(face.landmarks).tobytes())
                for face in faces.faces(connection)
            }
