#!/usr/bin/env bash
# The Python package: one wheel, installed without a compiler in reach, and everything said of it run against it.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="$PWD/target" # the build that the other steps began
tools="${1:?the folder of the tools}"
work="$PWD/.cache/python"
rm -rf "$work"

# The dev profile: its dependencies are built already. What is shipped is built by `pip wheel`.
"$tools/bin/pip" install --quiet --disable-pip-version-check maturin==1.16.0
cargo build --quiet -p faceprint-cli # the same gallery file in both
(cd bindings/python && PATH="$tools/bin:$PATH" maturin build --quiet --profile dev --out "$work/wheels")

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
    "$work"/wheels/faceprint-*.whl -r bindings/python/tests/requirements.txt
ldd "$(echo "$work"/venv/lib/python3*/site-packages/faceprint/_faceprint.abi3.so)"

# Away from the source tree, so that it is the wheel that is tested; with the ONNX Runtime that pip installed.
env -u ORT_DYLIB_PATH -u PYTHONPATH "$work/venv/bin/python" -P -m pytest -q bindings/python/tests
