"""The floors of the house: higher ones may import lower ones. docs/architecture.md draws it."""

FLOORS = (
    (
        "errors",
        "console",
        "options",
        "progress",
        "fsio",
        "native_output",
        "own_place",
        "safe_files",
        "safe_paths",
        "workspace",
        "types",
        "parallel",
        "plugins",
    ),
    ("geometry", "imaging", "web"),
    ("networks", "formats", "video"),
    ("faceset",),
    ("faces", "data", "inference", "checkpoints", "merge"),
    ("training", "export", "quality", "demo"),
    ("jobs",),
    ("live", "workbench"),
    ("stages",),
    ("__main__",),
)
