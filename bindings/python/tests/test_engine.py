"""Faces, templates and quality."""

import math
import pathlib

import cv2
import numpy as np
import pytest
from conftest import IMAGES, people, shared

import faceprint
from faceprint import Chosen, Detection, Engine, Image, Policy, Rect, Refused, Rejected, Sample


def test_the_group_has_its_six_faces(engine: Engine) -> None:
    faces = sorted(engine.detect(IMAGES / "group.jpg"), key=lambda it: it.bounds.x)
    assert len(faces) == 6
    for face in faces:
        assert face.landmarks.shape == (5, 2) and face.landmarks.dtype == np.float32
        left, right, nose, *mouth = face.landmarks
        assert left[0] < nose[0] < right[0] and all(corner[1] > nose[1] for corner in mouth)
        x, y, width, height = face.bounds
        assert (face.bounds.right, face.bounds.bottom) == pytest.approx((x + width, y + height))
        assert 0.5 < face.score <= 1


def test_analyze_is_detect_template_and_quality(engine: Engine) -> None:
    picture = Image.open(people()["faro"][0])
    (face,) = engine.analyze(picture)
    (found,) = engine.detect(picture)
    assert found.bounds == face.detection.bounds
    assert engine.template(picture, found) == face.template
    assert engine.template(picture, found.landmarks) == face.template
    assert engine.template(picture, found.landmarks.tolist()) == face.template
    assert engine.quality(picture, found).to_dict() == face.quality.to_dict()
    crop = engine.crop(picture, face)
    assert crop.shape == (112, 112, 3)
    assert engine.embed([crop, crop[..., ::-1][..., ::-1]]) == [face.template] * 2
    given = Detection(tuple(found.bounds), found.landmarks, found.score)
    assert engine.quality(picture, given).score == face.quality.score
    assert engine.capture(picture).template == face.template


def test_the_crop_is_opencvs_warp(engine: Engine) -> None:
    """The same similarity by OpenCV's least squares, the same pixels by its warp."""
    picture = Image.open(people()["cira"][0]).to_numpy()
    (found,) = engine.detect(picture)
    reference = np.float32(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
    )
    source, target = found.landmarks.astype(float), reference.astype(float)
    rows = [[x, -y, 1, 0] for x, y in source] + [[y, x, 0, 1] for x, y in source]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.concatenate([target[:, 0], target[:, 1]]), rcond=None)[0]
    warped = cv2.warpAffine(picture, np.array([[a, -b, tx], [b, a, ty]]), (112, 112), borderValue=0)
    off = np.abs(engine.crop(picture, found).astype(int) - warped)
    assert off.mean() < 0.5 and np.percentile(off, 99) <= 4


def test_people_are_told_apart(engine: Engine) -> None:
    threshold = engine.threshold(1e-4)
    known = {name: [engine.capture(path) for path in paths] for name, paths in people().items()}
    assert all(isinstance(sample, Sample) for samples in known.values() for sample in samples)
    for name, samples in known.items():
        for other, others in known.items():
            for one in samples:
                for two in others:
                    if one is not two:
                        similarity = one.template.similarity(two.template)
                        assert (similarity >= threshold) == (name == other)


def test_captures_are_matched(engine: Engine) -> None:
    match engine.capture(people()["elva"][0]):
        case Sample(template, quality):
            assert template.dimension == 512 and quality.score > 60
        case other:
            pytest.fail(repr(other))
    match engine.capture(np.zeros((200, 200, 3), np.uint8)):
        case Rejected((issue,)):
            assert issue.name == "no_face" and issue.measure is None
            assert str(issue) == "no face was found"
        case other:
            pytest.fail(repr(other))
    rejected = engine.capture(IMAGES / "group.jpg")
    assert isinstance(rejected, Rejected)
    assert "several_faces" in [issue.name for issue in rejected.issues]
    assert "maximum is 50 %" in str(rejected)


