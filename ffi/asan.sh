#!/bin/sh
# The fuzzer of call sequences with AddressSanitizer around every access to memory, the library's own and C's:
#
#   ffi/asan.sh                      30,000 calls; FACEPRINT_THOROUGH=1 for a million
#
# Builds everything once more, in target/asan.
set -eu
cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/asan"
export RUSTFLAGS="-Zsanitizer=address"
# SQLite has constants of one name in two functions, which is no fault.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_odr_violation=0}"
host=$(rustc -vV | sed -n 's/^host: //p')
exec cargo test -p faceprint-ffi --test fuzz --target "$host" -- --nocapture
