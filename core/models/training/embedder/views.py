"""Training views, made in batches on the device: geometry, face mixing, light, loss of quality, occlusion.

Everything has a fixed shape: an effect that touches only some views works on a fixed slice of the batch, whose members
are random. Values are 0..255 RGB until the end.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE, STORED = 112, 144  # the view, and the stored crop with its margin


def _uniform(generator: torch.Generator, device: torch.device, low: float, high: float, *shape: int) -> Tensor:
    return torch.empty(shape, device=device).uniform_(low, high, generator=generator)


class Views:
    """Draws random views of stored crops (N x 144 x 144 x 3, uint8, on the device)."""

    def __init__(self, crops: Tensor, weights: Tensor, seed: int) -> None:
        self.crops, self.device = crops, crops.device
        self.weights = weights.to(self.device)
        self.random = torch.Generator(device=self.device).manual_seed(seed)
        line = (torch.arange(SIDE, device=self.device) + 0.5) / SIDE * 2 - 1
        self.y, self.x = torch.meshgrid(line, line, indexing="ij")
        self.dct = _dct_matrix(self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return _uniform(self.random, self.device, low, high, *shape)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, device=self.device, generator=self.random)

    def draw(self, count: int) -> Tensor:
        """`count` views, N x 3 x 112 x 112, -1..1."""
        picked = torch.multinomial(self.weights, count, replacement=True, generator=self.random)
        view = self.crops[picked].permute(0, 3, 1, 2).float()
        view = F.grid_sample(view, self._grid(count), "bilinear", "zeros", False)
        view = self._mix(view)
        view = self._light(view)
        view = self._quality(view)
        view = self._occlude(view)
        return view.clamp(0, 255).round().div(127.5).sub(1)

    def plain(self, index: Tensor) -> Tensor:
        """The unchanged middle of the crops."""
        edge = (STORED - SIDE) // 2
        return self.crops[index, edge:-edge, edge:-edge].permute(0, 3, 1, 2).float().div(127.5).sub(1)

    def _grid(self, count: int) -> Tensor:
        """Shift, turn, scale, stretch, mirror and (for the middle half) a smooth bend that makes other faces of a face."""
        angle = self.normal(count) * math.radians(5)
        scale = torch.exp(self.normal(count) * 0.05)
        stretch = torch.exp(self.normal(count) * 0.03)
        mirror = self.uniform(0, 1, count).round() * 2 - 1
        shift = self.normal(count, 2) * (2.0 / 56)
        cos, sin = torch.cos(angle), torch.sin(angle)
        rows = torch.stack(
            [
                torch.stack([cos * scale * stretch * mirror, -sin * scale, shift[:, 0]], 1),
                torch.stack([sin * scale * mirror, cos * scale / stretch, shift[:, 1]], 1),
            ],
            1,
        )
        flat = torch.stack([self.x, self.y, torch.ones_like(self.x)], -1)
        grid = torch.einsum("hwk,njk->nhwj", flat, rows)
        half, quarter = count // 2, count // 4
        bend = F.interpolate(self.normal(half, 2, 5, 5), (SIDE, SIDE), mode="bicubic", align_corners=True)
        size = self.uniform(0, 2.5 / 56, half, 1, 1, 1)
        grid[quarter : quarter + half] += (bend * size).permute(0, 2, 3, 1)
        return grid * (SIDE / STORED)  # from the view's -1..1 to the stored crop's

    def _mask(self, count: int) -> Tensor:
        """Where the other face shows (0..1): a soft half plane, a soft box, blobs, or an even mix, in equal parts."""
        part = count // 4
        rest = count - 3 * part
        edge = torch.exp(self.uniform(math.log(0.02), math.log(0.5), count, 1, 1))
        angle = self.uniform(0, 2 * math.pi, part, 1, 1)
        plane = torch.cos(angle) * self.x + torch.sin(angle) * self.y - self.uniform(-0.6, 0.6, part, 1, 1)
        centre, size = self.uniform(-0.7, 0.7, 2, part, 1, 1), self.uniform(0.2, 0.7, 2, part, 1, 1)
        box = torch.minimum(size[0] - (self.x - centre[0]).abs(), size[1] - (self.y - centre[1]).abs())
        blobs = F.interpolate(self.normal(part, 1, 5, 5), (SIDE, SIDE), mode="bicubic", align_corners=True)[:, 0] * 0.6
        even = self.uniform(0.15, 0.5, rest, 1, 1).expand(-1, SIDE, SIDE)
        sharp = torch.sigmoid(4 * torch.cat([plane, box, blobs]) / edge[: 3 * part])
        return torch.cat([sharp, even])[:, None]

    def _mix(self, view: Tensor) -> Tensor:
        """Half of the views get parts of a second face, a third of those of a third one."""
        count = len(view)
        half, sixth = count // 2, count // 6
        other, third = view.roll(1, 0), view.roll(7, 0)
        mask = self._mask(half)
        order = torch.randperm(half, device=self.device, generator=self.random)
        mixed = torch.lerp(view[:half], other[:half], mask[order])
        mask = self._mask(sixth)
        again = torch.lerp(mixed[:sixth], third[:sixth], mask.roll(sixth // 3, 0))
        mixed = torch.cat([again, mixed[sixth:], view[half:]])
        return mixed[torch.randperm(count, device=self.device, generator=self.random)]

    def _light(self, view: Tensor) -> Tensor:
        count = len(view)
        strength = self.uniform(0, 1, count, 1, 1, 1)  # many views stay near the original
        one = (count, 1, 1, 1)
        view = view * torch.exp(self.normal(*one) * 0.25 * strength)
        view = view * torch.exp(self.normal(count, 3, 1, 1) * 0.10 * strength)
        grey = (view * torch.tensor([0.299, 0.587, 0.114], device=self.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
        colour = 1 + self.normal(*one) * 0.35 * strength
        colour[: count // 12] = 0  # grey pictures
        view = grey + (view - grey) * colour
        mean = grey.mean((2, 3), keepdim=True)
        view = mean + (view - mean) * torch.exp(self.normal(*one) * 0.25 * strength)
        angle = self.uniform(0, 2 * math.pi, count, 1, 1)
        ramp = torch.cos(angle) * self.x + torch.sin(angle) * self.y
        view = view * torch.exp(ramp * self.normal(count, 1, 1) * 0.3 * strength[:, 0])[:, None]
        view = (view.clamp(0, 255) / 255 + 1e-4) ** torch.exp(self.normal(*one) * 0.25 * strength) * 255
        return view[torch.randperm(count, device=self.device, generator=self.random)]

    def _quality(self, view: Tensor) -> Tensor:
        """Fewer pixels, blur, JPEG blocks and noise, each for its own part of the batch; a third stays sharp."""
        n = len(view) // 24
        parts, start = [], 0

        def take(share: int) -> Tensor:
            nonlocal start
            start += share * n
            return view[start - share * n : start]

        for share, side in ((2, 64), (2, 44), (1, 30)):
            small = F.interpolate(take(share), (side, side), mode="bilinear", antialias=True)
            parts.append(F.interpolate(small, (SIDE, SIDE), mode="bilinear"))
        for share, sigma in ((2, 0.8), (1, 1.6)):
            parts.append(_blur(take(share), sigma))
        parts.append(self._jpeg(take(4)))
        noisy = take(4)
        parts.append(noisy + self.normal(*noisy.shape) * self.uniform(0, 18, len(noisy), 1, 1, 1))
        parts.append(view[start:])
        view = torch.cat(parts)
        return view[torch.randperm(len(view), device=self.device, generator=self.random)]

    def _jpeg(self, view: Tensor) -> Tensor:
        """Brightness and colour differences quantised in 8 x 8 cosine blocks, as JPEG does."""
        count = len(view)
        grey = view.mean(1, keepdim=True)
        planes = torch.cat([grey, view - grey], 1)
        blocks = planes.reshape(count, 4, SIDE // 8, 8, SIDE // 8, 8)
        waves = torch.einsum("ui,ncaibj,vj->ncaubv", self.dct, blocks, self.dct)
        step = self.uniform(1, 12, count, 1, 1, 1, 1, 1)
        u = torch.arange(8, device=self.device)
        step = step * (1 + 0.35 * (u.view(8, 1, 1) + u.view(1, 1, 8)))
        waves = torch.round(waves / step) * step
        planes = torch.einsum("ui,ncaubv,vj->ncaibj", self.dct, waves, self.dct).reshape(count, 4, SIDE, SIDE)
        return planes[:, :1] + planes[:, 1:]

    def _occlude(self, view: Tensor) -> Tensor:
        """A quarter of the views: a filled box or ellipse, or a dark edge as where the picture ends."""
        part = len(view) // 8
        centre, size = self.uniform(-1, 1, 2, part, 1, 1), self.uniform(0.1, 0.45, 2, part, 1, 1)
        dx, dy = (self.x - centre[0]).abs() / size[0], (self.y - centre[1]).abs() / size[1]
        inside = torch.cat([torch.maximum(dx, dy)[: part // 2], (dx * dx + dy * dy)[part // 2 :]]) < 1
        fill = self.uniform(0, 255, part, 3, 1, 1) + self.normal(part, 3, SIDE, SIDE) * self.uniform(0, 40, part, 1, 1, 1)
        covered = torch.where(inside[:, None], fill, view[:part])
        angle = self.uniform(0, 2 * math.pi, part, 1, 1)
        beyond = torch.cos(angle) * self.x + torch.sin(angle) * self.y > self.uniform(0.5, 1.2, part, 1, 1)
        edged = torch.where(beyond[:, None], 0.0, view[part : 2 * part])
        return torch.cat([covered, edged, view[2 * part :]])


def _blur(view: Tensor, sigma: float) -> Tensor:
    radius = math.ceil(2.5 * sigma)
    line = torch.arange(-radius, radius + 1, device=view.device, dtype=view.dtype)
    kernel = torch.exp(-(line**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    planes = view.reshape(-1, 1, *view.shape[2:])
    planes = F.conv2d(F.pad(planes, (radius, radius, 0, 0), "replicate"), kernel.view(1, 1, 1, -1))
    planes = F.conv2d(F.pad(planes, (0, 0, radius, radius), "replicate"), kernel.view(1, 1, -1, 1))
    return planes.reshape(view.shape)


def _dct_matrix(device: torch.device) -> Tensor:
    k, i = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    matrix = torch.cos(math.pi * (2 * i + 1) * k / 16) * 0.5
    matrix[0] /= math.sqrt(2)
    return matrix.to(device)
