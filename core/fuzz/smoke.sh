#!/bin/sh
# Builds every fuzz target with the stable compiler and without cargo-fuzz, and runs each for a while.
# usage: core/fuzz/smoke.sh [SECONDS]
set -eu
seconds=${1:-20}
cd "$(dirname "$0")"
target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
export RUSTC_BOOTSTRAP=1
# SQLite is compiled as it is: what is fuzzed is ours, and with a sanitizer it takes minutes to compile.
export CFLAGS="-fno-sanitize=all -O1"
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Zsanitizer=address --cfg fuzzing -Ccodegen-units=1"
cargo build --quiet --release --bins --target "$target"
for source in fuzz_targets/*.rs; do
    name=$(basename "$source" .rs)
    mkdir -p "corpus/$name" "artifacts/$name"
    seeds="seeds/$name"
    [ -d "$seeds" ] || seeds=
    echo "== $name, $seconds s"
    log=artifacts/$name.log
    if "$CARGO_TARGET_DIR/$target/release/$name" "corpus/$name" $seeds -max_total_time="$seconds" \
        -rss_limit_mb=2048 -timeout=10 -artifact_prefix="artifacts/$name/" -print_final_stats=1 >"$log" 2>&1
    then
        grep 'number_of_executed_units' "$log"
    else
        tail -40 "$log"
        echo "$name: failed, see core/fuzz/$log and core/fuzz/artifacts/$name"
        exit 1
    fi
done
