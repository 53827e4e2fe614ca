"""Step 3: distil the teachers into the student. Resumes from `--out` where it holds a checkpoint.

Every step draws a batch of new views; teachers and student see the same pixels. The loss is the cosine distance to the
512-d target plus the squared difference of the batch's two similarity matrices.
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from common.teachers import Teachers  # noqa: E402
from model import Student, cosine, cost  # noqa: E402
from views import Views  # noqa: E402

# How often a crop of each set is drawn: ordinary faces more often than masked ones.
SET_WEIGHT = {"lfw_unpaired": 1.5, "portraits": 1.0, "mask_mixed": 0.8, "masked": 0.5}


def load_crops(folder: Path, limit: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """All crops (RGB, uint8), their draw weights (0: held out), and the rows of the held-out ones."""
    names = [line.split("\t")[0] for line in (folder / "faces.tsv").read_text().splitlines()[1:]]
    held = set((folder / "held_out.txt").read_text().split())
    names = names[:: max(1, len(names) // limit)] if limit else names
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(lambda name: cv2.imread(str(folder / name))[:, :, ::-1], names))
    weights = [0.0 if n in held else SET_WEIGHT[n.rsplit("_", 2)[0]] for n in names]
    rows = [i for i, n in enumerate(names) if n in held]
    return torch.tensor(np.stack(pictures)).to(device), torch.tensor(weights), torch.tensor(rows, device=device)


def distance(student: Tensor, target: Tensor, relation: float) -> tuple[Tensor, Tensor]:
    """Loss and mean cosine."""
    unit = nn.functional.normalize(student.float(), dim=1)
    agreement = (unit * target).sum(1).mean()
    difference = unit @ unit.T - target @ target.T  # the diagonals are equal
    return 1 - agreement + relation * difference.square().mean(), agreement


def parameter_groups(model: nn.Module, decay: float) -> list[dict]:
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, keep: float) -> None:
    """Exponential moving average of weights and of batch norm's statistics."""
    mine, theirs = list(average.state_dict().values()), list(model.state_dict().values())
    floats = [i for i, value in enumerate(mine) if value.is_floating_point()]
    torch._foreach_lerp_([mine[i] for i in floats], [theirs[i] for i in floats], 1 - keep)


@torch.no_grad()
def validate(model: nn.Module, views: Views, rows: Tensor, targets: Tensor) -> dict[str, float]:
    """Mean cosine to the target and to each teacher, and the correlation of the pairwise similarities."""
    model.eval()
    out = torch.cat([model(views.plain(part)).float() for part in rows.split(128)])
    unit = nn.functional.normalize(out, dim=1)
    pairs = torch.triu_indices(len(rows), len(rows), 1, device=rows.device)
    similarities = torch.stack([(m @ m.T)[pairs[0], pairs[1]] for m in (unit, targets)])
    return {
        "cosine": (unit * targets).sum(1).mean().item(),
        "retail": cosine(out[:, :256], targets[:, :256]).mean().item(),
        "mobile": cosine(out[:, 256:], targets[:, 256:]).mean().item(),
        "relation": torch.corrcoef(similarities)[0, 1].item(),
    }


def rate(progress: float, warm: float = 0.03) -> float:
    """Linear warm-up, then half a cosine to 1 % of the peak."""
    if progress < warm:
        return progress / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warm) / (1 - warm))))


