#!/bin/sh
# Exact search beside faiss, usearch, hnswlib and numpy in one run: builds our side, installs the peers, measures,
# writes MATCHING.md.   benches/compare/matching.sh [--rows N …] [--faces TEMPLATES.npy] [--rounds N]
# `faceprint embed --out TEMPLATES.npy …` makes templates. About 12 GB of memory for 1,000,000 rows.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
if [ ! -f "$here/.venv/matching" ]; then
    python3 -m venv "$here/.venv"
    # hnswlib has no wheels: it needs a C++ compiler.
    "$here/.venv/bin/pip" install --quiet --only-binary faiss-cpu,numpy,usearch --requirement "$here/matching.txt"
    touch "$here/.venv/matching"
fi
cargo build --quiet --release --manifest-path "$root/Cargo.toml" --package faceprint-benches --bin matching
target=${CARGO_TARGET_DIR:-$root/target}
exec "$here/.venv/bin/python" "$here/matching.py" --program "$target/release/matching" "$@"
