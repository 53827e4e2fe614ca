"""One gallery file, by the Rust command line and from Python."""

import json
import os
import pathlib
import subprocess

import pytest
from conftest import IMAGES, command, people

import faceprint
from faceprint import Gallery

PASSPHRASE = "correct horse"


def faceprint_command(*arguments: object) -> str:
    done = subprocess.run(
        [command(), *map(str, arguments)],
        env={**os.environ, "FACEPRINT_PASSPHRASE": PASSPHRASE},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "staff.faceprint"


def test_made_by_the_command_line(engine: faceprint.Engine, path: pathlib.Path) -> None:
    faceprint_command("gallery", "create", path)
    faceprint_command("enroll", "--gallery", path, "alva", *people()["alva"])
    faceprint_command("enroll", "--gallery", path, "benno", *people()["benno"])
    with Gallery.open(path, passphrase=PASSPHRASE) as gallery:
        (name,) = gallery.tenants()
        tenant = gallery.tenant(name)
        assert tenant.subjects() == ["alva", "benno"]
        for known in ("alva", "benno"):
            sample = engine.capture(people()[known][0])
            hit = tenant.identify(sample, at_least=0.9)[0]
            assert hit.subject == known and hit.similarity > 0.999
        tenant.enroll("cira", engine.capture(people()["cira"][0]), metadata={"by": "python"})
        tenant.erase("benno")
    listed = json.loads(faceprint_command("--json", "list", "--gallery", path))
    assert "cira" in json.dumps(listed) and "benno" not in json.dumps(listed)
    found = faceprint_command("identify", "--gallery", path, people()["cira"][1])
    assert "cira" in found
    faceprint_command("gallery", "check", path)


def test_made_in_python(engine: faceprint.Engine, path: pathlib.Path) -> None:
    with Gallery.create(path, space=engine.pack.space, passphrase=PASSPHRASE, cost=(8192, 1, 1)) as gallery:
        main = gallery.tenant("main")
        for name, paths in people().items():
            main.enroll(name, engine.capture(paths[0]))
    found = faceprint_command("identify", "--gallery", path, "--tenant", "main", IMAGES / "group.jpg")
    # The group's six: five of the folder, and a stranger.
    rust = sorted(line.split()[0] for line in found.splitlines()[1:] if "unknown" not in line)
    with Gallery.open(path, passphrase=PASSPHRASE) as gallery:
        main = gallery.tenant("main")
        threshold = engine.threshold(1e-4)
        python = [main.identify(face, at_least=threshold) for face in engine.analyze(IMAGES / "group.jpg")]
        assert sorted(hits[0].subject for hits in python if len(hits)) == rust and len(rust) == 5
    faceprint_command("enroll", "--gallery", path, "--tenant", "main", "zoe", people()["hemo"][0], "--no-duplicate-check")
    with Gallery.open(path, passphrase=PASSPHRASE) as gallery:
        assert "zoe" in gallery.tenant("main").subjects()
