"""Opens a bundle as the page on the file format says, with nothing of faceprint."""
import struct
import sys

from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hkdf(key, label):
    return HKDF(hashes.SHA256(), 32, None, label).derive(key)


def hchacha20(key, nonce):
    """The key of draft-irtf-cfrg-xchacha: a ChaCha20 block, less the state that was added at its end."""
    block = Cipher(algorithms.ChaCha20(key, nonce), None).encryptor().update(bytes(64))
    words = struct.unpack("<16I", block)
    start = b"expand 32-byte k" + key + nonce
    added = struct.unpack("<16I", start)
    plain = [(word - old) % 2**32 for word, old in zip(words, added)]
    return struct.pack("<8I", *plain[:4], *plain[12:])


def unseal(key, aad, sealed):
    derived = hchacha20(key, sealed[:16])
    return ChaCha20Poly1305(derived).decrypt(bytes(4) + sealed[16:24], sealed[24:], aad)


bundle, signer, device, gallery, slot, wrapped = sys.stdin.read().split()
bundle, gallery, wrapped = map(bytes.fromhex, (bundle, gallery, wrapped))

# The root key of the device's gallery, behind the slot of the access key 02 02 02 ...
access = hkdf(bytes([2]) * 32, b"faceprint gallery 1: access by key")
place = struct.pack(">H16sB16s16sq32sB", 1, gallery, 1, bytes(16), bytes(16), int(slot), bytes(32), 2)
root = unseal(access, place, wrapped)
secret = X25519PrivateKey.from_private_bytes(hkdf(root, b"faceprint bundle 1: device key"))
assert "device-" + secret.public_key().public_bytes_raw().hex() == device

header, sealed, signature = bundle[:82], bundle[82:-64], bundle[-64:]
magic, version, signed_by, sent_to, valid_until = struct.unpack(">8sH32s32sq", header)
assert (magic, version) == (b"FPBUNDLE", 1)
assert "signer-" + signed_by.hex() == signer and "device-" + sent_to.hex() == device
Ed25519PublicKey.from_public_bytes(signed_by).verify(signature, header + sealed)

suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
payload = suite.decrypt(sealed, secret, header)


def take(form):
    global payload
    size = struct.calcsize(form)
    values, payload = struct.unpack(form, payload[:size]), payload[size:]
    return values


take(">16sq")  # the office's gallery, its tenant's row
(count,) = take(">I")
for _ in range(count):
    kind, row, sequence = take(">Bqq")
    if kind == 1:
        print("erased")
        continue
    (length,) = take(">I")
    (profile,) = take(f"{length}s")
    name, rest = profile[1 : 1 + profile[0]], profile[1 + profile[0] :]
    flags, enrolled, consent, expires, length = struct.unpack(">BqqqI", rest[:29])
    print("person", name.decode(), rest[29 : 29 + length].decode(), count - 1)
    (templates,) = take(">I")
    for _ in range(templates):
        space, length = take(">32sI")
        identity, enrolled, values = take(">16sqI")
        (vector,) = take(f"{4 * values}s")
        flags, quality, *landmarks = take("<B11f") if length > 28 + 4 * values else (0, 0)
        assert flags == 1 and space == bytes([1]) * 32
        print("template", identity.hex(), quality, vector.hex())
assert not payload
