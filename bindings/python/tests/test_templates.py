"""Templates to numpy and back; Fernet tokens as `cryptography` makes them."""

import numpy as np
import pytest
from conftest import SPACE, templates, unit
from cryptography.fernet import Fernet

import faceprint
from faceprint import FernetKey, Template


def test_numpy_and_back_is_the_same_bits() -> None:
    for row in unit(20, seed=1, dimension=512):
        template = Template(row, SPACE)
        values = template.to_numpy()
        assert values.dtype == np.float32 and template.dimension == 512
        assert np.array_equal(Template(values, SPACE).to_numpy(), values)
        assert np.abs(values - row / np.linalg.norm(row.astype(float))).max() < 1e-7
        assert Template(values, SPACE) == Template(values.copy(), SPACE)
        assert hash(Template(values, SPACE)) == hash(Template(values.copy(), SPACE))
        values[:] = 0  # a copy: the template does not move
        assert template.to_numpy().any()


def test_similarity_is_numpys_dot_product() -> None:
    ones, others = unit(50, seed=2), unit(50, seed=3)
    for one, other in zip(ones, others):
        expected = float(one.astype(float) @ other.astype(float))
        assert Template(one, SPACE).similarity(Template(other, SPACE)) == pytest.approx(expected, abs=1e-6)


def test_what_becomes_a_template() -> None:
    values = unit(1, seed=4)[0]
    for same in (values, values.tolist(), values.astype(np.float64), values * 7, values[::1]):
        assert Template(same, SPACE).similarity(Template(values, SPACE)) == pytest.approx(1, abs=1e-6)
    for wrong in ([], [0.0, 0.0], [1.0, float("nan")], [float("inf")]):
        with pytest.raises(faceprint.InvalidArgumentError):
            Template(wrong, SPACE)
    for wrong in ("text", None, [[1.0, 2.0]], 3):
        with pytest.raises((TypeError, ValueError)):
            Template(wrong, SPACE)
    with pytest.raises(faceprint.InvalidArgumentError, match="space"):
        Template(values, "text")


def test_spaces_do_not_mix() -> None:
    one, other = Template([1.0, 2.0], SPACE), Template([1.0, 2.0], "02" * 32)
    assert one != other
    with pytest.raises(faceprint.SpaceMismatchError) as raised:
        one.similarity(other)
    assert raised.value.code == 103 and isinstance(raised.value, ValueError)


def test_fernet_tokens_go_both_ways() -> None:
    key = Fernet.generate_key()
    ours, theirs = FernetKey(key.decode()), Fernet(key)
    assert repr(ours) == "FernetKey(..)"
    for template in templates(20, seed=5):
        values = template.to_numpy()
        assert np.array_equal(np.frombuffer(theirs.decrypt(ours.seal(template)), "<f4"), values)
        token = theirs.encrypt(values.astype("<f4").tobytes())
        assert ours.open(token, SPACE) == template == ours.open(token.decode(), SPACE)
    with pytest.raises(faceprint.WrongKeyError):
        FernetKey(Fernet.generate_key()).open(token, SPACE)
    with pytest.raises(faceprint.InvalidArgumentError, match="44 characters"):
        FernetKey("short")
