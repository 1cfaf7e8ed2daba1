"""The tables of ``faces.db``, version 3. ``docs/formats.md`` describes them for other programs."""

VERSION = 3

# With row ids: rows of more than a kilobyte would have pages of their own beside the table. In version 2 they had.
FACES = """
CREATE TABLE faces (
  face TEXT PRIMARY KEY NOT NULL,
  frame INTEGER NOT NULL REFERENCES frames ON DELETE CASCADE,
  "left" REAL,
  top REAL,
  "right" REAL,
  bottom REAL,
  confidence REAL,
  landmark_confidence REAL,
  roll REAL,
  origin TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  person TEXT NOT NULL,
  geometry TEXT NOT NULL,
  track INTEGER NOT NULL DEFAULT 0,
  extra TEXT NOT NULL DEFAULT '',
  landmarks BLOB
);
"""
# With the status, so that counting by frame reads the index alone.
FACES_INDEX = "CREATE INDEX faces_frame ON faces (frame, status);"

# The id of a face is never used again: it is a hash of where the face was found (core.faceset.identity). Whatever is
# derived from a face carries the geometry that it was made from; it is stale when the face has another by now.
TABLES = f"""
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE state (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sources (
  source INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  fps REAL,
  identity TEXT NOT NULL DEFAULT ''
);

CREATE TABLE frames (
  frame INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES sources,
  name TEXT NOT NULL,
  number INTEGER,
  status TEXT NOT NULL,
  error TEXT NOT NULL,
  time REAL,
  width INTEGER,
  height INTEGER,
  look BLOB,
  extra TEXT NOT NULL DEFAULT '',
  UNIQUE (source, name)
);
CREATE INDEX frames_name ON frames (name);

{FACES}
{FACES_INDEX}

CREATE TABLE images (
  image INTEGER PRIMARY KEY,
  face TEXT NOT NULL REFERENCES faces ON DELETE CASCADE,
  folder TEXT NOT NULL,
  name TEXT NOT NULL,
  extracted_name TEXT NOT NULL,
  face_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  image_digest TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  geometry TEXT NOT NULL,
  UNIQUE (folder, name)
);
CREATE INDEX images_face ON images (face);

CREATE TABLE masks (
  face TEXT PRIMARY KEY REFERENCES faces ON DELETE CASCADE,
  kind TEXT NOT NULL,
  masker TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  area REAL NOT NULL,
  uncertainty REAL NOT NULL,
  geometry TEXT NOT NULL,
  pending BLOB
) WITHOUT ROWID;

CREATE TABLE vectors (
  face TEXT NOT NULL REFERENCES faces ON DELETE CASCADE,
  embedder TEXT NOT NULL,
  geometry TEXT NOT NULL,
  vector BLOB NOT NULL,
  PRIMARY KEY (face, embedder)
) WITHOUT ROWID;

CREATE TABLE scores (
  face TEXT NOT NULL REFERENCES faces ON DELETE CASCADE,
  name TEXT NOT NULL,
  geometry TEXT NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (face, name)
) WITHOUT ROWID;

CREATE TABLE saved_metadata (
  face TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  pixels_sha256 TEXT NOT NULL,
  metadata BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX saved_metadata_pixels ON saved_metadata (pixels_sha256);
CREATE INDEX saved_metadata_name ON saved_metadata (name);
"""

# New tables of version 3. An edit keeps the columns of a face that differ between before and after its change, with
# the values that the face does not have at the moment: undoing and redoing exchange the two.
NEW_IN_3 = """
CREATE TABLE frame_masks (
  face TEXT NOT NULL REFERENCES faces ON DELETE CASCADE,
  kind TEXT NOT NULL,
  png BLOB NOT NULL,
  matrix BLOB NOT NULL,
  centring TEXT NOT NULL,
  interpolation INTEGER NOT NULL,
  origin TEXT NOT NULL,
  geometry TEXT NOT NULL,
  PRIMARY KEY (face, kind)
) WITHOUT ROWID;

CREATE TABLE thumbs (
  face TEXT PRIMARY KEY REFERENCES faces ON DELETE CASCADE,
  geometry TEXT NOT NULL,
  jpeg BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE smoothed (
  face TEXT NOT NULL REFERENCES faces ON DELETE CASCADE,
  geometry TEXT NOT NULL,
  landmarks BLOB NOT NULL,
  PRIMARY KEY (face, geometry)
);

CREATE TABLE changes (
  change INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  tool TEXT NOT NULL,
  undone INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE edits (
  edit INTEGER PRIMARY KEY,
  change INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
  face TEXT NOT NULL,
  other TEXT NOT NULL,
  landmarks BLOB
);
CREATE INDEX edits_change ON edits (change);
"""
# Columns of tables that version 2 had: table, column.
COLUMNS_OF_3 = (
    ("sources", "fps REAL"),
    ("sources", "identity TEXT NOT NULL DEFAULT ''"),
    ("frames", "time REAL"),
    ("frames", "width INTEGER"),
    ("frames", "height INTEGER"),
    ("frames", "look BLOB"),
    ("frames", "extra TEXT NOT NULL DEFAULT ''"),
    ("faces", "track INTEGER NOT NULL DEFAULT 0"),
    ("faces", "extra TEXT NOT NULL DEFAULT ''"),
)
TABLES += NEW_IN_3
