"""The student: a MobileFaceNet-like network of inverted residuals with ReLU, which runtimes fuse into the convolutions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# (expanded channels, output channels, stride) of every inverted residual
Block = tuple[int, int, int]


@dataclass(frozen=True)
class Shape:
    stem: int = 32
    blocks: tuple[Block, ...] = (
        (64, 48, 2),  # 56 -> 28
        (128, 48, 1), (128, 48, 1),
        (192, 96, 2),  # 28 -> 14
        *((288, 96, 1),) * 7,
        (384, 128, 2),  # 14 -> 7
        (384, 128, 1), (384, 128, 1),
    )
    head: int = 512
    output: int = 512


class ConvNorm(nn.Sequential):
    """Convolution and batch norm (one convolution once exported), with ReLU unless `linear`."""

    def __init__(self, inner: int, outer: int, kernel: int, stride: int = 1, groups: int = 1, pad: int | None = None,
                 linear: bool = False) -> None:
        pad = kernel // 2 if pad is None else pad
        layers: list[nn.Module] = [nn.Conv2d(inner, outer, kernel, stride, pad, groups=groups, bias=False)]
        layers.append(nn.BatchNorm2d(outer, momentum=0.05))
        super().__init__(*layers, *([] if linear else [nn.ReLU()]))


class InvertedResidual(nn.Module):
    def __init__(self, inner: int, expanded: int, outer: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(inner, expanded, 1),
            ConvNorm(expanded, expanded, 3, stride, groups=expanded),
            ConvNorm(expanded, outer, 1, linear=True),
        )
        self.residual = stride == 1 and inner == outer

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


class Student(nn.Module):
    """N x 3 x 112 x 112 RGB in -1..1 -> N x 512, not normalised."""

    def __init__(self, shape: Shape = Shape()) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvNorm(3, shape.stem, 3, 2), ConvNorm(shape.stem, shape.stem, 3, groups=shape.stem)]
        width = shape.stem
        for expanded, outer, stride in shape.blocks:
            layers.append(InvertedResidual(width, expanded, outer, stride))
            width = outer
        self.features = nn.Sequential(*layers, ConvNorm(width, shape.head, 1))
        self.pool = ConvNorm(shape.head, shape.head, 7, groups=shape.head, pad=0, linear=True)  # a weight for each place
        self.embed = nn.Linear(shape.head, shape.output, bias=True)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.constant_(self.pool[0].weight, 1 / 49)

    def forward(self, x: Tensor) -> Tensor:
        return self.embed(self.pool(self.features(x)).flatten(1))


def cost(model: nn.Module, size: int = 112) -> tuple[int, int]:
    """Parameters (batch norm's two vectors included) and multiply-adds of one picture."""
    macs, hooks = 0, []

    def count(module: nn.Module, _: tuple, out: Tensor) -> None:
        nonlocal macs
        per = module.weight[0].numel()
        macs += out.numel() * per

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            hooks.append(module.register_forward_hook(count))
    training = model.training
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, size, size, device=next(model.parameters()).device))
    model.train(training)
    for hook in hooks:
        hook.remove()
    return sum(p.numel() for p in model.parameters()), macs


def fold(model: Student) -> Student:
    """Batch norms folded into the convolutions before them: what is exported."""
    model = model.eval()
    for module in list(model.modules()):
        if isinstance(module, ConvNorm):
            module[0] = torch.nn.utils.fusion.fuse_conv_bn_eval(module[0], module[1])
            module[1] = nn.Identity()
    return model


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return F.cosine_similarity(a.float(), b.float(), dim=1)
