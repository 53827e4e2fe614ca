"""The peers' side of run.sh: the same questions as src/stages.rs, answered by InsightFace and OpenCV.

Every stage is done as InsightFace's own FaceAnalysis.get does it: SCRFD at 640x640, norm_crop and
ArcFaceONNX face by face.
"""

import json
import os
import sys
import time
from importlib import metadata

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import cv2
import numpy as np
import onnxruntime as ort
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD
from insightface.utils import face_align

SIDE = 640
# Time on the core only, for a machine that is not quiet.
CLOCK = time.process_time if os.environ.get("FACEPRINT_CLOCK") == "cpu" else time.perf_counter


class Peers:
    def __init__(self, models):
        cv2.setNumThreads(1)
        self.embedder_session = session(f"{models}/w600k_mbf_fp32_dequantized.onnx")
        self.detector = SCRFD(f"{models}/det_500m.onnx", session=session(f"{models}/det_500m.onnx"))
        self.detector.prepare(-1, input_size=(SIDE, SIDE), det_thresh=0.5, nms_thresh=0.4)
        self.embedder = ArcFaceONNX(f"{models}/w600k_mbf_fp32_dequantized.onnx", session=self.embedder_session)
        self.yunet = cv2.FaceDetectorYN.create(
            f"{models}/face_detection_yunet_2023mar.onnx", "", (SIDE, SIDE), 0.6, 0.3, 5000
        )

    def time(self, path):
        data = np.fromfile(path, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        boxes, points = self.detect(image)
        crops = self.align(image, points)
        height, width = image.shape[:2]
        blob = detector_blob(image)
        # InsightFace makes itself a session for the exact size.
        detector = self.detector.resolution_sessions[(SIDE, SIDE)]
        faces = [cv2.dnn.blobFromImage(it, 1 / 127.5, (112, 112), (127.5,) * 3, swapRB=True) for it in crops]
        self.yunet.setInputSize((width, height))
        self.yunet.detect(image)
        times = {"faces": len(boxes)}

        def add(stage, work):
            start = CLOCK()
            result = work()
            times[stage] = (CLOCK() - start) * 1e3
            del result

        add("decode", lambda: cv2.imdecode(data, cv2.IMREAD_COLOR))
        add("read and decode", lambda: cv2.imread(path))
        add("detect", lambda: self.detect(image))
        add("align", lambda: self.align(image, points))
        add("embed", lambda: self.embed(crops))
        add("whole", lambda: self.whole(data))
        add("bare detect", lambda: run(detector, blob))
        add("bare embed", lambda: [run(self.embedder_session, face) for face in faces])
        # In one piece, since it is compared with the whole.
        add("floor", lambda: [
            cv2.imdecode(data, cv2.IMREAD_COLOR),
            run(detector, blob),
            [run(self.embedder_session, face) for face in faces],
        ])
        add("yunet", lambda: self.yunet.detect(image))
        return times

    def faces(self, path):
        boxes, _ = self.detect(cv2.imread(path))
        return {"square": boxes[:, :4].tolist()}

    def detect(self, image):
        return self.detector.detect(image, input_size=(SIDE, SIDE))

    def align(self, image, points):
        return [face_align.norm_crop(image, it, 112) for it in points]

    def embed(self, crops):
        vectors = [self.embedder.get_feat(crop).flatten() for crop in crops]
        return [vector / np.linalg.norm(vector) for vector in vectors]

    def whole(self, data):
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        _, points = self.detect(image)
        return self.embed(self.align(image, points))


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(network, blob):
    return network.run(None, {network.get_inputs()[0].name: blob})


def detector_blob(image):
    """What SCRFD.detect feeds its network."""
    height, width = image.shape[:2]
    ratio = height / width
    size = (int(SIDE / ratio), SIDE) if ratio > 1 else (SIDE, int(SIDE * ratio))
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(image, size)
    return cv2.dnn.blobFromImage(canvas, 1 / 128, (SIDE, SIDE), (127.5,) * 3, swapRB=True)


def main():
    peers = Peers(sys.argv[1])
    names = {"InsightFace": "insightface", "ONNX Runtime": "onnxruntime", "OpenCV": "opencv-python"}
    versions = ", ".join(f"{name} {metadata.version(package)}" for name, package in names.items())
    print(json.dumps({"engine": versions}), flush=True)
    for line in sys.stdin:
        question, path = line.rstrip("\n").split(" ", 1)
        answer = {"time": peers.time, "faces": peers.faces}[question](path)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
