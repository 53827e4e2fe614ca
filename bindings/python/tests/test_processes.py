"""Threads, the GIL, and what a fork leaves."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from conftest import IMAGES, people, templates

import faceprint
from faceprint import Engine, Gallery


def python(program: str, *arguments: object, environment: dict[str, str] | None = None) -> str:
    """What a program prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_threads_share_an_engine_and_a_tenant(engine: Engine, pack, tmp_path: pathlib.Path) -> None:
    pictures = [path for paths in people().values() for path in paths]
    alone = [engine.analyze(path)[0].template for path in pictures]
    with Gallery.create(tmp_path / "g", space=pack.space, key=bytes(32)) as gallery:
        acme = gallery.tenant("acme", duplicate_at=None)

        def work(number: int) -> None:
            at = number % len(pictures)
            (face,) = engine.analyze(pictures[at])
            assert face.template == alone[at]
            acme.enroll(f"s{number}", face)
            assert acme.identify(face, at_least=0.9)[0].similarity == pytest.approx(1, abs=1e-5)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(64)))
        assert len(acme.subjects()) == 64
        gallery.check()


def test_other_threads_run_while_the_core_works(engine: Engine, gallery: Gallery) -> None:
    """With the GIL held through a call, a thread that counts would stand still meanwhile."""
    group = faceprint.Image.open(IMAGES / "group.jpg")
    acme = gallery.tenant("acme", duplicate_at=None)
    everybody = templates(3_000, seed=1)
    acme.enroll_all([(f"s{n}", it) for n, it in enumerate(everybody)])
    calls = {
        "detect": lambda: engine.detect(group),
        "analyze": lambda: engine.analyze(group),
        "capture": lambda: engine.capture(people()["elva"][0]),
        "decode": lambda: [faceprint.Image.open(IMAGES / "group.jpg") for _ in range(3)],
        "identify_all": lambda: acme.identify_all(everybody[:1_500], at_least=0.5),
        "find_duplicates": lambda: acme.find_duplicates(0.9),
        "check": gallery.check,
    }
    for name, call in calls.items():
        running, enough, counted = threading.Event(), threading.Event(), 0

        def work(call=call, running=running, enough=enough) -> None:
            running.set()
            for _ in range(50):
                if enough.is_set():
                    break
                call()

        # No switch is forced: only a call that lets go of the GIL lets another thread have it.
        before = sys.getswitchinterval()
        sys.setswitchinterval(1_000)
        try:
            thread = threading.Thread(target=work)
            thread.start()
            running.wait()
            while thread.is_alive() and counted < 20_000:
                counted += 1
                if counted % 1_000 == 0:
                    thread.join(0.0001)
            enough.set()
        finally:
            sys.setswitchinterval(before)
        thread.join()
        assert counted >= 20_000, name


def test_an_array_may_be_shared_between_threads(engine: Engine) -> None:
    picture = faceprint.Image.open(people()["elva"][0]).to_numpy()
    wanted = engine.analyze(picture)[0].template
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: engine.analyze(picture)[0].template, range(16)))
    assert found == [wanted] * 16
    picture[:] = 0  # nothing holds on to it


