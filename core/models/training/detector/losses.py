"""Which cells answer for which face, and what they are told.

Assignment: every face has candidates in a 5 x 5 block of cells around its centre on each stride. They are
ranked by (score)^0.5 x (IoU)^3 x a prior that says which stride suits the face's size and how central the cell
is; the best few are positives, as many as the candidates' IoUs add up to (the dynamic k of SimOTA), at least two.
Only candidates are looked at, so this costs a fraction of a dense assignment.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import STRIDES
from .scenes import Labels

BLOCK = 2  # cells on each side of the central one


def corners(raw: Tensor, cell: Tensor, stride: Tensor) -> Tensor:
    """dx, dy, log w, log h in cells -> x1 y1 x2 y2 in pixels."""
    centre = (cell + raw[..., :2]) * stride
    half = torch.exp(raw[..., 2:].clamp(-6, 6)) * stride / 2
    return torch.cat([centre - half, centre + half], -1)


def overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and EIoU of boxes pairwise by place."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    iou = shared / (size_a.prod(-1) + size_b.prod(-1) - shared).clamp(min=1e-6)
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=1e-3)
    between = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    apart = between.pow(2).sum(-1) / hull.pow(2).sum(-1).clamp(min=1e-6)
    shape = ((size_a - size_b) / hull).pow(2).sum(-1)
    return iou, iou - apart - shape


class Grid:
    """The cells of all strides in one row, and each one's place."""

    def __init__(self, side: int, device: torch.device) -> None:
        cells, strides = [], []
        self.starts, self.sides = [], []
        start = 0
        for stride in STRIDES:
            n = side // stride
            row, column = torch.meshgrid(torch.arange(n, device=device), torch.arange(n, device=device), indexing="ij")
            cells.append(torch.stack([column, row], -1).view(-1, 2).float())
            strides.append(torch.full((n * n, 1), float(stride), device=device))
            self.starts.append(start)
            self.sides.append(n)
            start += n * n
        self.cell, self.stride, self.count = torch.cat(cells), torch.cat(strides), start


