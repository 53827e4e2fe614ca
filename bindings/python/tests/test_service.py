"""examples/python/service.py over real HTTP on loopback, in a process of its own."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from conftest import ROOT, people

import faceprint

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

TOKENS = {"acme": "token-of-acme", "globex": "token-of-globex"}


class Server:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.log = folder / "log"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(it for it in sys.path if it),
            "FACEPRINT_GALLERY": str(folder / "people.faceprint"),
            "FACEPRINT_PASSPHRASE": "correct horse",
            "FACEPRINT_TOKENS": json.dumps(TOKENS),
        }
        command = [sys.executable, "-m", "uvicorn", "--app-dir", ROOT / "examples" / "python", "--factory"]
        command += ["service:create_app", "--port", str(port), "--log-level", "debug"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            if self.process.poll() is not None:
                pytest.fail(self.log.read_text())
            try:
                self.backend = httpx.get(f"{self.url}/health").json()["backend"]
                return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail(self.log.read_text())

    def client(self, tenant: str) -> "httpx.Client":
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {TOKENS[tenant]}"}, timeout=60)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("service"))
    yield server
    server.stop()


def picture(name: str, number: int = 0) -> bytes:
    return people()[name][number].read_bytes()


def test_a_visit(server: Server) -> None:
    with server.client("acme") as acme, server.client("globex") as globex:
        for name in ("elva", "faro", "gisa"):
            answer = acme.post(f"/subjects/{name}/templates", content=picture(name))
            assert answer.status_code == 201 and len(answer.json()["template"]) == 32
        answer = acme.post("/identify", content=picture("elva", 1))
        (hit,) = answer.json()["hits"]
        assert hit["subject"] == "elva" and hit["similarity"] > answer.json()["threshold"] > 0.3
        assert len(acme.post("/identify?top=3&fpir=0.1", content=picture("elva", 1)).json()["hits"]) >= 1
        assert acme.post("/identify", content=picture("hemo")).json()["hits"] == []

        answer = acme.post("/subjects/double/templates", content=picture("elva", 1))
        assert answer.status_code == 409 and "elva" not in answer.text

        # The other tenant knows nobody, and reaches nobody.
        assert globex.get("/subjects").json() == []
        assert globex.post("/identify", content=picture("elva", 1)).json()["hits"] == []
        assert globex.delete("/subjects/elva").status_code == 404

        assert acme.get("/subjects").json() == ["elva", "faro", "gisa"]
        assert acme.delete("/subjects/elva").json() == {"subjects": 1, "templates": 1}
        assert acme.post("/identify", content=picture("elva", 1)).json()["hits"] == []


def test_vectors_instead_of_pictures(server: Server, engine: faceprint.Engine) -> None:
    def vector(name: str, number: int) -> dict[str, object]:
        sample = engine.capture(people()[name][number])
        return {"values": sample.template.to_numpy().tolist(), "space": engine.pack.space}

    with server.client("globex") as globex:
        assert globex.post("/subjects/benno/templates", json=vector("benno", 0)).status_code == 201
        (hit,) = globex.post("/identify", json=vector("benno", 1)).json()["hits"]
        assert hit["subject"] == "benno"
        (hit,) = globex.post("/identify", content=picture("benno", 1)).json()["hits"]
        assert hit["subject"] == "benno"
        wrong_space = {**vector("benno", 1), "space": "00" * 32}
        answer = globex.post("/identify", json=wrong_space)
        assert answer.status_code == 422 and answer.json()["code"] == 103
        for wrong in ({}, [], {"values": "text", "space": 1}, {"values": [], "space": engine.pack.space}):
            assert globex.post("/identify", json=wrong).status_code == 422


def test_what_is_refused(server: Server) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic token-of-acme"}):
        answer = httpx.post(f"{server.url}/identify", content=picture("elva"), headers=headers)
        assert answer.status_code == 401
    with server.client("acme") as acme:
        blank = faceprint_png()
        answer = acme.post("/subjects/nobody/templates", content=blank)
        assert answer.status_code == 422 and answer.json()["detail"][0]["issue"] == "no_face"
        answer = acme.post("/identify", content=b"no picture")
        assert answer.status_code == 422 and answer.json()["code"] == 101
        assert acme.post("/subjects/%0A/templates", content=picture("elva")).status_code in (404, 422)
        # A body without a length, in pieces: it is not collected.
        before = peak(server)
        pieces = (bytes(1 << 20) for _ in range(300))
        assert acme.post("/identify", content=pieces).status_code == 413
        assert peak(server) - before < 100 << 20
        huge = acme.post("/identify", content=bytes(9 << 20))
        assert huge.status_code == 413


def peak(server: Server) -> int:
    """Bytes the server had in memory at once, at most."""
    try:
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def faceprint_png() -> bytes:
    cv2 = pytest.importorskip("cv2")
    import numpy as np

    return cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()


def test_it_stops_cleanly_and_has_told_nobody(tmp_path: pathlib.Path) -> None:
    server = Server(tmp_path)
    with server.client("acme") as acme:
        assert acme.post("/subjects/gisa-very-secret/templates", content=picture("gisa")).status_code == 201
        assert acme.post("/identify", content=picture("gisa", 1)).json()["hits"][0]["subject"] == "gisa-very-secret"
        acme.post("/identify", content=b"no picture")
        acme.delete("/subjects/nobody-very-secret")
    assert server.stop() in (0, -15)
    log = server.log.read_text()
    assert "Application startup complete" in log
    assert "very-secret" not in log and "token-of" not in log and "correct horse" not in log
    # The gallery was closed: one file, which opens again, and says nothing in the clear.
    left = sorted(it.name for it in tmp_path.iterdir())
    assert left == ["log", "people.faceprint"]
    assert b"very-secret" not in (tmp_path / "people.faceprint").read_bytes()
    with faceprint.Gallery.open(tmp_path / "people.faceprint", passphrase="correct horse") as gallery:
        assert gallery.tenant("acme").subjects() == ["gisa-very-secret"]
