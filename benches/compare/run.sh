#!/bin/sh
# Everything in one run: builds our side, installs the peers, measures, writes RESULT.md.
#   benches/compare/run.sh [--rounds N] [--pictures N] [--recall N] [--best] …
# Needs python3 with venv, taskset, the shared test data (FACEPRINT_SHARED or ../shared), and the ONNX
# Runtime that the Python package brings (or the one in ORT_DYLIB_PATH, which must be the same version).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
FACEPRINT_SHARED=${FACEPRINT_SHARED:-$root/../shared}
if [ ! -f "$here/.venv/ready" ]; then
    python3 -m venv "$here/.venv"
    "$here/.venv/bin/pip" install --quiet --only-binary :all: --requirement "$here/requirements.txt"
    touch "$here/.venv/ready"
fi
if [ -z "${ORT_DYLIB_PATH:-}" ]; then
    ORT_DYLIB_PATH=$(echo "$here"/.venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*)
fi
export FACEPRINT_SHARED ORT_DYLIB_PATH OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
cargo build --quiet --release --manifest-path "$root/Cargo.toml" --package faceprint-benches --bin stages
target=${CARGO_TARGET_DIR:-$root/target}
exec "$here/.venv/bin/python" "$here/compare.py" --shared "$FACEPRINT_SHARED" \
    --stages "$target/release/stages" --out "$here/RESULT.md" "$@"