def test_policies(engine: Engine) -> None:
    policy = Policy.enrollment().at_least("inter_eye_distance", 500).at_most("yaw", math.inf)
    assert policy.minimum("inter_eye_distance") == 500 and policy.maximum("yaw") is None
    strict = Engine(policy=policy)
    assert strict.policy == policy
    rejected = strict.capture(people()["elva"][0])
    assert isinstance(rejected, Rejected)
    (issue,) = rejected.issues
    assert (issue.name, issue.measure, issue.minimum, issue.maximum) == ("too_small", "inter_eye_distance", 500, None)
    quality = engine.capture(people()["elva"][0]).quality
    assert [it.name for it in policy.judge(quality)] == ["too_small"]
    assert policy.judge(quality)[0].value == quality.inter_eye_distance
    assert Engine(policy="surveillance").policy == Policy.surveillance() != Policy.any()
    with pytest.raises(ValueError, match="beauty"):
        policy.at_least("beauty", 1)


def test_the_best_of_several(engine: Engine) -> None:
    elva, faro = people()["elva"], people()["faro"]
    match engine.capture_best([elva[0], faro[0], elva[1], elva[0]], needed=3):
        case Chosen(sample, frame) as chosen:
            assert frame in (0, 2, 3) and chosen.agreeing == 3
            assert sample.template in [engine.capture(path).template for path in elva]
            ((odd, (issue,)),) = chosen.rejected
            assert odd == 1 and issue.name == "another_face"
        case other:
            pytest.fail(repr(other))
    match engine.capture_best([elva[0], faro[0]], needed=2):
        case Refused(agreeing, 2, _) as refused:
            assert agreeing < 2 and "are needed" in str(refused)
        case other:
            pytest.fail(repr(other))


