"""The suite that every language runs: core/testdata/conformance, see its README."""

import csv
import functools
import pathlib
import time

import numpy as np
import pytest
from conftest import CONFORMANCE, IMAGES

import faceprint
from faceprint import Engine, Gallery, Image, ModelPack, Template


def rows(name: str) -> list[dict[str, str]]:
    with open(CONFORMANCE / name, encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert found and all(None not in row.values() for row in found)
    return found


@pytest.fixture(scope="module", params=["rten", "onnxruntime"])
def backend(request: pytest.FixtureRequest) -> Engine:
    try:
        return Engine(backend=request.param)
    except faceprint.BackendUnavailableError:
        pytest.skip("no ONNX Runtime")


def left_to_right(engine: Engine, picture: str) -> list[faceprint.Face]:
    return sorted(engine.analyze(IMAGES / picture), key=lambda face: face.detection.bounds.x)


def test_faces(backend: Engine) -> None:
    table = rows("faces.tsv")
    for picture in dict.fromkeys(row["picture"] for row in table):
        expected = [row for row in table if row["picture"] == picture]
        found = left_to_right(backend, picture)
        assert len(found) == len(expected), picture
        for face, row in zip(found, expected):
            cells = list(row.values())
            assert face.detection.score == pytest.approx(float(cells[2]), abs=0.02)
            places = [*face.detection.bounds, *face.detection.landmarks.ravel()]
            assert places == pytest.approx([float(it) for it in cells[3:]], abs=1.5), picture


def test_similarities(backend: Engine) -> None:
    @functools.cache
    def faces(picture: str) -> list[faceprint.Face]:
        return left_to_right(backend, picture)

    for row in rows("similarities.tsv"):
        one, other = (faces(row[side])[int(row[f"{side}_face"])].template for side in "ab")
        assert one.similarity(other) == pytest.approx(float(row["cosine"]), abs=0.001), row


def test_pixels(backend: Engine) -> None:
    first = None
    for row in rows("pixels.tsv"):
        image = Image.from_buffer(
            (CONFORMANCE / row["file"]).read_bytes(),
            int(row["width"]),
            int(row["height"]),
            format=row["format"],
            stride=int(row["stride"]),
            orientation=int(row["orientation"]),
        )
        (face,) = backend.analyze(image)
        first = first or face.template
        assert face.template.similarity(first) == pytest.approx(float(row["cosine"]), abs=0.01), row


def seeded(seed: int) -> np.ndarray:
    values = np.empty(128)
    for at in range(128):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        values[at] = (seed >> 40) / 8388608 - 1
    return values


def vector(text: str, space: str = "01" * 32) -> Template:
    if "+" in text:
        seed, rest = text.split("+")
        weight, other = rest.split("*")
        return Template((seeded(int(seed)) + float(weight) * seeded(int(other))).astype(np.float32), space)
    return Template(seeded(int(text)).astype(np.float32), space)


class File:
    """The gallery file of `gallery.tsv`."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.gallery: Gallery | None = None

    def run(self, op: str, tenant: str, a: str, b: str, c: str, d: str) -> str:
        key = bytes([int(a)] * 32) if op in ("create", "open", "rotate", "rekey") else b""
        if op == "create":
            self.gallery = Gallery.create(self.path, space="01" * 32, key=key)
            return "ok"
        if op == "open":
            opened = Gallery.open(self.path, key=key)
            self.gallery.close()
            self.gallery = opened
            return "ok"
        gallery = self.gallery
        match op:
            case "rotate":
                gallery.rotate_key(key=key)
            case "rekey":
                gallery.rekey(key=key)
            case "check" | "compact":
                getattr(gallery, op)()
            case "tenants":
                return ",".join(gallery.tenants()) or "-"
            case "erase_tenant":
                erased = gallery.erase_tenant(tenant)
                return f"erased {erased.subjects} {erased.templates}"
            case _:
                return self.of_tenant(gallery.tenant(tenant), op, a, b, c, d)
        return "ok"

    def of_tenant(self, tenant: faceprint.Tenant, op: str, a: str, b: str, c: str, d: str) -> str:
        match op:
            case "enroll":
                match tenant.enroll(a, vector(b)):
                    case faceprint.Duplicate(of, similarity):
                        return f"duplicate {of} {similarity:.6f}"
                    case _:
                        return "added"
            case "identify":
                among = {"*": None, "-": []}.get(d, d.split(","))
                hits = tenant.identify(vector(a), top=int(b), at_least=float(c), among=among)
                return ",".join(f"{hit.subject}={hit.similarity:.6f}" for hit in hits) or "-"
            case "decide":
                match tenant.decide(vector(a), at_least=float(b), margin=float(c), top=3):
                    case faceprint.Match(subject):
                        return f"match {subject}"
                    case faceprint.Ambiguous(hits):
                        return "ambiguous " + ",".join(hit.subject for hit in hits)
                return "nobody"
            case "verify":
                return f"{tenant.verify(a, vector(b)):.6f}"
            case "subjects":
                return ",".join(tenant.subjects()) or "-"
            case "expire":
                tenant.set_details(a, expires_at=int(b) / 1000)
                return "ok"
            case "erase":
                erased = tenant.erase(a)
                return f"erased {erased.subjects} {erased.templates}"
        raise AssertionError(op)


def same(found: str, expected: str) -> bool:
    """Numbers within 0.0001, the rest as it is."""

    def parts(text: str) -> list[str]:
        for mark in ",= ":
            text = text.replace(mark, f"\t{mark}\t")
        return text.split("\t")

    ours, theirs = parts(found), parts(expected)
    for one, other in zip(ours, theirs):
        if one != other and not ("." in other and abs(float(one) - float(other)) <= 1e-4):
            return False
    return len(ours) == len(theirs)


def test_gallery(tmp_path: pathlib.Path) -> None:
    file = File(tmp_path / "g.faceprint")
    table = rows("gallery.tsv")
    for number, row in enumerate(table, 2):
        cells = list(row.values())
        try:
            found = file.run(*cells[:-1])
        except faceprint.FaceprintError as error:
            found = f"error {error.code}"
        assert same(found, cells[-1]), f"line {number}: {row}: {found}"
    assert len(table) > 50


def test_errors(tmp_path: pathlib.Path) -> None:
    engine = Engine()
    words = {"empty": "", "long": "x" * 256, "newline": "a\nb"}
    for number, row in enumerate(rows("errors.tsv")):
        pairs = (pair.split("=", 1) for pair in row["arguments"].split(" "))
        given = {name: words.get(value, value) for name, value in pairs}
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(faceprint.FaceprintError) as raised:
            wrong_call(row["call"], given, folder, engine)
            pytest.fail(f"no error: {row}")
        assert raised.value.code == int(row["kind"]), f"{row}: {raised.value}"


def wrong_call(call: str, given: dict[str, str], folder: pathlib.Path, engine: Engine) -> None:
    def number(name: str, default: float) -> float:
        text = given.get(name)
        return default if text is None else float(text)

    def count(name: str, default: int) -> int:
        return int(given.get(name, default))

    def access() -> dict[str, object]:
        if "passphrase" in given:
            return {"passphrase": given["passphrase"]}
        return {"key": bytes([count("key", 1)] * 32)}

    def path() -> pathlib.Path:
        found = folder / given.get("path", "file")
        if "content" in given:
            found.write_text(given["content"])
        return found

    space = f"{count('space', 1):02x}" * 32
    pack = ModelPack.bundled()
    match call:
        case "image":
            Image.from_buffer(
                bytes(count("bytes", 1 << 20)),
                count("width", 4),
                count("height", 4),
                format=given.get("format", "rgb8"),
                stride=int(given["stride"]) if "stride" in given else None,
            )
        case "orientation":
            Image(np.zeros((4, 4, 3), np.uint8), orientation=count("exif", 1))
        case "decode":
            data = (IMAGES / given["picture"]).read_bytes() if "picture" in given else given["content"].encode()
            limits = {name: int(value) for name, value in given.items() if name.startswith("max_")}
            Image.decode(data, **limits)
        case "template":
            values = {"0": [], "zero": [0.0] * 8, "nan": [1.0, np.nan], "infinite": [1.0, np.inf]}
            Template(values[given["values"]], space)
        case "similarity":
            vector("1").similarity(vector("1", space))
        case "threshold":
            pack.threshold(number("fmr", 1e-4))
        case "threshold_for":
            pack.threshold_for(number("fpir", 0.01), count("n", 100))
        case "pack_open":
            ModelPack.open(path())
        case "engine":
            engine_options(given, folder)
        case "template_of":
            point = np.nan if given["landmarks"] == "nan" else 0.0
            landmarks = np.full((5, 2), 1.0 if np.isnan(point) else 0.0, np.float32)
            landmarks[:, 0] = point
            engine.template(np.zeros((64, 64, 3), np.uint8), landmarks)
        case "liveness":
            face = faceprint.Detection((8, 8, 32, 32), np.zeros((5, 2)))
            engine.liveness(np.zeros((64, 64, 3), np.uint8), face)
        case "create":
            if given.get("path") == "exists":
                path().touch()
            Gallery.create(path(), space="01" * 32, **access())
        case "open":
            if "content" not in given and "path" not in given:
                Gallery.create(path(), space="01" * 32, key=b"\1" * 32).close()
            Gallery.open(path(), **access())
        case "space_id":
            Template([1.0], given["id"])
        case "outbox":
            limit = count("limit", 10)
            if "path" in given:
                faceprint.Outbox.open(path(), limit=limit, **access())
            if "key" in given:
                faceprint.Outbox.create(path(), limit=limit, key=b"\1" * 32).close()
                faceprint.Outbox.open(path(), limit=limit, **access())
            faceprint.Outbox.create(path(), limit=limit, **access())
        case "event_id":
            faceprint.Outbox.create(path(), limit=1, **access()).ack(given["id"])
        case _:
            with (
                Gallery.create(folder / "g.faceprint", space="01" * 32, key=b"\1" * 32) as gallery,
                Gallery.create(folder / "other.faceprint", space="01" * 32, key=b"\1" * 32) as other,
            ):
                gallery.tenant("acme").enroll("alice", vector("1"))
                in_gallery(call, given, gallery, other, engine, space)


def engine_options(given: dict[str, str], folder: pathlib.Path) -> None:
    options: dict[str, object] = {}
    for name, value in given.items():
        match name:
            case "score_threshold" | "nms_threshold":
                options[name] = float(value)
            case "library":
                options["onnxruntime"] = folder / value
            case "backend":
                options[name] = value
            case "liveness":
                options[name] = True
            case _:
                options[name] = int(value)
    Engine(**options)


def in_gallery(
    call: str, given: dict[str, str], gallery: Gallery, other: Gallery, engine: Engine, space: str
) -> None:
    acme = gallery.tenant("acme", templates_per_subject=int(given.get("templates_per_subject", 10)))
    subject, probe = given.get("subject", "alice"), vector("1", space)
    name = given.get("id", "")
    match call:
        case "tenant":
            gallery.tenant(name)
        case "cursor":
            acme.changes_since(name)
        case "head":
            gallery.check_head(name)
        case "device_key":
            acme.export_bundle(name, time.time() + 60)
        case "signer_key":
            acme.import_bundle(b"", name)
        case "template_id":
            acme.remove_template("alice", name)
        case "enroll":
            quality = float(given["quality"]) if "quality" in given else None
            acme.enroll(given.get("id", "alice"), probe, quality=quality)
        case "identify":
            acme.identify(probe, at_least=-1)
        case "verify":
            acme.verify(subject, probe)
        case "subject":
            acme.subject(subject)
        case "erase":
            acme.erase(subject)
        case "replace":
            acme.replace(subject, probe)
        case "remove_template":
            acme.remove_template(subject, "07" * 16)
        case "set_details":
            if "metadata" in given:
                # Python gives JSON by construction: there is no way to give anything else.
                raise faceprint.InvalidArgumentError("the metadata is not JSON")
            acme.set_details(subject)
        case "index":
            acme.with_index(float(given["target_recall"]))
        case "erase_tenant":
            gallery.erase_tenant(name)
        case "remove_space":
            gallery.remove_space(space)
        case "remove_access":
            gallery.remove_access(gallery.slots()[0].id)
        case "changes":
            cursor = None
            if "cursor" in given:
                other.tenant("other").enroll("bob", vector("2"))
                cursor = other.tenant("other").changes_since().cursor
            acme.changes_since(cursor, limit=int(given.get("limit", 9)))
        case "check_head":
            gallery.check_head(other.head())
        case "export":
            acme.export_bundle(gallery.device_key(), 1)
        case "import":
            to = gallery.device_key() if "device" in given else other.device_key()
            signer = other.signer() if "signer" in given else gallery.signer()
            data = given["content"].encode() if "content" in given else None
            bundle = acme.export_bundle(to, time.time() + 3600)
            other.tenant("other").import_bundle(bundle.data if data is None else data, signer)
        case "stream":
            options = {key: int(value) for key, value in given.items()}
            faceprint.Stream(engine, acme, **options)
        case _:
            raise AssertionError(call)
