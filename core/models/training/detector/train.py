"""Step 2: train on canvases that are made as they are needed.

    python -m detector.train --pack runs/detector/pack --out runs/detector --steps 6000 --batch 64 --side 512

Continues from `last.pt` if there is one. `metrics.tsv` gets a line every `--log` steps. With `--seconds` the
learning rate falls to its end by then, whatever the machine's speed.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import torch

from .atlas import load
from .degrade import degrade
from .losses import Grid, losses
from .network import Detector, parameters
from .scenes import Director

SHAPE = {"stem": 16, "low": 32, "width": 64, "top": 96, "units": (1, 2, 3, 3)}
PARTS = ("cls", "obj", "box", "landmarks")


def rate(progress: float, warm: float = 0.04) -> float:
    """The learning rate's share: a short rise, then half a cosine."""
    if progress < warm:
        return 0.02 + 0.98 * progress / warm
    return 0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * min((progress - warm) / (1 - warm), 1.0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=0, help="end of the schedule in wall-clock time")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--negatives", type=int, default=1500)
    parser.add_argument("--limit", type=int, default=0, help="only so many pictures, for a trial")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--start", type=Path, help="weights to begin with (not the schedule)")
    parser.add_argument("--log", type=int, default=50)
    parser.add_argument("--save", type=int, default=500)
    options = parser.parse_args()
    begun = time.time()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    fast = device.type == "cuda"
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    atlas = load(options.pack, device, options.seed, options.negatives, options.limit)
    print(f"{atlas.faces} pictures with faces, {len(atlas.sizes) - atlas.faces} without, {time.time() - begun:.1f} s", flush=True)

    layout = torch.channels_last if fast else torch.contiguous_format
    net = Detector(**SHAPE).to(device, memory_format=layout)
    average = Detector(**SHAPE).to(device)
    decayed = [p for p in net.parameters() if p.requires_grad and p.dim() > 1]
    plain = [p for p in net.parameters() if p.requires_grad and p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": options.decay}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.99), fused=fast)
    step, spent, last = 0, 0.0, options.out / "last.pt"
    if last.exists():
        state = torch.load(last, map_location=device, weights_only=False)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["spent"]
        print("continues at step", step)
    elif options.start:
        net.load_state_dict(torch.load(options.start, map_location=device, weights_only=False)["average"])
        average.load_state_dict(net.state_dict())
    else:
        average.load_state_dict(net.state_dict())
    director = Director(atlas, options.side, options.batch, options.seed + step, options.compile)
    grid = Grid(options.side, device)
    forward = torch.compile(net, dynamic=False) if options.compile else net
    print(f"{parameters(net)} parameters on {device}", flush=True)

    def save() -> None:
        state = {"net": net.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
        torch.save({**state, "step": step, "spent": spent, "shape": SHAPE}, last.with_suffix(".tmp"))
        last.with_suffix(".tmp").replace(last)

    metrics = options.out / "metrics.tsv"
    if not metrics.exists():
        metrics.write_text("step\tseconds\tlr\t" + "\t".join(PARTS) + "\tiou\tlandmark_miss\tpositives\n")
    sums: dict[str, torch.Tensor] = {}
    clock = time.time()
    while True:
        progress = step / options.steps
        if options.seconds:
            progress = max(progress, (spent + time.time() - clock) / options.seconds)
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = options.lr * rate(progress)
        with torch.no_grad():
            canvas, labels = director.scene()
            canvas = degrade(canvas, labels.lit, director.random).contiguous(memory_format=layout)
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            raw = forward(canvas)
        parts = losses(raw, labels, grid)
        total = sum(parts[name] for name in PARTS)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0, foreach=True)
        optimiser.step()
        step += 1
        keep = min(0.998, (1 + step) / (10 + step))
        with torch.no_grad():
            floats = [(a, b) for a, b in zip(average.state_dict().values(), net.state_dict().values()) if a.is_floating_point()]
            torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - keep)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0) + value.detach()
        if step % options.log == 0:
            values = [float(sums[name]) / options.log for name in (*PARTS, "iou", "miss", "positives")]
            sums = {}
            took = spent + time.time() - clock
            line = "\t".join(f"{v:.4f}" for v in values)
            with metrics.open("a") as file:
                file.write(f"{step}\t{took:.1f}\t{optimiser.param_groups[0]['lr']:.2e}\t{line}\n")
            if step % (options.log * 4) == 0 or step <= options.log:
                print(f"step {step} {took:.0f} s  {line}", flush=True)
            if not math.isfinite(values[0]):
                raise SystemExit("the loss is no number any more")
        if step % options.save == 0:
            spent, clock = spent + time.time() - clock, time.time()
            save()
    spent += time.time() - clock
    save()
    print(f"{step} steps in {spent:.0f} s, all in {time.time() - begun:.0f} s")


if __name__ == "__main__":
    main()
