"""Step 3: the trained network as ONNX, checked against PyTorch.

    python -m detector.export --checkpoint runs/detector/last.pt --out faceprint-detector-v1.onnx
"""

from __future__ import annotations

import argparse
import hashlib
import io
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import torch

from .network import OUTPUTS, Deployed, Detector, parameters


def export(net: Detector, path: Path, vote: bool = True) -> None:
    deployed = Deployed(net, vote).eval()
    axes: dict[str, dict[int, str]] = {"input": {0: "batch", 2: "height", 3: "width"}}
    axes |= {name: {0: "batch", 1: "cells_" + name.split("_")[1]} for name in OUTPUTS}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            deployed,
            (torch.rand(1, 3, 64, 96) * 255,),
            buffer,
            input_names=["input"],
            output_names=OUTPUTS,
            dynamic_axes=axes,
            opset_version=13,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    keep_batch(model)
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    model.producer_name = "faceprint"
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def keep_batch(model: onnx.ModelProto) -> None:
    """The trace fixed the batch of one in its reshapes: 0 means "as it comes in"."""
    tensors = list(model.graph.initializer)
    tensors += [a.t for n in model.graph.node if n.op_type == "Constant" for a in n.attribute if a.name == "value"]
    for tensor in tensors:
        value = onnx.numpy_helper.to_array(tensor)
        if value.dtype == np.int64 and value.shape == (3,) and tuple(value[:2]) == (1, -1):
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.array([0, -1, value[2]], np.int64), tensor.name))


def check(net: Detector, path: Path, vote: bool = True) -> float:
    """The largest difference between the file in ONNX Runtime and the network in PyTorch."""
    import onnxruntime as ort

    run = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for shape in ((1, 3, 320, 320), (2, 3, 96, 160), (3, 3, 32, 32)):
        image = torch.randint(0, 256, shape).float()
        with torch.no_grad():
            expected = Deployed(net, vote).eval()(image)
        for name, want, got in zip(OUTPUTS, expected, run.run(OUTPUTS, {"input": image.numpy()})):
            assert want.shape == got.shape, (name, want.shape, got.shape)
            worst = max(worst, float(np.abs(want.numpy() - got).max()))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--no-vote", action="store_true", help="leave out the vote between neighbouring cells")
    options = parser.parse_args()
    state = torch.load(options.checkpoint, map_location="cpu", weights_only=False)
    net = Detector(**state["shape"])
    net.load_state_dict(state["average"])
    net.eval()
    export(net, options.out, not options.no_vote)
    model = onnx.load(str(options.out))
    print("operators", dict(Counter(node.op_type for node in model.graph.node)), "opset", model.opset_import[0].version)
    print("parameters", parameters(net), "largest difference", check(net, options.out, not options.no_vote))
    raw = options.out.read_bytes()
    print(len(raw), "bytes sha256", hashlib.sha256(raw).hexdigest())


if __name__ == "__main__":
    main()
