"""What faceprint raises.

Every exception has a ``code``, the number of its kind, which is the same in every language of the library and
never changes: 1xx the caller, 2xx the models, 3xx the gallery, 4xx the environment, 9xx a bug of ours. Messages
carry the numbers and the way out, and never a name, a template or a key.
"""


class FaceprintError(Exception):
    """Anything faceprint cannot do. ``code`` says what it is."""

    code: int = 0


class UsageError(FaceprintError):
    """1xx: the call is wrong, or what was given to it."""

    code = 100


class InvalidArgumentError(UsageError, ValueError):
    """An argument is out of its documented range."""

    code = 100


class ClosedError(InvalidArgumentError):
    """The gallery, stream or outbox was closed."""


class ForkedError(InvalidArgumentError):
    """The object was made before ``os.fork`` and cannot be used in the child: make it again there."""


class InvalidImageError(UsageError, ValueError):
    """Pixels, or the bytes of a picture file, are not a picture that can be read."""

    code = 101


class LimitExceededError(UsageError, ValueError):
    """A picture is larger than the limits it is read under."""

    code = 102


class SpaceMismatchError(UsageError, ValueError):
    """Templates of two embedding spaces cannot be compared."""

    code = 103


class UnsupportedError(UsageError):
    """The feature is not part of this build."""

    code = 104


class PackError(FaceprintError):
    """2xx: the models."""

    code = 200


class ModelNotFoundError(PackError):
    """A pack, a model or its file is not where models are looked for."""

    code = 200


class InvalidManifestError(PackError):
    """A manifest is not valid; the message names the field."""

    code = 201


class ModelCorruptError(PackError):
    """The bytes of a model file are not the ones its manifest promises."""

    code = 202


class ModelMismatchError(PackError):
    """A model loads but does not behave as its manifest says."""

    code = 203


class LicenseNotAcceptedError(PackError):
    """A model's licence has to be accepted before it is loaded: ``Engine(accept_licenses=[...])``."""

    code = 204


class GalleryError(FaceprintError):
    """3xx: the gallery, or another sealed file."""

    code = 300


class GalleryNotFoundError(GalleryError):
    """There is no gallery file at the path."""

    code = 300


class GalleryExistsError(GalleryError):
    """A file is already where a gallery was to be made."""

    code = 301


class WrongKeyError(GalleryError):
    """The passphrase, key or provider opens no access slot, or the key is not that of a Fernet token."""

    code = 302


class IntegrityError(GalleryError):
    """The gallery is not as its keys left it: changed, removed, moved or rolled back rows, or damage."""

    code = 303


class LockedError(GalleryError):
    """Another process holds the gallery's write lock, and waiting did not help."""

    code = 304


class GalleryVersionError(GalleryError):
    """The file is a database and no gallery, or it or a bundle is of a format this version does not
    know."""

    code = 305


class SubjectNotFoundError(GalleryError, LookupError):
    """The subject is not enrolled, was erased, or has expired."""

    code = 306


class TenantNotFoundError(GalleryError, LookupError):
    """The gallery has no such tenant."""

    code = 307


class TemplateNotFoundError(GalleryError, LookupError):
    """The subject has no such template."""

    code = 308


class LimitReachedError(GalleryError):
    """A limit on subjects, templates, metadata or events would be passed."""

    code = 309


class KeyProviderError(GalleryError):
    """The key provider refused or failed; ``__cause__`` is what it raised."""

    code = 310


class WrongCursorError(GalleryError):
    """The cursor is of another gallery or tenant, or of a later state than the file is in."""

    code = 311


class BundleError(GalleryError):
    """A bundle cannot be brought in; the subclasses say why."""

    code = 312


class BundleDamagedError(BundleError):
    """The bytes are no bundle, or not as the office signed them."""

    code = 312


class BundleSignerError(BundleError):
    """The bundle was signed by another office than the one expected."""

    code = 313


class BundleDeviceError(BundleError):
    """The bundle is for another device."""

    code = 314


class BundleExpiredError(BundleError):
    """The bundle's time is over."""

    code = 315


class HostError(FaceprintError):
    """4xx: the machine, its files or its network."""

    code = 400


class BackendUnavailableError(HostError):
    """The inference engine or execution provider that was asked for is not here."""

    code = 400


class FileError(HostError, OSError):
    """A file of a pack or a gallery could not be read or written."""

    code = 401


class DownloadError(HostError):
    """A download failed; what was there before is untouched."""

    code = 402


class InternalError(FaceprintError):
    """A broken promise inside the library. Please report it."""

    code = 900


_LEAVES = (
    InvalidArgumentError,
    InvalidImageError,
    LimitExceededError,
    SpaceMismatchError,
    UnsupportedError,
    ModelNotFoundError,
    InvalidManifestError,
    ModelCorruptError,
    ModelMismatchError,
    LicenseNotAcceptedError,
    GalleryNotFoundError,
    GalleryExistsError,
    WrongKeyError,
    IntegrityError,
    LockedError,
    GalleryVersionError,
    SubjectNotFoundError,
    TenantNotFoundError,
    TemplateNotFoundError,
    LimitReachedError,
    KeyProviderError,
    WrongCursorError,
    BundleDamagedError,
    BundleSignerError,
    BundleDeviceError,
    BundleExpiredError,
    BackendUnavailableError,
    FileError,
    DownloadError,
    InternalError,
)
_BY_CODE = {leaf.code: leaf for leaf in _LEAVES}
_GROUPS = {1: UsageError, 2: PackError, 3: GalleryError, 4: HostError, 9: InternalError}


for _class in (FaceprintError, *FaceprintError.__subclasses__()):
    _class.__module__ = "faceprint"
for _class in (*_LEAVES, BundleError, ClosedError, ForkedError):
    _class.__module__ = "faceprint"


def by_code(code: int) -> type[FaceprintError]:
    """The class for a kind's number; the group's for a number this version does not know."""
    return _BY_CODE.get(code) or _GROUPS.get(code // 100, FaceprintError)
