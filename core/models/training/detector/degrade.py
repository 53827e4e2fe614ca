"""What cameras and codecs do to a whole canvas: light, blur, lost resolution, noise, JPEG blocks, padding."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LUMA = torch.tensor(
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
     14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99], dtype=torch.float32,
).view(8, 8)  # fmt: skip


def _cosines(device: torch.device) -> Tensor:
    n = torch.arange(8, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi * (2 * n[None] + 1) * n[:, None] / 16) * 0.5
    matrix[0] *= math.sqrt(0.5)
    return matrix


def jpeg(image: Tensor, quality: Tensor) -> Tensor:
    """Quantises the 8 x 8 cosine transform of every channel, as a JPEG of that quality would."""
    batch, channels, height, width = image.shape
    cosines = _cosines(image.device)
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50).view(-1, 1, 1, 1, 1, 1)
    steps = (_LUMA.to(image.device).view(1, 1, 1, 8, 1, 8) * factor).clamp(min=1)
    blocks = (image - 128).view(batch, channels, height // 8, 8, width // 8, 8)
    spectrum = torch.einsum("ij,nchjwk,lk->nchiwl", cosines, blocks, cosines)
    spectrum = torch.round(spectrum / steps) * steps
    blocks = torch.einsum("ij,nchiwl,lk->nchjwk", cosines, spectrum, cosines)
    return blocks.reshape(batch, channels, height, width) + 128


def blur(image: Tensor, sigma_x: Tensor, sigma_y: Tensor, radius: int = 4) -> Tensor:
    """A Gaussian of its own width per picture and direction (unequal widths look like motion)."""
    batch, channels, height, width = image.shape
    place = torch.arange(-radius, radius + 1, device=image.device, dtype=torch.float32)

    def kernel(sigma: Tensor) -> Tensor:
        weights = torch.exp(-0.5 * (place[None] / sigma[:, None]) ** 2)
        return (weights / weights.sum(1, keepdim=True)).repeat_interleave(channels, 0)

    flat = image.reshape(1, batch * channels, height, width)
    flat = F.conv2d(F.pad(flat, (radius, radius, 0, 0), "replicate"), kernel(sigma_x)[:, None, None], groups=batch * channels)
    flat = F.conv2d(F.pad(flat, (0, 0, radius, radius), "replicate"), kernel(sigma_y)[:, None, :, None], groups=batch * channels)
    return flat.view_as(image)


def degrade(image: Tensor, lit: Tensor, random: torch.Generator) -> Tensor:
    """`lit` is 0 where the picture has ended and padding begins."""
    batch, _, side, _ = image.shape
    device = image.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=random, device=device)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, device=device)

    def some(share: float) -> Tensor:
        return (uniform(batch) < share).view(-1, 1, 1, 1)

    # groups of fixed size keep shapes static; the canvases themselves are in random order
    quarter = max(batch // 4, 1)
    soft = slice(0, quarter)
    image[soft] = blur(image[soft], 0.4 + 1.8 * uniform(quarter) ** 2, 0.4 + 1.8 * uniform(quarter) ** 2)
    coarse = slice(quarter // 2, quarter // 2 + max(batch // 8, 1))
    small = F.interpolate(image[coarse], scale_factor=0.5, mode="area")
    image[coarse] = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    gamma = torch.exp(0.25 * normal(batch)).view(-1, 1, 1, 1)
    gain = torch.exp(0.15 * normal(batch)).view(-1, 1, 1, 1)
    shift = 12 * normal(batch).view(-1, 1, 1, 1) + 4 * normal(batch, 3).view(-1, 3, 1, 1)
    toned = 255 * (image / 255).clamp(1e-4, 1) ** gamma
    toned = ((toned - 128) * gain + 128 + shift).clamp(0, 255)
    image = torch.where(some(0.8), toned, image)
    image = torch.where(some(0.1), image.mean(1, keepdim=True).expand_as(image), image)
    sigma = torch.where(some(0.4), 14 * uniform(batch).view(-1, 1, 1, 1) ** 2, 0.0)
    image = image + sigma * normal(*image.shape)
    coded = slice(batch - 2 * quarter, batch)
    image[coded] = jpeg(image[coded], 12 + 80 * uniform(2 * quarter))
    return (image * lit).clamp(0, 255).round()