def losses(raw: list[Tensor], labels: Labels, grid: Grid) -> dict[str, Tensor]:
    flat = torch.cat([level.permute(0, 2, 3, 1).flatten(1, 2) for level in raw], 1).float()
    batch, device = flat.shape[0], flat.device
    boxes, kinds = labels.boxes, labels.kinds
    size = torch.sqrt((boxes[..., 2:] - boxes[..., :2]).clamp(min=1).prod(-1))
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    real = kinds == 1

    # candidates: batch x faces x (3 strides x 25)
    reach = torch.arange(-BLOCK, BLOCK + 1, device=device)
    offset = torch.stack(torch.meshgrid(reach, reach, indexing="xy"), -1).view(-1, 2)
    index, valid, prior = [], [], []
    for start, side, stride in zip(grid.starts, grid.sides, STRIDES):
        place = (centre / stride).floor().long()[:, :, None] + offset
        within = ((place >= 0) & (place < side)).all(-1)
        distance = (place.float() + 0.5) * stride - centre[:, :, None]
        inside = (distance.abs() < (boxes[..., 2:] - boxes[..., :2])[:, :, None] / 2).all(-1)
        near = (distance.abs() <= 0.75 * stride).all(-1)
        fit = torch.log2(size / (4.5 * stride))[..., None]
        spread = (distance / (0.25 * size + 0.75 * stride)[..., None, None]).pow(2).sum(-1)
        index.append((place[..., 1] * side + place[..., 0]).clamp(0, side * side - 1) + start)
        valid.append(within & (inside | near) & real[..., None] & (fit.abs() < 3.2))
        prior.append(torch.exp(-0.6 * fit**2 - 0.35 * spread))
    index, valid, prior = torch.cat(index, 2), torch.cat(valid, 2), torch.cat(prior, 2)
    faces, width = index.shape[1:]
    rows = torch.arange(batch, device=device).view(-1, 1, 1)
    with torch.no_grad():
        chosen = flat[rows, index]
        iou, _ = overlap(corners(chosen[..., 2:6], grid.cell[index], grid.stride[index]), boxes[:, :, None])
        score = (chosen[..., 0].sigmoid() * chosen[..., 1].sigmoid()).sqrt()
        rank = (score + 0.02).sqrt() * (iou + 0.05) ** 3 * prior * valid
        best = torch.where(valid, iou, 0.0).topk(8, dim=2).values.sum(2)
        wanted = best.floor().clamp(2, 7)
        order = rank.argsort(2, descending=True).argsort(2)
        taken = (order < wanted[..., None]) & valid
        # a cell that two faces want goes to the one that ranks it higher
        flat_index = index.view(batch, -1)
        rank_taken = torch.where(taken, rank + 1e-9, 0.0).view(batch, -1)
        top = torch.zeros(batch, grid.count, device=device).scatter_reduce(1, flat_index, rank_taken, "amax")
        taken = taken & (rank + 1e-9 >= top.gather(1, flat_index).view_as(rank))
        weight = taken.float()
        positives = weight.sum().clamp(min=1.0)

        target_cls = torch.zeros(batch, grid.count, device=device)
        target_cls.scatter_reduce_(1, flat_index, weight.view(batch, -1), "amax")
        target_obj = torch.zeros(batch, grid.count, device=device)
        # at least .5: a positive is never told to be background while its box is still poor
        target_obj.scatter_reduce_(1, flat_index, (weight * iou.clamp(0.5, 1)).view(batch, -1), "amax")
        counts = ignored(labels, grid).logical_not() | (target_cls > 0)

    def focal(logit: Tensor, target: Tensor) -> Tensor:
        chance = logit.sigmoid()
        cross = F.binary_cross_entropy_with_logits(logit, target, reduction="none")
        return ((target - chance).abs().pow(1.5) * cross * counts).sum() / positives

    # only the taken ones carry gradients for boxes and landmarks
    picked = torch.nonzero(taken.view(-1), as_tuple=True)[0]
    which = picked // width
    image, cell = which // faces, index.view(-1)[picked]
    out = flat[image, cell]
    stride, at = grid.stride[cell], grid.cell[cell]
    truth = boxes.view(-1, 4)[which]
    iou, eiou = overlap(corners(out[:, 2:6], at, stride), truth)
    marks = (at[:, None] + out[:, 6:].view(-1, 5, 2)) * stride[:, None]
    error = (marks - labels.landmarks.view(-1, 5, 2)[which]) / size.view(-1)[which][:, None, None]
    marked = labels.marked.view(-1)[which]
    smooth = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.015, reduction="none").mean((1, 2))
    with torch.no_grad():
        miss = (error.pow(2).sum(-1).sqrt().mean(-1) * marked).sum() / marked.sum().clamp(min=1)
    return {
        "cls": focal(flat[..., 0], target_cls),
        "obj": focal(flat[..., 1], target_obj),
        "box": 2.0 * (1 - eiou).sum() / positives,
        "landmarks": 12.0 * (smooth * marked).sum() / marked.sum().clamp(min=1),
        "iou": iou.detach().sum() / positives,
        "miss": miss,
        "positives": positives / batch,
    }


def ignored(labels: Labels, grid: Grid) -> Tensor:
    """Cells inside a box that is neither certainly a face nor certainly none."""
    x, y = ((grid.cell + 0.5) * grid.stride).unbind(-1)
    low, high = labels.boxes[..., :2], labels.boxes[..., 2:]
    hit = torch.zeros(labels.boxes.shape[0], grid.count, dtype=torch.bool, device=x.device)
    unsure = labels.kinds == 2
    for part in range(0, labels.boxes.shape[1], 32):
        s = slice(part, part + 32)
        within = (x > low[:, s, :1]) & (x < high[:, s, :1]) & (y > low[:, s, 1:]) & (y < high[:, s, 1:])
        hit |= (within & unsure[:, s, None]).any(1)
    return hit
