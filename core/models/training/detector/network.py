"""The network: a depthwise-separable backbone, a top-down neck and one shared-shape head per stride.

RGB 0..255 goes in; the first convolution learns its own normalisation. Per stride (8, 16, 32) one 16-channel
map comes out: class, object-ness (both logits), box (dx, dy, log w, log h) and five landmarks, all in cells.
"""

from __future__ import annotations

import copy

import torch
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


class Detector(nn.Module):
    def __init__(
        self,
        stem: int = 16,
        low: int = 32,
        width: int = 64,
        top: int = 64,
        units: tuple[int, ...] = (1, 2, 2, 2),
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
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for head in self.heads:
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            with torch.no_grad():
                head.bias[:2] = -4.0  # few cells hold a face

    def forward(self, image: Tensor) -> list[Tensor]:
        """Per stride one N x 16 x h x w map."""
        x = self.at4(self.stem(image * self.scale if self.scale is not None else image))
        at8 = self.at8(x)
        at16 = self.at16(at8)
        at32 = self.lateral32(self.at32(at16))
        at16 = self.merge16(at16 + self.up(at32))
        at8 = self.merge8(at8 + self.up(at16))
        return [head(tower(level)) for head, tower, level in zip(self.heads, self.towers, (at8, at16, at32))]


class Vote(nn.Module):
    """Each cell's box centre, size and landmarks become the mean of its 3 x 3 neighbours' opinions.

    Weighted by class x object-ness, so that only cells that see the same face have a say; a neighbour's opinion is moved
    by its place. Plain sums, as convolutions with fixed kernels: no parameters, and a tenth less landmark error.
    """

    def __init__(self, reach: int = 1) -> None:
        super().__init__()
        side, channels = 2 * reach + 1, SPLIT[2] + SPLIT[3]
        step = torch.arange(-reach, reach + 1).float()
        across, down, still = step.expand(side, side), step.expand(side, side).T, torch.zeros(side, side)
        moves = [across, down, still, still] + [across, down] * 5
        self.total = nn.Conv2d(channels, channels, side, padding=reach, groups=channels, bias=False)
        self.total.weight = nn.Parameter(torch.ones(channels, 1, side, side))
        self.moved = nn.Conv2d(1, channels, side, padding=reach, bias=False)
        self.moved.weight = nn.Parameter(torch.stack(moves)[:, None])
        self.mass = nn.Conv2d(1, 1, side, padding=reach, bias=False)
        self.mass.weight = nn.Parameter(torch.ones(1, 1, side, side))

    def forward(self, chance: Tensor, opinion: Tensor) -> Tensor:
        face, thing = chance.split(1, dim=1)
        weight = face * thing
        return (self.total(opinion * weight) + self.moved(weight)) / (self.mass(weight) + 1e-12)


class Deployed(nn.Module):
    """What is exported: twelve outputs of one decoder's contract, batch-norm folded, probabilities out."""

    def __init__(self, trained: Detector, vote: bool = True) -> None:
        super().__init__()
        self.net = folded(trained)
        self.vote = Vote() if vote else None

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        parts: list[list[Tensor]] = [[], [], [], []]
        for out in self.net(image):
            logits, opinion = out.split((SPLIT[0] + SPLIT[1], SPLIT[2] + SPLIT[3]), dim=1)
            chance = logits.sigmoid()
            if self.vote is not None:
                opinion = self.vote(chance, opinion)
            for place, maps in enumerate((chance, opinion)):
                split = SPLIT[2 * place : 2 * place + 2]
                rows = maps.permute(0, 2, 3, 1).reshape(len(image), -1, sum(split))
                for which, part in enumerate(rows.split(split, dim=2)):
                    parts[2 * place + which].append(part)
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
    return net


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