FORK = """
    import os, sys
    import faceprint
    from faceprint import Engine, Gallery, Outbox, Stream

    backend, picture, folder = sys.argv[1:]
    engine = Engine(backend=backend)
    sample = engine.capture(picture)
    gallery = Gallery.create(f"{folder}/g", space=engine.pack.space, key=bytes(32))
    acme = gallery.tenant("acme")
    acme.enroll("elva", sample)
    outbox = Outbox.create(f"{folder}/o", limit=9, key=bytes(32))
    stream = Stream(engine, acme)

    def raises(call):
        try:
            call()
        except faceprint.ForkedError as error:
            return error.code == 100
        return False

    def child():
        assert all(map(raises, [
            acme.subjects, gallery.tenants, lambda: gallery.tenant("acme"), lambda: len(outbox),
            lambda: stream.push(picture),
        ]))
        gallery.close()
        outbox.close()
        with Gallery.open(f"{folder}/g", key=bytes(32)) as mine:
            tenant = mine.tenant("acme")
            assert tenant.identify(sample, at_least=0.9)[0].subject == "elva"
        if backend == "rten":
            assert raises(lambda: engine.capture(picture)) and raises(lambda: Engine(backend="rten"))
            assert raises(lambda: engine.backend)
        else:
            assert engine.capture(picture).template == sample.template
            assert Engine().capture(picture).template == sample.template
        sys.exit(7)  # the ordinary way out, with everything that is cleared up on it

    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            child()
        pids.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert codes == [7, 7], codes
    assert engine.capture(picture).template == sample.template  # the parent goes on
    assert acme.subjects() == ["elva"] and len(outbox) == 0
    gallery.check()
    gallery.close()
    print("as it should be")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("backend", ["onnxruntime", "rten"])
def test_forked_children(backend: str, tmp_path: pathlib.Path) -> None:
    if backend == "onnxruntime":
        try:
            Engine(backend=backend)
        except faceprint.BackendUnavailableError:
            pytest.skip("no ONNX Runtime")
    assert python(FORK, backend, people()["elva"][0], tmp_path) == "as it should be\n"


SPAWN = """
    import concurrent.futures, multiprocessing, sys
    import faceprint

    engine = None

    def template(picture):
        global engine
        engine = engine or faceprint.Engine()
        return engine.capture(picture).template.to_numpy().tobytes()

    wanted = template(sys.argv[1])
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(template, sys.argv[1:] * 4)) == [wanted] * 4
    print("same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_pool_of_processes(engine: Engine) -> None:
    if engine.backend.library is None:
        pytest.skip("no ONNX Runtime")
    assert python(SPAWN, people()["elva"][0]) == "same\n"


def test_two_processes_write_one_gallery(gallery: Gallery) -> None:
    program = """
        import sys
        import numpy as np
        from faceprint import Gallery, Template
        rows = np.random.default_rng(int(sys.argv[2])).standard_normal((40, 128)).astype(np.float32)
        with Gallery.open(sys.argv[1], key=bytes(32)) as gallery:
            acme = gallery.tenant("acme")
            for number, row in enumerate(rows):
                acme.enroll(f"p{sys.argv[2]}-{number}", Template(row, "01" * 32))
    """
    acme = gallery.tenant("acme")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(python, program, gallery.path, seed) for seed in (1, 2)]
        while not all(writer.done() for writer in writers):
            acme.subjects()
        assert [writer.result() for writer in writers] == ["", ""]
    assert len(acme.subjects()) == 80
    gallery.check()


def test_the_onnxruntime_beside_it_is_found_and_not_imported() -> None:
    pytest.importorskip("onnxruntime")
    program = """
        import pathlib, sys
        import faceprint
        backend = faceprint.Engine().backend
        assert "onnxruntime" not in sys.modules
        import onnxruntime
        assert pathlib.Path(onnxruntime.__file__).parent in pathlib.Path(backend.library).parents
        assert backend.version == onnxruntime.__version__ and backend.name == "ONNX Runtime"
        assert faceprint.Engine(backend="rten").backend.library is None
        faceprint.Engine(onnxruntime=backend.library)
        print(backend.provider)
    """
    assert python(program, environment={"ORT_DYLIB_PATH": ""}) == "cpu\n"
    program = """
        import faceprint
        try:
            faceprint.Engine()
        except faceprint.BackendUnavailableError as error:
            print(error.code)
    """
    assert python(program, environment={"ORT_DYLIB_PATH": "/nonexistent/libonnxruntime.so"}) == "400\n"


def test_frozen_arrays_and_readers_do_not_mind_each_other(engine: Engine) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    image = faceprint.Image(picture)
    assert engine.detect(image) == [] == engine.detect(picture)
    picture[:] = 255
    assert engine.detect(image) == []
