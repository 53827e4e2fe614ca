"""Makes faces.tsv, similarities.tsv, pixels.tsv and gallery.tsv without the library: OpenCV decodes, resizes and
aligns, ONNX Runtime runs the bundled networks, numpy compares. Run in this folder:

    python expected.py        # numpy, opencv-python-headless, onnxruntime
    FACEPRINT_BLESS=1 cargo test -p faceprint --test conformance    # the last column of similarities.tsv
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[1]
IMAGES = CORE.parent / "examples/images"
ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
SCORE, IOU, LARGEST = 0.55, 0.4, 320.0  # from the bundled manifest

detector = onnxruntime.InferenceSession(CORE / "models/faceprint-detector-v1.onnx")
embedder = onnxruntime.InferenceSession(CORE / "models/faceprint-embedder-v1.onnx")


def look(rgb: np.ndarray, scale: float) -> np.ndarray:
    """Rows of score, x, y, width, height and five landmarks, in pixels of `rgb`."""
    height, width = rgb.shape[:2]
    size = (round(width * scale), round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR) if size != (width, height) else rgb
    canvas = np.zeros((-(-size[1] // 32) * 32, -(-size[0] // 32) * 32, 3), np.float32)
    canvas[: size[1], : size[0]] = small
    outputs = detector.run(None, {detector.get_inputs()[0].name: canvas.transpose(2, 0, 1)[None]})
    rows = []
    for level, stride in enumerate((8, 16, 32)):
        cls, obj, box, kps = (outputs[level + 3 * k][0] for k in range(4))
        score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        lines, columns = np.divmod(np.arange(len(score)), canvas.shape[1] // stride)
        cell = np.column_stack([columns, lines])
        center, sides = (cell + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
        points = (np.tile(cell, 5) + kps) * stride
        rows.append(np.column_stack([score, center - sides / 2, sides, points]))
    rows = np.concatenate(rows)
    rows = rows[rows[:, 0] >= SCORE]
    rows[:, 1:] /= size[0] / width if width > height else size[1] / height
    return rows


def find(rgb: np.ndarray) -> np.ndarray:
    """The faces of a picture, from left to right: two looks, then greedy suppression."""
    longest = max(rgb.shape[:2])
    fine = min(640 / longest, 1.0)
    rows = [look(rgb, fine)]
    if longest * fine > LARGEST:
        coarse = look(rgb, LARGEST / 2 / longest)
        rows.append(coarse[np.minimum(coarse[:, 3], coarse[:, 4]) >= LARGEST / 2 / fine])
    rows = np.concatenate(rows)
    kept: list[np.ndarray] = []
    for row in rows[np.argsort(-rows[:, 0], kind="stable")]:
        if all(overlap(row, other) <= IOU for other in kept):
            kept.append(row)
    return np.array(sorted(kept, key=lambda row: row[1]))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    low, high = np.maximum(a[1:3], b[1:3]), np.minimum(a[1:3] + a[3:5], b[1:3] + b[3:5])
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (a[3] * a[4] + b[3] * b[4] - shared)


def template(rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    points = landmarks.reshape(5, 2)
    # The least-squares similarity (Umeyama 1991) as a linear system in (a, b, x, y).
    rows = [[[x, -y, 1, 0], [y, x, 0, 1]] for x, y in points]
    a, b, x, y = np.linalg.lstsq(np.concatenate(rows), ARCFACE_112.reshape(-1), rcond=None)[0]
    crop = cv2.warpAffine(rgb, np.array([[a, -b, x], [b, a, y]]), (112, 112), flags=cv2.INTER_LINEAR)
    tensor = ((crop.astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)[None]
    vector = embedder.run(None, {embedder.get_inputs()[0].name: tensor})[0][0].astype(np.float64)
    return vector / np.linalg.norm(vector)


def read(name: str) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(IMAGES / name)), cv2.COLOR_BGR2RGB)


def write(name: str, head: str, rows: list[list[object]]) -> None:
    lines = ["\t".join(str(cell) for cell in row) for row in rows]
    (HERE / name).write_text("\n".join([head.replace(" ", "\t"), *lines]) + "\n")


def pictures() -> None:
    names = [str(path.relative_to(IMAGES)) for path in sorted(IMAGES.rglob("*.jpg"))]
    found = {name: find(read(name)) for name in names}
    marks = "left_eye right_eye nose left_mouth right_mouth".split()
    head = "picture face score x y width height " + " ".join(f"{mark}_{axis}" for mark in marks for axis in "xy")
    rows = [
        [name, k, f"{row[0]:.3f}", *(f"{value:.2f}" for value in row[1:])]
        for name in names
        for k, row in enumerate(found[name])
    ]
    write("faces.tsv", head, rows)

    templates = {name: [template(read(name), row[5:]) for row in found[name]] for name in names}
    first = [(name, 0) for name in names if name.startswith("people/") and name.endswith("/1.jpg")]
    others = [(f"people/{name.split('/')[1]}/2.jpg", 0) for name, _ in first]
    others += [("group.jpg", k) for k in range(len(found["group.jpg"]))]
    others += [(name, 0) for name in names if name.startswith("probes/") and "-4" in name]
    write(
        "similarities.tsv",
        "a a_face b b_face opencv cosine",
        [
            [*a, *b, f"{templates[a[0]][a[1]] @ templates[b[0]][b[1]]:.5f}", 0]
            for k, a in enumerate(first)
            for b in others + first[k + 1 :]
        ],
    )


def stored(upright: np.ndarray, exif: int) -> np.ndarray:
    """The pixels of a file whose orientation tag `exif` says how to make it upright: the inverse of EXIF's table."""
    turn = {1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1]}
    turn |= {5: lambda p: p.swapaxes(0, 1), 6: lambda p: np.rot90(p, 1)}
    turn |= {7: lambda p: p[::-1, ::-1].swapaxes(0, 1), 8: lambda p: np.rot90(p, -1)}
    return np.ascontiguousarray(turn[exif](upright))


