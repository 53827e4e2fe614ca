"""The network: a depthwise-separable backbone, a top-down neck and one shared-shape head per stride.

RGB 0..255 goes in; the first convolution learns its own normalisation. Per stride (8, 16, 32) one 16-channel
map comes out: class, object-ness (both logits), box (dx, dy, log w, log h) and five landmarks, all in cells.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDES = (8, 16, 32)
SPLIT = (1, 1, 4, 10)  # class, object-ness, box, landmarks


def conv(cin: int, cout: int, kernel: int = 3, stride: int = 1, groups: int = 1, relu: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class Separable(nn.Module):
    """Depthwise then pointwise; the sum with the input where the shapes allow it."""

    def __init__(self, cin: int, cout: int, kernel: int = 3, stride: int = 1, residual: bool = False) -> None:
        super().__init__()
        self.depth = conv(cin, cin, kernel, stride, groups=cin, relu=False)
        self.point = conv(cin, cout, 1)
        self.residual = residual and cin == cout and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        out = self.point(self.depth(x))
        return out + x if self.residual else out


class Readout(nn.Module):
    """Landmarks from features: a line through each cell's own plus a hidden layer on the 3 x 3 around it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.line = nn.Conv2d(width, 10, 1)
        self.hidden = nn.Conv2d(width, hidden, 3, padding=1)
        self.out = nn.Conv2d(hidden, 10, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.line(x) + self.out(F.relu(self.hidden(x)))


class Added(nn.Module):
    """A readout as it is deployed: its line is part of the head, its hidden layer adds to all of the head's map."""

    def __init__(self, readout: Readout) -> None:
        super().__init__()
        self.hidden = readout.hidden
        self.out = nn.Conv2d(readout.out.in_channels, sum(SPLIT), 1, bias=False)
        self.out.weight = nn.Parameter(F.pad(readout.out.weight, (0, 0, 0, 0, 0, 0, sum(SPLIT) - 10, 0)))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.hidden(x)))


class Detector(nn.Module):
    def __init__(
        self,
        stem: int = 16,
        low: int = 32,
        width: int = 64,
        top: int = 64,
        units: tuple[int, ...] = (1, 2, 2, 2),
        readouts: tuple[int, ...] = (0, 0, 0),
    ) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1 / 128.0), requires_grad=False)
        self.stem = conv(3, stem, 3, 2)
        self.at4 = nn.Sequential(conv(stem, low, 3, 2), *(Separable(low, low, residual=True) for _ in range(units[0])))
        self.at8 = nn.Sequential(
            Separable(low, width, 3, 2), *(Separable(width, width, 3, residual=True) for _ in range(units[1]))
        )
        self.at16 = nn.Sequential(
            Separable(width, width, 5, 2), *(Separable(width, width, 5, residual=True) for _ in range(units[2]))
        )
        self.at32 = nn.Sequential(
            Separable(width, top, 5, 2), *(Separable(top, top, 5, residual=True) for _ in range(units[3]))
        )
        self.lateral32 = conv(top, width, 1)
        self.merge16 = Separable(width, width, 3)
        self.merge8 = Separable(width, width, 3)
        self.towers = nn.ModuleList(Separable(width, width, 3) for _ in STRIDES)
        self.heads = nn.ModuleList(nn.Conv2d(width, sum(SPLIT), 1) for _ in STRIDES)
        # a landmark readout of its own per stride, or (0) the head's last ten channels
        self.readouts = nn.ModuleList(Readout(width, hidden) if hidden else nn.Identity() for hidden in readouts)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for head in self.heads:
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            with torch.no_grad():
                head.bias[:2] = -4.0  # few cells hold a face

    def features(self, image: Tensor) -> list[Tensor]:
        """What the heads of the three strides read."""
        x = self.at4(self.stem(image * self.scale if self.scale is not None else image))
        at8 = self.at8(x)
        at16 = self.at16(at8)
        at32 = self.lateral32(self.at32(at16))
        at16 = self.merge16(at16 + self.up(at32))
        at8 = self.merge8(at8 + self.up(at16))
        return [tower(level) for tower, level in zip(self.towers, (at8, at16, at32))]

    def forward(self, image: Tensor) -> list[Tensor]:
        """Per stride one N x 16 x h x w map."""
        maps = []
        for head, readout, feature in zip(self.heads, self.readouts, self.features(image)):
            out = head(feature)
            if isinstance(readout, Readout):
                out = torch.cat([out[:, :6], readout(feature)], 1)
            elif isinstance(readout, Added):
                out = out + readout(feature)
            maps.append(out)
        return maps


class Deployed(nn.Module):
    """What is exported: twelve outputs of one decoder's contract, batch-norm folded, probabilities out."""

    def __init__(self, trained: Detector) -> None:
        super().__init__()
        self.net = folded(trained)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        parts: list[list[Tensor]] = [[], [], [], []]
        for out in self.net(image):
            rows = out.permute(0, 2, 3, 1).reshape(len(image), -1, sum(SPLIT))
            for place, part in enumerate(rows.split(SPLIT, dim=2)):
                parts[place].append(part.sigmoid() if place < 2 else part)
        return tuple(tensor for kind in parts for tensor in kind)


OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES]


def fold(sequence: nn.Sequential) -> nn.Sequential:
    """conv + batch-norm (+ relu) as conv with bias (+ relu)."""
    layer, norm = sequence[0], sequence[1]
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    plain = nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, groups=layer.groups
    )
    plain.weight = nn.Parameter(layer.weight * gain[:, None, None, None])
    plain.bias = nn.Parameter(norm.bias - norm.running_mean * gain)
    return nn.Sequential(plain, *list(sequence)[2:])


@torch.no_grad()
def folded(trained: Detector) -> Detector:
    """A copy without batch-norm whose first layer takes 0..255."""
    import copy

    net = copy.deepcopy(trained).eval()

    def walk(module: nn.Module) -> None:
        for name, child in module.named_children():
            if isinstance(child, nn.Sequential) and len(child) > 1 and isinstance(child[1], nn.BatchNorm2d):
                setattr(module, name, fold(child))
            else:
                walk(child)

    walk(net)
    net.stem[0].weight.mul_(net.scale)
    net.scale = None
    for place, readout in enumerate(net.readouts):
        if isinstance(readout, Readout):
            net.heads[place].weight[6:] = readout.line.weight
            net.heads[place].bias[6:] = readout.line.bias
            net.readouts[place] = Added(readout)
    return net


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
