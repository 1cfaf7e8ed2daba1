#!/usr/bin/env bash
# Measure a graphics card: bash benchmarks/gpu.sh OUT.json [WHEELS]
# The machine has JAX, PyTorch, numpy, OpenCV, h5py and onnxruntime. WHEELS is a folder with the rest (Keras and the
# small packages of requirements.txt); nothing is fetched, and nothing that is there is replaced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:?usage: bash benchmarks/gpu.sh OUT.json [WHEELS]}
if [ -n "${2:-}" ]; then
  place=$(mktemp -d)
  trap 'rm -rf "$place"' EXIT
  python3 -m pip install --quiet --no-index --no-deps --target "$place" "$2"/*.whl
  # Behind what the machine has: its own packages win.
  export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}:$place"
fi
python3 benchmarks/gpu.py "$out" "${@:3}"
