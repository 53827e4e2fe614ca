"""Enrols a folder of people in an encrypted gallery and names the faces of a group picture, from left to right.

    python examples/python/identify.py [FOLDER]

FOLDER, examples/images when it is not given, has people/NAME/*.jpg and group.jpg.

One line for each face, from left to right: the name and the similarity, or "unknown".
"""

import pathlib
import sys
import tempfile

from faceprint import Engine, Gallery, ModelPack, Rejected

IMAGES = pathlib.Path(__file__).resolve().parents[1] / "images"


def main(images: pathlib.Path) -> None:
    pack = ModelPack.bundled()
    engine = Engine(pack)
    with tempfile.TemporaryDirectory() as folder:
        # The key is as short-lived as the file.
        with Gallery.create(pathlib.Path(folder, "people.faceprint"), space=pack.space, key=bytes(32)) as gallery:
            known = gallery.tenant("example")
            for path in sorted(images.glob("people/*/*.jpg")):
                sample = engine.capture(path)
                if isinstance(sample, Rejected):
                    print(f"{path} is not used: {sample}", file=sys.stderr)
                    continue
                known.enroll(path.parent.name, sample)
            threshold = pack.threshold(1e-4)
            for face in sorted(engine.analyze(images / "group.jpg"), key=lambda face: face.detection.bounds.x):
                hits = known.identify(face, at_least=threshold)
                print(f"{hits[0].subject} {hits[0].similarity:.3f}" if len(hits) else "unknown")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
