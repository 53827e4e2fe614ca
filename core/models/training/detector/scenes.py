"""Random scenes: where which picture stands, how large, how turned, how lit; and the labels that follow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from . import layers as L
from .atlas import LEVELS, Atlas

FACES = 128  # labels kept per canvas
# tiles per side of the main grid and how often; 0 = a scene without faces
GRIDS = ((0, 0.05), (1, 0.24), (2, 0.16), (3, 0.12), (4, 0.11), (6, 0.12), (8, 0.10), (12, 0.10))


@dataclass
class Labels:
    boxes: Tensor  # batch x FACES x 4: x1 y1 x2 y2 on the canvas
    landmarks: Tensor  # batch x FACES x 5 x 2
    kinds: Tensor  # batch x FACES: 0 none, 1 face, 2 ignore
    marked: Tensor  # batch x FACES: 1 where the landmarks count
    lit: Tensor  # batch x 1 x side x side: 0 in the dark bars that pad a picture on the right and below


class Director:
    def __init__(self, atlas: Atlas, side: int, batch: int, seed: int, compiled: bool = False) -> None:
        self.atlas, self.side, self.batch = atlas, side, batch
        self.device = atlas.pixels.device
        self.random = torch.Generator(self.device).manual_seed(seed)
        self.paint = torch.compile(L.paint, dynamic=False) if compiled else L.paint
        self.negatives = torch.arange(atlas.faces, len(atlas.sizes), device=self.device)
        self.clear = torch.nonzero(atlas.clear[:, 2] > 0)[:, 0]
        self.grids = torch.tensor([g for g, _ in GRIDS], device=self.device, dtype=torch.float32)
        self.grid_weights = torch.tensor([w for _, w in GRIDS], device=self.device)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.rand(shape, generator=self.random, device=self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random, device=self.device)

    def scene(self) -> tuple[Tensor, Labels]:
        """A batch of canvases (0..255 float) and their labels."""
        side, batch = float(self.side), self.batch
        grid = self.grids[torch.multinomial(self.grid_weights, batch, True, generator=self.random)]
        empty = grid == 0
        main_cell = side / grid.clamp(min=1)
        ground_cell = torch.where(self.uniform(batch) < 0.5, torch.full_like(grid, side), side * self.uniform(batch, low=0.2, high=0.6))
        extra_cell = side / (2 + 6 * self.uniform(batch))
        over_cell = side / (2 + 6 * self.uniform(batch))
        rate = self.uniform(batch, low=0.55, high=1.0)
        specs = (
            # tiles, cell, share of tiles shown, share of those with a face, jitter of the grid
            (49, ground_cell, torch.ones_like(rate), torch.zeros_like(rate), True),
            (169, main_cell, rate, torch.where(empty, 0.0, self.uniform(batch, low=0.7, high=1.0)), False),
            (81, extra_cell, 0.15 * (self.uniform(batch) < 0.5), torch.where(empty, 0.0, 0.7), True),
            (81, over_cell, 0.10 * (self.uniform(batch) < 0.5), torch.zeros_like(rate), True),
        )
        canvas = torch.full((batch, 3, self.side, self.side), 128.0, device=self.device)
        owner = torch.full((batch, self.side, self.side), -1, device=self.device, dtype=torch.long)
        drawn = []
        for number, (tiles, cell, shown, with_face, shifted) in enumerate(specs):
            layer, faces = self.layer(tiles, cell, shown, with_face, shifted, ground=number == 0, over=number == 3)
            canvas, owner = self.paint(
                canvas, owner, self.atlas.pixels, layer.table, layer.cell, layer.origin, layer.columns, number
            )
            drawn.append((layer, faces))
        barred = self.uniform(batch, 1) < 0.12
        end = torch.where(barred, side * (1 - 0.35 * self.uniform(batch, 2)), side)
        grid_at = torch.arange(self.side, device=self.device)
        lit = (grid_at.view(1, 1, -1) < end[:, :1, None]) & (grid_at.view(1, -1, 1) < end[:, 1:, None])
        return canvas, self.labels(drawn, torch.where(lit, owner, -1), lit)

    def layer(
        self, tiles: int, cell: Tensor, shown: Tensor, with_face: Tensor, shifted: bool, ground: bool, over: bool
    ) -> tuple[L.Layer, Tensor]:
        """A layer's table and, per tile, whether its faces are labels."""
        batch, side, atlas, shape = self.batch, float(self.side), self.atlas, (self.batch, tiles)
        origin = self.uniform(batch, 2) * cell[:, None] * float(shifted)
        columns = torch.ceil((side + origin[:, 0]) / cell - 1e-4)
        rows = torch.ceil((side + origin[:, 1]) / cell - 1e-4)
        number = torch.arange(tiles, device=self.device).expand(shape)
        column, row = number % columns[:, None], torch.div(number, columns[:, None], rounding_mode="floor")
        centre_x = (column + 0.5) * cell[:, None] - origin[:, :1]
        centre_y = (row + 0.5) * cell[:, None] - origin[:, 1:]
        wide = cell[:, None].expand(shape)
        visible = (row < rows[:, None]) & (self.uniform(*shape) < shown[:, None])
        face = (self.uniform(*shape) < with_face[:, None]) & visible

        # pictures with a face
        picture = torch.multinomial(atlas.weights, batch * tiles, True, generator=self.random).view(shape)
        slot = (self.uniform(*shape) * atlas.certain[picture]).long()
        box = atlas.boxes[picture, slot]
        size = torch.sqrt((box[..., 2] - box[..., 0]).clamp(min=4) * (box[..., 3] - box[..., 1]).clamp(min=4))
        common = torch.exp(self.uniform(batch, 1, low=math.log(0.2), high=math.log(1.05)))
        own = torch.exp(self.uniform(*shape, low=math.log(0.2), high=math.log(1.05)))
        alike = self.uniform(batch, 1) < 0.5
        target = wide * torch.where(alike, common * torch.exp(0.2 * self.normal(*shape)), own)
        scale = torch.minimum(target.clamp(min=6.0) / size, torch.full_like(size, 6.0))
        jitter = torch.where(wide > side * 0.6, 0.36, 0.2) * wide
        face_x = centre_x + self.uniform(*shape, low=-1, high=1) * jitter
        face_y = centre_y + self.uniform(*shape, low=-1, high=1) * jitter
        middle_u, middle_v = (box[..., 0] + box[..., 2]) / 2, (box[..., 1] + box[..., 3]) / 2
        # a part of the tiles show the whole picture as it was taken, whatever size its faces have
        whole = (self.uniform(*shape) < 0.3) & (wide > 60)
        large = atlas.sizes[picture]
        fit = wide * self.uniform(*shape, low=0.6, high=1.4) / large.amax(-1)
        scale = torch.where(whole, fit.clamp(max=4.0), scale)
        middle_u = torch.where(whole, large[..., 0] / 2, middle_u)
        middle_v = torch.where(whole, large[..., 1] / 2, middle_v)

        # pictures without: drawn negatives, or the clear part of a picture
        part = (self.uniform(*shape) < 0.5) & (len(self.clear) > 0)
        negative = self.negatives[(self.uniform(*shape) * len(self.negatives)).long()]
        source = self.clear[(self.uniform(*shape) * len(self.clear)).long()] if len(self.clear) else negative
        bare = torch.where(part, source, negative)
        full = torch.cat([torch.zeros_like(atlas.sizes), atlas.sizes], 1)
        part_domain = atlas.clear[torch.where(part, source, 0)]
        bare_domain = torch.where(part[..., None], part_domain, full[bare])
        bare_size = (bare_domain[..., 2:] - bare_domain[..., :2]).amax(-1).clamp(min=8)
        bare_scale = wide * self.uniform(*shape, low=0.5, high=2.0) / bare_size
        bare_scale = bare_scale.clamp(max=6.0) if not ground else bare_scale.clamp(max=12.0)

        pick = face[..., None]
        picture = torch.where(face, picture, bare)
        domain = torch.where(pick, full[picture], bare_domain)
        scale = torch.where(face, scale, bare_scale)
        middle_u = torch.where(face, middle_u, (bare_domain[..., 0] + bare_domain[..., 2]) / 2)
        middle_v = torch.where(face, middle_v, (bare_domain[..., 1] + bare_domain[..., 3]) / 2)
        at_x, at_y = torch.where(face, face_x, centre_x), torch.where(face, face_y, centre_y)

        kind = self.uniform(*shape)
        turn = torch.where(kind < 0.75, self.normal(*shape) * 9, self.uniform(*shape, low=-32, high=32))
        turn = torch.where(kind > 0.95, self.uniform(*shape, low=-65, high=65), turn) * (math.pi / 180)
        mirror = torch.where(self.uniform(*shape) < 0.5, -1.0, 1.0)
        aspect = torch.exp(0.05 * self.normal(*shape))
        cos, sin = torch.cos(turn), torch.sin(turn)
        scale_u, scale_v = scale * aspect * mirror, scale / aspect
        table = torch.zeros(*shape, L.COLUMNS, device=self.device)
        a, b, c, d = cos / scale_u, sin / scale_u, -sin / scale_v, cos / scale_v
        table[..., L.AFFINE : L.AFFINE + 6] = torch.stack(
            [a, b, middle_u - a * at_x - b * at_y, c, d, middle_v - c * at_x - d * at_y], -1
        )
        table[..., L.PICTURE] = picture.float()
        sharp = -torch.log2(scale) + self.uniform(*shape, low=-0.45, high=0.35)
        table[..., L.LEVEL] = sharp.round().clamp(0, LEVELS - 1)
        table[..., L.DOMAIN : L.DOMAIN + 4] = domain

        # masks: hard or feathered rectangle, ellipse around the head, or the edge pulled outwards
        style = self.uniform(*shape)
        large = domain[..., 2:] - domain[..., :2]
        table[..., L.WRAP] = torch.where(face, torch.where(style > 0.88, L.CLAMP, L.OPEN), torch.where((style > 0.6) | ground, L.REFLECT, L.OPEN))
        oval = (style < 0.4) & (not ground) & ~(face & whole)
        reach = torch.where(face & ~whole, size, large.amax(-1) * 0.5)
        radius_u = torch.where(oval, reach * self.uniform(*shape, low=0.62, high=1.3), 1e6)
        radius_v = torch.where(oval, reach * self.uniform(*shape, low=0.72, high=1.5), 1e6)
        lean = torch.where(oval & face, self.uniform(*shape, low=-0.1, high=0.25), 0.0) * reach
        table[..., L.ELLIPSE] = middle_u
        table[..., L.ELLIPSE + 1] = middle_v + lean
        table[..., L.ELLIPSE + 2], table[..., L.ELLIPSE + 3] = radius_u, radius_v
        feather = torch.where(self.uniform(*shape) < 0.4, 0.02, self.uniform(*shape, low=0.03, high=0.35))
        table[..., L.SOFT] = (feather * reach).clamp(min=0.5)

        # light
        strength = torch.exp(0.2 * self.normal(*shape))
        dark = self.uniform(*shape) < 0.06
        table[..., L.GAIN : L.GAIN + 3] = torch.where(dark, 0.45, strength)[..., None] * torch.exp(0.07 * self.normal(*shape, 3))
        table[..., L.BIAS : L.BIAS + 3] = torch.where(dark, -55.0, 16 * self.normal(*shape))[..., None] + 5 * self.normal(*shape, 3)
        table[..., L.GREY] = torch.where(self.uniform(*shape) < 0.12, 1.0, 0.25 * self.uniform(*shape))

        # worn things
        points = atlas.landmarks[torch.where(face, picture, 0), slot]
        eyes, mouth = (points[..., 0, :] + points[..., 1, :]) / 2, (points[..., 3, :] + points[..., 4, :]) / 2
        table[..., L.AXIS : L.AXIS + 2] = eyes
        table[..., L.AXIS + 2 : L.AXIS + 4] = mouth - eyes
        worn = self.uniform(*shape)
        real = face & (atlas.kinds[torch.where(face, picture, 0), slot] == 1)
        table[..., L.COVER] = torch.where(real & (worn < 0.06), L.MASK, torch.where(real & (worn > 0.965), L.BAND, L.NONE))
        table[..., L.INK : L.INK + 3] = self.uniform(*shape, 1, low=10, high=240) + 30 * self.normal(*shape, 3)
        table[..., L.SHOWN] = visible.float()
        return L.Layer(table, cell, origin, columns), face

    def labels(self, drawn: list[tuple[L.Layer, Tensor]], owner: Tensor, lit: Tensor) -> Labels:
        atlas, batch, side = self.atlas, self.batch, float(self.side)
        found = []
        steps = torch.linspace(-0.8, 0.8, 5, device=self.device)
        spot = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).view(-1, 2) * 0.5
        for number, (layer, faces) in enumerate(drawn):
            if number not in (1, 2):
                continue
            table, tiles = layer.table, layer.table.shape[1]
            picture = torch.where(faces, table[..., L.PICTURE].long(), 0)
            kinds = torch.where(faces[..., None], atlas.kinds[picture], 0).long()
            box, points = atlas.boxes[picture], atlas.landmarks[picture]
            a, b, e, c, d, f = table[..., L.AFFINE : L.AFFINE + 6].unbind(-1)
            det = a * d - b * c
            inverse = torch.stack([d, -b, -c, a], -1).view(batch, tiles, 2, 2) / det[..., None, None]
            shift = torch.stack([e, f], -1)

            def onto(p: Tensor) -> Tensor:  # batch x tiles x slots x k x 2, picture -> canvas
                return torch.einsum("btij,btskj->btski", inverse, p - shift[:, :, None, None])

            middle = (box[..., :2] + box[..., 2:]) / 2
            extent = box[..., 2:] - box[..., :2]
            centre = onto(middle[..., None, :])[..., 0, :]
            half = torch.sqrt(torch.einsum("btij,btsj->btsi", inverse**2, (extent / 2) ** 2))
            spots = onto(middle[..., None, :] + spot * extent[..., None, :])
            x, y = spots[..., 0], spots[..., 1]
            on_canvas = (x >= 0) & (y >= 0) & (x < side) & (y < side)
            xi, yi = x.long().clamp(0, self.side - 1), y.long().clamp(0, self.side - 1)
            index = torch.arange(batch, device=self.device).view(-1, 1, 1, 1)
            mine = number * 65536 + torch.arange(tiles, device=self.device).view(1, -1, 1, 1)
            seen = (on_canvas & (owner[index, yi, xi] == mine)).float().mean(-1)
            marks = onto(points)
            flipped = marks[..., (1, 0, 2, 4, 3), :]
            marks = torch.where((det < 0)[..., None, None, None], flipped, marks)
            found.append(
                [v.flatten(1, 2) for v in (torch.cat([centre - half, centre + half], -1), marks, kinds, seen)]
            )
        boxes, marks, kinds, seen = (torch.cat([f[place] for f in found], 1) for place in range(4))
        clipped = boxes.clamp(0, side)
        size = torch.sqrt(((boxes[..., 2:] - boxes[..., :2]).clamp(min=0)).prod(-1))
        small = (clipped[..., 2:] - clipped[..., :2]).amin(-1)
        face = ((kinds == 1) | (kinds == 3)) & (seen >= 0.5) & (size >= 7) & (small >= 4)
        ignore = (kinds > 0) & ~face & (seen >= 0.1) & (size >= 3)
        kind = torch.where(face, 1, torch.where(ignore, 2, 0))
        marked = face & (kinds == 1) & (seen >= 0.7) & (size >= 9)
        # the certain ones first; within a kind the order is random, so that an overflow is not systematic
        order = torch.where(kind == 1, 2.0, torch.where(kind == 2, 1.0, 0.0)) + 0.9 * self.uniform(*kind.shape)
        top = order.topk(FACES, dim=1).indices
        rows = torch.arange(batch, device=self.device)[:, None]
        return Labels(clipped[rows, top], marks[rows, top], kind[rows, top], marked[rows, top].float(), lit[:, None])