def test_who_does_not_belong(engine: Engine) -> None:
    elva, faro = ([engine.capture(path) for path in people()[name]] for name in ("elva", "faro"))
    match faceprint.agreement([elva[0], faro[0], elva[1].template], engine.threshold(1e-3)):
        case faceprint.Agreement(typical, [1]) as found:
            assert typical in (0, 2) and found.similarities[typical] == 1
            assert found.similarities[1] == pytest.approx(faro[0].template.similarity(elva[typical // 2].template))
        case other:
            pytest.fail(repr(other))
    with pytest.raises(faceprint.InvalidArgumentError):
        faceprint.agreement([], 0.5)


def test_many_pictures_on_all_cores(engine: Engine) -> None:
    pictures = [path for paths in people().values() for path in paths]
    told: list[tuple[int, int]] = []
    broken = [*pictures, b"no picture", Image.open(pictures[0])]
    found = engine.analyze_all(broken, progress=lambda *it: told.append(it), return_exceptions=True)
    assert len(found) == len(broken) and sorted(told) == [(n, len(broken)) for n in range(1, len(broken) + 1)]
    assert isinstance(found[-2], faceprint.InvalidImageError)
    for path, faces in zip(pictures, found):
        assert [face.template for face in faces] == [face.template for face in engine.analyze(path)]
    assert found[-1][0].template == found[0][0].template
    with pytest.raises(faceprint.InvalidImageError):
        engine.analyze_all(broken)

    def fails(done: int, total: int) -> None:
        raise RuntimeError("of the caller")

    with pytest.raises(RuntimeError, match="of the caller"):
        engine.analyze_all(pictures[:2], progress=fails)


def test_options(pack: faceprint.ModelPack) -> None:
    group = IMAGES / "group.jpg"
    assert len(Engine(pack, max_faces=2).detect(group)) == 2
    assert Engine(pack, min_face=10_000).detect(group) == []
    assert len(Engine(pack, detection_size=320, score_threshold=0.5).detect(group)) == 6
    for wrong in (
        {"backend": "tensorflow"},
        {"provider": "abacus"},
        {"detection_size": 33},
        {"threads": 0},
        {"policy": "nice"},
        {"score_threshold": 2.0},
    ):
        with pytest.raises(ValueError) as raised:
            Engine(pack, **wrong)
        assert raised.value.code == 100
    with pytest.raises(faceprint.ModelNotFoundError):
        Engine(pack, liveness=True)
    with pytest.raises(TypeError):
        Engine(pack, 80)


def test_packs(pack: faceprint.ModelPack, tmp_path: pathlib.Path) -> None:
    assert pack.name == "bundled" and len(pack.space) == 64 and int(pack.space, 16)
    assert [model.role for model in pack.models] == ["detector", "embedder"]
    assert {model.license_class for model in pack.models} == {"permissive"}
    assert 0 < pack.threshold(1e-2) < pack.threshold(1e-3) < pack.threshold(1e-4) < 1
    few, many = pack.threshold_for(0.01, 50), pack.threshold_for(0.01, 5_000)
    assert few.similarity < many.similarity and many.extrapolated and not few.extrapolated
    assert few.fmr == pytest.approx(1 - 0.99 ** (1 / 50)) and few.ci95[1] <= few.fmr
    assert "yunet-sface" in faceprint.ModelPack.catalog()
    found = faceprint.ModelPack.find("yunet-sface")
    assert found.liveness_threshold is not None
    with pytest.raises(faceprint.ModelNotFoundError):
        faceprint.ModelPack.find("yunet-sfacee")
    copy = tmp_path / "pack"
    copy.mkdir()
    models = pathlib.Path(__file__).parents[3] / "core" / "models"
    for file in ("faceprint.toml", *(model.file for model in pack.models)):
        (copy / file).write_bytes((models / file).read_bytes())
    assert faceprint.ModelPack.open(copy).space == pack.space
    damaged = bytearray((copy / pack.models[1].file).read_bytes())
    damaged[1000] ^= 1
    (copy / pack.models[1].file).write_bytes(damaged)
    with pytest.raises(faceprint.ModelCorruptError, match="sha256|SHA-256"):
        Engine(faceprint.ModelPack.open(copy))


def test_licences_are_asked_for(shared_pack) -> None:
    pack = shared_pack("yunet-mbf")
    with pytest.raises(faceprint.LicenseNotAcceptedError) as raised:
        Engine(pack)
    assert raised.value.code == 204
    assert Engine(pack, accept_licenses=["InsightFace-non-commercial"]).pack.name == pack.name


def test_the_golden_crops_and_embeddings_are_made_anew(shared_pack, golden: dict) -> None:
    """InsightFace's norm_crop of SCRFD's landmarks, and ONNX Runtime's embeddings of those crops."""
    folder = shared("golden")
    engine = Engine(shared_pack("yunet-mobileface"))
    seen = 0
    for case in golden["cases"]:
        picture = cv2.imread(str(folder / "images" / case["image"]))
        for face in case["scrfd_det_500m"][:4]:
            wanted = cv2.imread(str(folder / "crops" / face["crop"]))
            crop = engine.crop(picture, face["landmarks"], format="bgr")
            assert np.abs(crop[..., ::-1].astype(int) - wanted).max() <= 2
            (template,) = engine.embed([wanted], format="bgr")
            assert template.to_numpy() @ np.float32(face["embeddings"]["mobileface_v2"]) > 0.9999
            seen += 1
    assert seen > 40


def test_liveness_is_that_of_the_upstream(shared_pack, golden: dict) -> None:
    folder = shared("golden")
    engine = Engine(shared_pack("yunet-retail-live"), liveness=True)
    off = []
    for case in golden["cases"]:
        picture = folder / "images" / case["image"]
        for face in case["scrfd_det_500m"][:3]:
            x, y, right, bottom = face["box_xyxy"]
            found = Detection((x, y, right - x, bottom - y), face["landmarks"])
            liveness = engine.liveness(picture, found)
            assert liveness.is_live == (liveness.score >= liveness.threshold)
            off.append(abs(liveness.score - face["liveness_softmax_mean"][1]))
    assert len(off) > 30 and np.median(off) < 0.02


def test_backends() -> None:
    pure = Engine(backend="rten")
    assert pure.backend.name == "rten" and pure.backend.library is None
    assert "rten" in repr(pure) and str(pure.backend).startswith("rten ")
    picture = people()["gisa"][0]
    try:
        fast = Engine(backend="onnxruntime")
    except faceprint.BackendUnavailableError:
        pytest.skip("no ONNX Runtime here")
    assert fast.backend.name == "ONNX Runtime" and fast.backend.library is not None
    similarity = fast.capture(picture).template.similarity(pure.capture(picture).template)
    assert similarity > 0.9999


def test_reprs_show_nothing_of_anybody(engine: Engine, elva: Sample) -> None:
    (face,) = engine.analyze(people()["elva"][0])
    values = [f"{value:.3f}" for value in elva.template.to_numpy()[:20]]
    for shown in map(repr, (elva, elva.template, elva.quality, face, face.detection, engine, Rect)):
        assert len(shown) < 120 and not any(value in shown for value in values)
    with pytest.raises(AttributeError):
        elva.template = None
