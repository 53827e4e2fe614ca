"""Ways into a gallery: passphrases, keys and providers written in Python."""

import pathlib

import pytest
from conftest import SPACE, templates
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

import faceprint
from faceprint import Gallery

CHEAP = (8192, 1, 1)


class Kms:
    """A key service: RFC 3394 by `cryptography`."""

    def __init__(self, master: bytes = bytes(32)) -> None:
        self.master = master
        self.calls: list[str] = []

    def wrap(self, key: bytes, /) -> bytes:
        assert type(key) is bytes and len(key) == 32
        self.calls.append("wrap")
        return aes_key_wrap(self.master, key)

    def unwrap(self, wrapped: bytes, /) -> bytes:
        self.calls.append("unwrap")
        return aes_key_unwrap(self.master, wrapped)


class Denied(Exception):
    pass


class Closed(Kms):
    def unwrap(self, wrapped: bytes, /) -> bytes:
        raise Denied("not today")


def test_a_provider_in_python(tmp_path: pathlib.Path) -> None:
    path, kms = tmp_path / "g", Kms()
    with Gallery.create(path, space=SPACE, provider=kms) as gallery:
        gallery.tenant("acme").enroll("alice", templates(1, seed=1)[0])
        assert [slot.kind for slot in gallery.slots()] == ["provider"]
    with Gallery.open(path, provider=kms) as gallery:
        assert gallery.tenant("acme").subjects() == ["alice"]
    assert kms.calls == ["wrap", "unwrap"]
    with pytest.raises(faceprint.KeyProviderError) as raised:
        Gallery.open(path, provider=Closed())
    assert raised.value.code == 310 and isinstance(raised.value.__cause__, Denied)
    with pytest.raises(faceprint.KeyProviderError):
        Gallery.open(path, provider=Kms(b"\1" * 32))


@pytest.mark.parametrize("answer", [None, "text", b"short", b""])
def test_a_provider_that_answers_nonsense(tmp_path: pathlib.Path, answer: object) -> None:
    class Nonsense(Kms):
        def unwrap(self, wrapped: bytes, /) -> bytes:
            return answer  # type: ignore[return-value]

    Gallery.create(tmp_path / "g", space=SPACE, provider=Kms()).close()
    with pytest.raises(faceprint.KeyProviderError):
        Gallery.open(tmp_path / "g", provider=Nonsense())


def test_a_provider_may_use_the_library(tmp_path: pathlib.Path) -> None:
    """The GIL is not held around it, and no lock: it may open another gallery."""
    inner = Gallery.create(tmp_path / "inner", space=SPACE, key=bytes(32))

    class Nested(Kms):
        def wrap(self, key: bytes, /) -> bytes:
            inner.tenant("keys").subjects()
            return AESGCM(self.master).encrypt(bytes(12), key, None)

        def unwrap(self, wrapped: bytes, /) -> bytes:
            return AESGCM(self.master).decrypt(bytes(12), wrapped, None)

    Gallery.create(tmp_path / "g", space=SPACE, provider=Nested()).close()
    Gallery.open(tmp_path / "g", provider=Nested()).close()


def test_keys_are_rotated_and_made_anew(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "g"
    alice = templates(1, seed=2)[0]

    def opens(**access: object) -> bool:
        try:
            with Gallery.open(path, **access) as gallery:
                return gallery.tenant("acme").templates("alice")[0].template == alice
        except faceprint.WrongKeyError as error:
            assert error.code == 302
            return False

    with Gallery.create(path, space=SPACE, passphrase="first", cost=CHEAP) as gallery:
        gallery.tenant("acme").enroll("alice", alice)
    assert opens(passphrase="first") and not opens(passphrase="second") and not opens(key=bytes(32))
    with Gallery.open(path, passphrase="first") as gallery:
        gallery.rotate_key(passphrase="second", cost=CHEAP)
        slot = gallery.add_access(key=b"k" * 32)
    assert not opens(passphrase="first") and opens(passphrase="second") and opens(key=b"k" * 32)
    with Gallery.open(path, passphrase="second") as gallery:
        assert {it.id: it.kind for it in gallery.slots()}[slot] == "key"
        gallery.remove_access(slot)
        with pytest.raises(faceprint.InvalidArgumentError, match="add another first"):
            gallery.remove_access(gallery.slots()[0].id)
    assert not opens(key=b"k" * 32)
    with Gallery.open(path, passphrase="second") as gallery:
        acme = gallery.tenant("acme")
        gallery.rekey(key=b"n" * 32)
        assert acme.templates("alice")[0].template == alice  # this handle goes on
    assert opens(key=b"n" * 32) and not opens(passphrase="second")
