"""What leaving the image branch of the target's decoder out of a .dfm gains, what half precision costs, and what 8 bits
gain. Milliseconds are processor time of one thread, the variants in turn; weights are untrained, which take as long.

Prints JSON; keeps it in benchmarks/results/export.json.

    python benchmarks/export.py [ROUNDS=5]
"""

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402

from core.export.dfm import build_dfm, describe  # noqa: E402
from core.export.int8 import FEWEST_FACES, export_int8  # noqa: E402
from core.networks import archs  # noqa: E402
from core.networks.config import ModelConfig  # noqa: E402
from core.networks.weights import initial_weights  # noqa: E402

MODELS = (
    ModelConfig(128, "f", "liae-ud", 256, 64, 64, 22),
    ModelConfig(224, "wf", "liae-udt", 512, 64, 64, 32),
    ModelConfig(128, "f", "df-ud", 256, 64, 64, 22),
    ModelConfig(128, "wf", "df-ud", 128, 48, 48, 16),  # the one of live.py
)
WHOLE, INT8 = "mask branch only", "mask branch only, 8 bits"
VARIANTS = {
    WHOLE: {},
    "whole decoder twice": {"mask_only": False},
    "mask branch only, half": {"half": True},
}


def measure(config: ModelConfig, rounds: int) -> dict:
    """Milliseconds for one face, the variants interleaved; size of the file; seconds to build it."""
    weights = {name: initial_weights(name, network, 0) for name, network in archs.networks(config).items()}
    face = np.random.default_rng(0).random((1, config.resolution, config.resolution, 3), np.float32)
    sessions, rows = {}, {}
    for name, how in VARIANTS.items():
        start = time.perf_counter()
        data = build_dfm(weights, config, describe(config, {}), **how)
        rows[name] = {"build_seconds": round(time.perf_counter() - start, 2), "file_mib": round(len(data) / 2**20, 1)}
        sessions[name] = opened(data)
    start = time.perf_counter()
    data = in_8_bits(build_dfm(weights, config, describe(config, {})), config)
    rows[INT8] = {"build_seconds": round(time.perf_counter() - start, 2), "file_mib": round(len(data) / 2**20, 1)}
    sessions[INT8] = opened(data)
    del data
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(rounds + 1):
        for name, session in sessions.items():
            start = time.process_time()
            session.run(None, {"in_face:0": face})
            times[name].append(1000 * (time.process_time() - start))
    for name, values in times.items():
        rows[name]["ms_per_face"] = round(min(values[1:]), 1)  # the least disturbed run
    saved = 1 - rows[WHOLE]["ms_per_face"] / rows["whole decoder twice"]["ms_per_face"]
    title = (
        f"{config.archi} {config.resolution} px {config.ae_dims}/{config.e_dims}/{config.d_dims}/{config.d_mask_dims}"
    )
    return {"model": title, "saved": round(saved, 3), **rows}


def opened(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def in_8_bits(data: bytes, config: ModelConfig) -> bytes:
    size = config.resolution
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    waves = np.sin(ramp[:, None] * 5 + ramp * 3 + np.arange(FEWEST_FACES, dtype=np.float32)[:, None, None])
    faces = np.repeat(0.5 + 0.5 * waves[..., None], 3, axis=3)
    with tempfile.TemporaryDirectory() as folder:
        exported, small = Path(folder) / "float.dfm", Path(folder) / "int8.dfm"
        exported.write_bytes(data)
        export_int8(exported, small, config, faces)
        return small.read_bytes()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "onnxruntime": onnxruntime.__version__,
    }
    models = [measure(config, rounds) for config in MODELS]
    last = {"before": models[-1][WHOLE], "after": models[-1][INT8]}
    result = {"machine": machine, "models": models} | last
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks/results/export.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
