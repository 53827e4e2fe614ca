"""Step 4: the averaged weights as one ONNX file: batch norms folded, fp32, dynamic batch, `input` -> `embedding`."""

from __future__ import annotations

import argparse
import collections
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
from model import Student, cost, fold  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--raw", action="store_true", help="the last weights instead of the averaged ones")
    args = parser.parse_args()
    state = torch.load(args.weights, map_location="cpu")
    model = Student()
    model.load_state_dict(state["model" if args.raw else "average"])
    parameters, macs = cost(model)
    example = torch.rand(3, 3, 112, 112) * 2 - 1
    with torch.no_grad():
        expected = model.eval()(example).numpy()
    torch.onnx.export(fold(model), (example[:1],), str(args.out), dynamo=False, opset_version=13,
                      input_names=["input"], output_names=["embedding"],
                      dynamic_axes={"input": {0: "batch"}, "embedding": {0: "batch"}})
    graph = onnx.load(str(args.out))
    graph.producer_name, graph.producer_version, graph.doc_string = "faceprint", "", ""
    for node in graph.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(graph)
    onnx.save(graph, str(args.out))
    session = ort.InferenceSession(str(args.out), providers=["CPUExecutionProvider"])
    got = session.run(None, {"input": example.numpy()})[0]
    assert got.shape == (3, 512) and np.abs(got - expected).max() < 1e-3 * np.abs(expected).max()
    stored = sum(int(np.prod(tensor.dims)) for tensor in graph.graph.initializer)
    print(f"trained {state['views']} views; {parameters} parameters ({stored} once folded), {macs} multiply-adds")
    print("operators", dict(collections.Counter(node.op_type for node in graph.graph.node)))
    data = args.out.read_bytes()
    print(f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