def save(out: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, step: int, views: int) -> None:
    """Two files: what is exported or resumed, and what only resuming needs."""
    weights = {"model": model.state_dict(), "average": average.state_dict(), "step": step, "views": views}
    for name, content in (("weights.pt", weights), ("optimizer.pt", optimizer.state_dict())):
        torch.save(content, out / (name + ".new"))
        (out / (name + ".new")).rename(out / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--crops", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, required=True, help="folder with the teachers' ONNX files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--relation", type=float, default=20.0, help="weight of the similarity matrices' difference")
    parser.add_argument("--retail-weight", type=float, default=0.6)
    parser.add_argument("--average", type=float, default=0.998, help="kept share of the moving average per step")
    parser.add_argument("--seconds", type=float, default=0, help="end the schedule early, at this many seconds")
    parser.add_argument("--every", type=int, default=250, help="steps between validations")
    parser.add_argument("--limit", type=int, default=0, help="use about this many crops (0: all)")
    parser.add_argument("--weights", type=Path, help="start from the averaged weights of this file, with a new schedule")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")

    crops, weights, held = load_crops(args.crops, args.limit, device)
    layout = torch.channels_last if cuda else torch.contiguous_format
    model: nn.Module = Student().to(device, memory_format=layout)
    print("parameters %d, multiply-adds %d" % cost(model), f"crops {len(crops)}, held out {len(held)}", flush=True)
    optimizer = torch.optim.AdamW(parameter_groups(model, args.decay), lr=args.rate, betas=(0.9, 0.99), fused=cuda)
    average, step, seen = copy.deepcopy(model), 0, 0
    if args.weights:
        state = torch.load(args.weights, map_location=device)
        model.load_state_dict(state["average"]), average.load_state_dict(state["average"])
        seen = state["views"]
    if (args.out / "weights.pt").exists():
        state = torch.load(args.out / "weights.pt", map_location=device)
        model.load_state_dict(state["model"]), average.load_state_dict(state["average"])
        optimizer.load_state_dict(torch.load(args.out / "optimizer.pt", map_location=device))
        step, seen = state["step"], state["views"]
        print(f"resumed at step {step}")
    views = Views(crops, weights, args.seed + 1000 * step + seen)
    teachers = Teachers(args.teachers, args.retail_weight).to(device).eval()
    with torch.no_grad():
        targets = torch.cat([teachers(views.plain(part)) for part in held.split(128)])
    if cuda:
        teachers.retail.half(), teachers.mobile.half()
        teachers.retail.to(memory_format=layout), teachers.mobile.to(memory_format=layout)
        with torch.no_grad():
            half = torch.cat([teachers(views.plain(part)) for part in held.split(128)])
        print(f"fp16 teachers against fp32: least cosine {cosine(half, targets).min().item():.5f}")
    run_student = torch.compile(model, dynamic=False) if cuda else model
    run_teachers = torch.compile(teachers, dynamic=False) if cuda else teachers

    log = args.out / "metrics.tsv"
    if not log.exists():
        log.write_text("step\tviews\tseconds\trate\tloss\tcosine\tval_cosine\tval_retail\tval_mobile\tval_relation\n")
    started, losses, agreements = begun, [], []
    first = step
    while step < args.steps:
        if step == first + 3:
            torch.cuda.synchronize() if cuda else None
            started = time.monotonic()
            print(f"ready after {started - begun:.1f} s", flush=True)
        now = time.monotonic()
        progress = step / args.steps
        if args.seconds and step > first + 3:
            progress = max(progress, (now - started) / (args.seconds - (started - begun)))
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = args.rate * rate(progress)
        with torch.no_grad():
            view = views.draw(args.batch)
            target = run_teachers(view).clone()
        model.train()
        with torch.autocast("cuda", torch.bfloat16, enabled=cuda):
            out = run_student(view.to(memory_format=layout))
        loss, agreement = distance(out, target, args.relation)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0, foreach=True)
        optimizer.step()
        step, seen = step + 1, seen + args.batch
        follow(average, model, min(args.average, step / (step + 10)))
        losses.append(loss.detach()), agreements.append(agreement.detach())
        if step % args.every == 0 or step == args.steps:
            _report(log, args, step, seen, now - begun, optimizer, losses, agreements,
                    validate(average, views, held, targets))
            losses, agreements = [], []
            if step % (4 * args.every) == 0:
                save(args.out, model, average, optimizer, step, seen)
    if losses:
        _report(log, args, step, seen, time.monotonic() - begun, optimizer, losses, agreements,
                validate(average, views, held, targets))
    save(args.out, model, average, optimizer, step, seen)
    spent = time.monotonic() - started
    print(f"{step} steps, {seen} views, {(step - first - 3) * args.batch / spent:.0f} views/s")


def _report(log: Path, args: argparse.Namespace, step: int, seen: int, seconds: float, optimizer: torch.optim.Optimizer,
            losses: list[Tensor], agreements: list[Tensor], found: dict[str, float]) -> None:
    means = [torch.stack(values).mean().item() for values in (losses, agreements)]
    row = [f"{step}", f"{seen}", f"{seconds:.0f}", f"{optimizer.param_groups[0]['lr']:.2e}"]
    row += [f"{value:.4f}" for value in (*means, *found.values())]
    with open(log, "a") as file:
        print("\t".join(row), file=file)
    print("\t".join(row), flush=True)


if __name__ == "__main__":
    main()
