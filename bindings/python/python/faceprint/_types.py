"""What callers bring."""

from typing import Protocol


class KeyProvider(Protocol):
    """What keeps a gallery's key for you: a KMS, a keystore, a smart card.

    The gallery never sees the provider's own key. An exception that is raised here comes out as the cause of a
    ``KeyProviderError``.
    """

    def wrap(self, key: bytes, /) -> bytes:
        """Seals the 32 bytes of a new key; what is returned, up to 64 KiB, is kept in the file."""
        ...

    def unwrap(self, wrapped: bytes, /) -> bytes:
        """The 32 bytes that ``wrap`` was given."""
        ...
