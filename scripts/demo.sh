#!/usr/bin/env bash
# The built-in demo: sets everything up, makes two clips of fictional faces, runs steps 1 to 6, shows the swap.
# DEMO_WORKSPACE chooses its folder (default: workspace/demo), DEMO_ITERATIONS how long it trains.
set -euo pipefail
case "${1:-}" in
  "") ;;
  -h | --help) sed -n '2,3s/^# //p' "$0" && exit 0 ;;
  *) echo "error: demo.sh takes no arguments: $*" >&2 && exit 2 ;;
esac
scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
export WORKSPACE="${DEMO_WORKSPACE:-$scripts/../workspace/demo}"
# shellcheck source=env.sh
. "$scripts/../env.sh"

step() {
  printf '\n== %s\n' "$*"
  bash "$scripts/$1" "${@:2}"
}

printf '== demo clips\n'
"$FORGE_PYTHON" -P -m core demo-media
step 1_extract_src_video.sh
step 2_extract_dst_video.sh
step 3_extract_src_faces.sh --image-size 256
step 4_extract_dst_faces.sh --image-size 256
step 3.1_sort_src.sh --by hist
step 4.1_sort_dst.sh --by hist
step 3.2_apply_xseg_src.sh
step 4.2_apply_xseg_dst.sh
step 3.3_pack_src.sh
step 4.3_pack_dst.sh
precision=()
# A quarter faster where the processor can.
if grep -qm1 avx512_bf16 /proc/cpuinfo 2>/dev/null; then precision=(--precision bfloat16); fi
step 5_train.sh "${DEMO_ITERATIONS:-1600}" --model demo --preset quick "${precision[@]}"
printf '\n== what it learned\n'
"$FORGE_PYTHON" -P -m core sheet
"$FORGE_PYTHON" -P -m core quality
step 6_merge.sh
step 6.x_compare.sh
