"""One layer of a canvas: a grid of tiles, each showing one picture through its own affine, mask and light.

A layer is drawn in a single pass over the pixels: each pixel looks up its tile's row in a table, maps itself
into that tile's picture and blends what it finds there. Everything is plain tensor arithmetic, so that it
runs on a CPU and is fused into one kernel by `torch.compile` on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .atlas import BASES, LEVELS, SLOT

# columns of a tile's row
AFFINE, PICTURE, LEVEL, DOMAIN, WRAP, ELLIPSE, SOFT, GAIN, BIAS, GREY, AXIS, COVER, INK, SHOWN = (
    0, 6, 7, 8, 12, 13, 17, 18, 21, 24, 25, 29, 30, 33,
)  # fmt: skip
COLUMNS = 34
OPEN, REFLECT, CLAMP = 0.0, 1.0, 2.0  # WRAP: what lies outside the domain
NONE, MASK, BAND = 0.0, 1.0, 2.0  # COVER: what lies on the face


@dataclass
class Layer:
    table: Tensor  # batch x tiles x COLUMNS
    cell: Tensor  # batch: a tile's side in pixels
    origin: Tensor  # batch x 2: how far the grid is shifted to the left and up
    columns: Tensor  # batch: tiles per row


def tile_of(x: Tensor, y: Tensor, layer: Layer) -> Tensor:
    """Which tile a canvas position (batch x ...) falls into."""
    shape = (-1,) + (1,) * (x.dim() - 1)
    column = ((x + layer.origin[:, 0].view(shape)) / layer.cell.view(shape)).floor()
    row = ((y + layer.origin[:, 1].view(shape)) / layer.cell.view(shape)).floor()
    return (row * layer.columns.view(shape) + column).long().clamp(0, layer.table.shape[1] - 1)


def paint(
    canvas: Tensor, owner: Tensor, pixels: Tensor, table: Tensor, cell: Tensor, origin: Tensor, columns: Tensor, number: int
) -> tuple[Tensor, Tensor]:
    """Draws one layer over `canvas` (batch x 3 x side x side, 0..255); `owner` records whose pixel it is now."""
    batch, _, side, _ = canvas.shape
    tiles = table.shape[1]
    grid = torch.arange(side, device=canvas.device, dtype=torch.float32) + 0.5
    y, x = grid.view(1, side, 1), grid.view(1, 1, side)
    layer = Layer(table, cell, origin, columns)
    tile = tile_of(x.expand(batch, side, side), y.expand(batch, side, side), layer)
    row = tile + torch.arange(batch, device=canvas.device).view(-1, 1, 1) * tiles
    flat = table.reshape(-1, COLUMNS)

    def get(column: int) -> Tensor:
        return flat[:, column][row]

    u = get(AFFINE) * x + get(AFFINE + 1) * y + get(AFFINE + 2)
    v = get(AFFINE + 3) * x + get(AFFINE + 4) * y + get(AFFINE + 5)
    wrap = get(WRAP)
    inside: Tensor = torch.full_like(u, 1e9)
    where = []
    for axis, place in enumerate((u, v)):
        low, high = get(DOMAIN + axis), get(DOMAIN + 2 + axis)
        inside = torch.minimum(inside, torch.minimum(place - low, high - place))
        extent = (high - low).clamp(min=1.0)
        folded = torch.remainder(place - low, 2 * extent)
        folded = low + torch.minimum(folded, 2 * extent - folded)
        where.append(torch.where(wrap == REFLECT, folded, torch.minimum(torch.maximum(place, low), high)))
    soft = get(SOFT)
    alpha = torch.where(wrap == OPEN, (inside / soft.clamp(min=0.5)).clamp(0, 1), 1.0)
    radius = torch.sqrt(((u - get(ELLIPSE)) / get(ELLIPSE + 2)) ** 2 + ((v - get(ELLIPSE + 1)) / get(ELLIPSE + 3)) ** 2)
    alpha = alpha * ((1 - radius) * get(ELLIPSE + 2) / soft.clamp(min=0.5)).clamp(0, 1) * get(SHOWN)

    level = get(LEVEL)
    shrink = torch.exp2(-level)
    pitch = (SLOT * shrink).long()
    base = torch.full_like(pitch, BASES[0])
    for step in range(1, LEVELS):
        base = torch.where(level >= step, BASES[step], base)
    base = base + get(PICTURE).long() * BASES[LEVELS]
    low_u, low_v = get(DOMAIN) * shrink, get(DOMAIN + 1) * shrink
    high_u, high_v = (get(DOMAIN + 2) * shrink - 1).floor(), (get(DOMAIN + 3) * shrink - 1).floor()
    at_u = torch.maximum(torch.minimum(where[0] * shrink - 0.5, high_u), low_u.ceil())
    at_v = torch.maximum(torch.minimum(where[1] * shrink - 0.5, high_v), low_v.ceil())
    left, top = at_u.floor(), at_v.floor()
    part_u, part_v = (at_u - left).unsqueeze(1), (at_v - top).unsqueeze(1)
    left_i, top_i = left.long().clamp(min=0), top.long().clamp(min=0)
    right_i = torch.minimum(left_i + 1, pitch - 1)
    bottom_i = torch.minimum(top_i + 1, pitch - 1)

    def texel(row_i: Tensor, column_i: Tensor) -> Tensor:
        packed = pixels[base + row_i * pitch + column_i]
        return torch.stack([packed & 255, (packed >> 8) & 255, (packed >> 16) & 255], 1).float()

    upper = texel(top_i, left_i) * (1 - part_u) + texel(top_i, right_i) * part_u
    lower = texel(bottom_i, left_i) * (1 - part_u) + texel(bottom_i, right_i) * part_u
    colour = upper * (1 - part_v) + lower * part_v

    # something worn on the face, in the frame "eyes to mouth"
    du, dv = u - get(AXIS), v - get(AXIS + 1)
    ax, ay = get(AXIS + 2), get(AXIS + 3)
    square = (ax * ax + ay * ay).clamp(min=1.0)
    along, across = (du * ax + dv * ay) / square, (dv * ax - du * ay).abs() / square
    cover = get(COVER)
    worn_mask = (along > 0.42 + 0.12 * across) & (along < 1.75) & (across < 0.95 - 0.35 * (along - 0.9).clamp(min=0))
    worn_band = (along.abs() < 0.2) & (across < 0.85)
    worn = ((cover == MASK) & worn_mask) | ((cover == BAND) & worn_band)
    ink = torch.stack([get(INK), get(INK + 1), get(INK + 2)], 1) * (1.1 - 0.25 * across.unsqueeze(1))
    colour = torch.where(worn.unsqueeze(1), ink, colour)

    grey = get(GREY).unsqueeze(1)
    luma = (0.299 * colour[:, 0] + 0.587 * colour[:, 1] + 0.114 * colour[:, 2]).unsqueeze(1)
    colour = colour + (luma - colour) * grey
    gain = torch.stack([get(GAIN), get(GAIN + 1), get(GAIN + 2)], 1)
    bias = torch.stack([get(BIAS), get(BIAS + 1), get(BIAS + 2)], 1)
    colour = ((colour - 128) * gain + 128 + bias).clamp(0, 255)
    canvas = canvas + (colour - canvas) * alpha.unsqueeze(1)
    owner = torch.where(alpha > 0.5, number * 65536 + tile, owner)
    return canvas, owner