def encode(rgb: np.ndarray, form: str) -> tuple[list[np.ndarray], np.ndarray]:
    """The planes of `rgb` in a format, and the picture that OpenCV reads back from them."""
    alpha = np.full((*rgb.shape[:2], 1), 7, np.uint8)
    packed = {"rgb8": rgb, "bgr8": rgb[..., ::-1]}
    packed |= {"rgba8": np.dstack([rgb, alpha]), "bgra8": np.dstack([rgb[..., ::-1], alpha])}
    if form in packed:
        return [packed[form]], rgb
    if form == "gray8":
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        return [gray], np.dstack([gray] * 3)
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    height, width = rgb.shape[:2]
    y, chroma = yuv[:height], yuv[height:].reshape(2, height // 2, width // 2)
    back = cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB_I420)
    if form == "i420":
        return [y, chroma[0], chroma[1]], back
    pairs = np.dstack(list(chroma if form == "nv12" else chroma[::-1])).reshape(height // 2, width)
    return [y, pairs], back


def pixels() -> None:
    upright = cv2.resize(read("people/elva/1.jpg"), (96, 104), interpolation=cv2.INTER_AREA)
    reference = template(upright, find(upright)[0][5:])
    forms = "rgb8 bgr8 rgba8 bgra8 gray8 nv12 nv21 i420".split()
    cases = [(form, 1, 0) for form in forms] + [("nv21", exif, 0) for exif in range(2, 9)]
    cases += [(form, 6, 4) for form in ("rgb8", "gray8", "nv12", "i420")]
    rows = []
    for form, exif, padding in cases:
        planes, back = encode(stored(upright, exif), form)
        height, width = back.shape[:2]
        stride = planes[0].reshape(height, -1).shape[1] + padding
        data = b""
        for k, plane in enumerate(planes):
            lines = plane.reshape(plane.shape[0], -1)
            room = stride // 2 if form == "i420" and k else stride
            data += np.pad(lines, ((0, 0), (0, room - lines.shape[1])), constant_values=0xAA).tobytes()
        name = f"pixels/{form}-{exif}{'-padded' if padding else ''}.bin"
        (HERE / name).write_bytes(data)
        # What OpenCV reads back, turned upright: stored() is its own inverse but for the quarter turns.
        seen = stored(back, {6: 8, 8: 6}.get(exif, exif))
        cosine = template(seen, find(seen)[0][5:]) @ reference
        rows.append([name, form, width, height, stride, exif, f"{cosine:.4f}"])
    write("pixels.tsv", "file format width height stride orientation cosine", rows)


def values(seed: int) -> np.ndarray:
    """The generator of README.md."""
    state, out = seed, []
    for _ in range(128):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append((state >> 40) / 2**23 - 1)
    return np.array(out)


def vector(text: str) -> np.ndarray:
    """`7`, or `7+0.5*9`."""
    base, _, rest = text.partition("+")
    total = values(int(base))
    if rest:
        weight, _, other = rest.partition("*")
        total = total + float(weight) * values(int(other))
    total = total.astype(np.float32).astype(np.float64)
    return total / np.linalg.norm(total)


class People:
    """What a tenant should do, in a few lines: subject -> vectors, in the order of enrolment."""

    def __init__(self) -> None:
        self.who: dict[str, list[np.ndarray]] = {}
        self.expired: set[str] = set()

    def ranked(self, probe: np.ndarray, among: list[str] | None = None) -> list[tuple[str, float]]:
        best = {
            name: max(float(probe @ one) for one in rows)
            for name, rows in self.who.items()
            if rows and name not in self.expired and (among is None or name in among)
        }
        return sorted(best.items(), key=lambda item: -item[1])

    def enroll(self, name: str, text: str) -> str:
        probe = vector(text)
        rivals = [item for item in self.ranked(probe) if item[0] != name and item[1] >= 0.6]
        if rivals:
            return f"duplicate {rivals[0][0]} {rivals[0][1]:.5f}"
        if name in self.expired:
            self.expired.remove(name)
            self.who[name] = []
        self.who.setdefault(name, []).append(probe)
        return "added"

    def identify(self, text: str, top: int, least: float, roster: str) -> str:
        among = None if roster == "*" else [] if roster == "-" else roster.split(",")
        hits = [hit for hit in self.ranked(vector(text), among) if hit[1] >= least][:top]
        return ",".join(f"{name}={similarity:.5f}" for name, similarity in hits) or "-"

    def decide(self, text: str, least: float, margin: float) -> str:
        hits = self.ranked(vector(text))
        if not hits or hits[0][1] < least:
            return "nobody"
        close = [name for name, similarity in hits if hits[0][1] - similarity < margin or name == hits[0][0]]
        return f"match {hits[0][0]}" if len(close) == 1 else "ambiguous " + ",".join(close[:3])

    def verify(self, name: str, text: str) -> str:
        if name not in self.who or name in self.expired:
            return "error 306"
        probe = vector(text)
        return f"{max(float(probe @ one) for one in self.who[name]):.5f}"

    def erase(self, name: str) -> str:
        if name not in self.who:
            return "error 306"
        self.expired.discard(name)
        return f"erased 1 {len(self.who.pop(name))}"

    def subjects(self) -> str:
        return ",".join(sorted(set(self.who) - self.expired)) or "-"


def gallery() -> None:
    tenants: dict[str, People] = {}
    rows: list[list[object]] = []

    def step(op: str, tenant: str = "-", *arguments: object, expected: str = "ok") -> None:
        cells = [str(argument) for argument in arguments]
        rows.append([op, tenant, *cells, *["-"] * (4 - len(cells)), expected])

    def do(op: str, tenant: str, *arguments: object) -> None:
        people = tenants.setdefault(tenant, People())
        step(op, tenant, *arguments, expected=getattr(people, op)(*arguments))

    step("create", "-", 1)
    step("create", "-", 1, expected="error 301")
    for k in range(1, 13):
        do("enroll", "acme", f"s{k:02}", f"{k}")
    do("enroll", "acme", "s01", "1+0.5*101")
    do("enroll", "acme", "s01", "1+0.9*102")
    do("enroll", "acme", "twin", "5+0.4*105")  # looks like s05
    do("enroll", "acme", "Zoë Ångström", "200")
    do("enroll", "other", "s05", "5")  # tenants do not see one another
    do("subjects", "acme")
    do("subjects", "other")
    for probe in ("3", "1+0.45*101", "1+1*102", "5+0.8*6", "200+0.3*9", "999"):
        do("identify", "acme", probe, 3, -1.0, "*")
        do("identify", "acme", probe, 3, 0.4, "*")
    do("identify", "acme", "5+0.8*6", 1, 0.0, "*")
    do("identify", "acme", "5+0.8*6", 10, 0.0, "s06,s07,nobody")
    do("identify", "acme", "5+0.8*6", 10, -1.0, "-")
    do("identify", "other", "5+0.8*6", 10, -1.0, "*")
    do("identify", "acme", "5", 0, -1.0, "*")
    do("decide", "acme", "5+0.2*6", 0.5, 0.2)
    do("decide", "acme", "5+0.95*6", 0.5, 0.2)
    do("decide", "acme", "999", 0.5, 0.2)
    do("verify", "acme", "s05", "5+0.8*6")
    do("verify", "acme", "s06", "5+0.8*6")
    do("verify", "acme", "Zoë Ångström", "201")
    do("verify", "acme", "nobody", "5")
    # Who has expired is not there; who expires in the year 2100 is.
    step("expire", "acme", "s07", 4102444800000)
    step("expire", "acme", "s08", 978307200000)
    tenants["acme"].expired.add("s08")
    do("verify", "acme", "s08", "8")
    do("verify", "acme", "s07", "7")
    do("identify", "acme", "8", 1, 0.9, "*")
    do("subjects", "acme")
    do("enroll", "acme", "s08", "108")  # starts afresh
    do("verify", "acme", "s08", "8")
    do("erase", "acme", "s01")
    do("erase", "acme", "s01")
    do("identify", "acme", "1", 1, 0.5, "*")
    # Keys: another way in, then all keys anew.
    step("rotate", "-", 2)
    step("open", "-", 1, expected="error 302")
    step("open", "-", 2)
    do("identify", "acme", "3", 2, -1.0, "*")
    step("rekey", "-", 3)
    step("open", "-", 2, expected="error 302")
    step("open", "-", 3)
    do("identify", "acme", "3", 2, -1.0, "*")
    step("check")
    step("compact")
    step("tenants", expected="acme,other")
    step("erase_tenant", "other", expected="erased 1 1")
    step("erase_tenant", "other", expected="error 307")
    step("tenants", expected="acme")
    do("subjects", "acme")
    write("gallery.tsv", "op tenant a b c d expected", rows)


if __name__ == "__main__":
    gallery()
    pictures()
    pixels()
