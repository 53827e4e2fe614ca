"""The two permissive teachers as PyTorch modules, read from their ONNX files.

`OnnxModule` runs the few operators those graphs use; biases and batch norms are folded into the convolutions first.
`Teachers` gives the distillation target: both networks' unit vectors on one view, weighted and concatenated to 512-d.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import Tensor, nn

from .align import ARCFACE_112, RETAIL_128, similarity

RETAIL, MOBILEFACE = "face-reidentification-retail-0095.onnx", "mobileface_v2.onnx"


def _attributes(node: onnx.NodeProto) -> dict:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


class OnnxModule(nn.Module):
    """An ONNX graph of Conv, PRelu, Add, Mul, Sigmoid, AveragePool, Max, Min, Flatten, Gemm and batch norm."""

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        graph = onnx.load(str(path)).graph
        self.constants = {i.name: numpy_helper.to_array(i).copy() for i in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t).copy()
        nodes = [n for n in graph.node if n.op_type != "Constant"]
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.steps: list[tuple[str, list[str], str, dict]] = []
        for node in nodes:
            self._add(node)
        needed = {name for _, inputs, _, _ in self.steps for name in inputs}
        for name in needed & self.constants.keys():
            self.register_buffer("c_" + name.replace(".", "_"), torch.tensor(self.constants[name]).float())
        self.names = {name: "c_" + name.replace(".", "_") for name in needed & self.constants.keys()}

    def _add(self, node: onnx.NodeProto) -> None:
        """Append a node, or fold it into the step before when that is a convolution it only scales and shifts."""
        inputs, attributes, last = list(node.input), _attributes(node), self.steps[-1] if self.steps else None
        after = last is not None and last[0] in ("Conv", "Gemm") and inputs[0] == last[2]
        if after and node.op_type == "BatchNormalization":
            gamma, beta, mean, var = (self.constants[name] for name in inputs[1:5])
            scale = gamma / np.sqrt(var + attributes.get("epsilon", 1e-5))
            self._rescale(last, scale, beta - mean * scale, node.output[0])
        elif after and node.op_type == "Add" and inputs[1] in self.constants:
            shift = self.constants[inputs[1]].reshape(-1)
            self._rescale(last, np.ones_like(shift), shift, node.output[0])
        else:
            self.steps.append((node.op_type, inputs, node.output[0], attributes))

    def _rescale(self, step: tuple, scale: np.ndarray, shift: np.ndarray, output: str) -> None:
        op, inputs, _, attributes = step
        weight = self.constants[inputs[1]]
        assert op == "Conv" or attributes.get("transB", 0) == 1
        bias = self.constants[inputs[2]] if len(inputs) > 2 else np.zeros(len(weight), np.float32)
        self.constants[inputs[1]] = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        self.constants[output + ".bias"] = bias * scale + shift
        self.steps[-1] = (op, [inputs[0], inputs[1], output + ".bias"], output, attributes)

    def forward(self, x: Tensor) -> Tensor:
        values = {self.input: x}
        for op, inputs, output, attributes in self.steps:
            args = [getattr(self, self.names[i]) if i in self.names else values[i] for i in inputs]
            values[output] = _apply(op, args, attributes)
        return values[self.output].flatten(1)


def _apply(op: str, a: list[Tensor], attributes: dict) -> Tensor:
    if op == "Conv":
        pads, group = attributes.get("pads", [0] * 4), attributes.get("group", 1)
        assert pads[:2] == pads[2:]
        bias = a[2] if len(a) > 2 else None
        return F.conv2d(a[0], a[1], bias, attributes.get("strides", [1, 1]), pads[:2], 1, group)
    if op == "PRelu":
        return torch.where(a[0] > 0, a[0], a[0] * a[1].reshape(1, -1, 1, 1))
    if op == "Gemm":
        return F.linear(a[0], a[1], a[2])
    if op == "AveragePool":
        assert list(attributes["kernel_shape"]) == list(a[0].shape[2:])
        return a[0].mean((2, 3), keepdim=True)
    if op == "Flatten":
        return a[0].contiguous().flatten(1)
    if op == "Sigmoid":
        return a[0].sigmoid()
    two = {"Add": torch.add, "Mul": torch.mul, "Max": torch.maximum, "Min": torch.minimum}
    return two[op](a[0], a[1])


class Teachers(nn.Module):
    """RGB views aligned to the ArcFace template (N x 3 x 112 x 112, values -1..1) -> unit targets N x 512.

    The retail network has a template of its own. Its view is the same picture through the fixed similarity between
    the two templates, so both teachers and the student see the same pixels.
    """

    def __init__(self, folder: str | Path, retail_weight: float = 0.6) -> None:
        super().__init__()
        self.retail, self.mobile = OnnxModule(Path(folder) / RETAIL), OnnxModule(Path(folder) / MOBILEFACE)
        self.retail_weight = retail_weight
        # for each pixel of the 128 view, where it lies in the 112 view, in grid_sample's -1..1 (pixel centres)
        back = similarity(RETAIL_128, ARCFACE_112)
        y, x = np.mgrid[0:128, 0:128].astype(float)
        points = np.stack([x, y], -1) @ back[:, :2].T + back[:, 2]
        self.register_buffer("grid", torch.tensor((points + 0.5) / 56 - 1).float()[None])

    def retail_view(self, view: Tensor) -> Tensor:
        grid = self.grid.expand(len(view), -1, -1, -1)
        warped = F.grid_sample(view.float(), grid, "bilinear", "zeros", False)
        return ((warped + 1) * 127.5).flip(1)  # BGR 0..255

    def forward(self, view: Tensor) -> Tensor:
        dtype = self.mobile.get_buffer(next(iter(self.mobile.names.values()))).dtype
        layout = torch.channels_last if view.is_cuda else torch.contiguous_format
        big = self.retail_view(view).to(dtype=dtype, memory_format=layout)
        first = F.normalize(self.retail(big).float(), dim=1)
        second = F.normalize(self.mobile(view.to(dtype=dtype, memory_format=layout)).float(), dim=1)
        w = self.retail_weight
        return torch.cat([first * w**0.5, second * (1 - w) ** 0.5], 1)
