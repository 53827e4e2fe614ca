"""Face recognition: faces are found, aligned, turned into templates, kept in an encrypted gallery and compared.

>>> from faceprint import Engine, Gallery, ModelPack, Rejected, Sample
>>> engine = Engine()                                   # the models are part of the package
>>> match engine.capture("alice.jpg"):                  # a path, bytes, a numpy array, a PIL image
...     case Rejected(issues):
...         raise SystemExit(f"again, please: {', '.join(map(str, issues))}")
...     case Sample() as sample:
...         pass
>>> pack = ModelPack.bundled()
>>> with Gallery.create("staff.faceprint", space=pack.space, passphrase="correct horse") as gallery:
...     acme = gallery.tenant("acme")
...     acme.enroll("alice", sample)                    # Added, or Duplicate
...     threshold = pack.threshold_for(0.01, 1_000).similarity
...     for hit in acme.identify(sample, at_least=threshold, top=3):
...         print(hit.subject, hit.similarity)

Where to look:

=====================================  ==================================================
find faces, make templates             Engine, Image
good enough?                           Engine.capture, Policy, Quality
models, their licences, thresholds     ModelPack
people in an encrypted file            Gallery, Tenant
one event for each visit               Stream, Outbox
what went wrong                        FaceprintError and its subclasses, ``.code``
=====================================  ==================================================

Calls let go of the GIL, and every object may be shared between threads. After ``os.fork`` an Engine on
ONNX Runtime loads its models again by itself; a Gallery, Stream or Outbox, and an Engine on the pure-Rust backend, raise
ForkedError and have to be made again.
"""

from collections.abc import Sequence as _Sequence
from typing import TypeAlias as _TypeAlias

from . import _faceprint
from ._errors import (
    BackendUnavailableError,
    BundleDamagedError,
    BundleDeviceError,
    BundleError,
    BundleExpiredError,
    BundleSignerError,
    ClosedError,
    DownloadError,
    FaceprintError,
    FileError,
    ForkedError,
    GalleryError,
    GalleryExistsError,
    GalleryNotFoundError,
    GalleryVersionError,
    HostError,
    IntegrityError,
    InternalError,
    InvalidArgumentError,
    InvalidImageError,
    InvalidManifestError,
    KeyProviderError,
    LicenseNotAcceptedError,
    LimitExceededError,
    LimitReachedError,
    LockedError,
    ModelCorruptError,
    ModelMismatchError,
    ModelNotFoundError,
    PackError,
    SpaceMismatchError,
    SubjectNotFoundError,
    TemplateNotFoundError,
    TenantNotFoundError,
    UnsupportedError,
    UsageError,
    WrongCursorError,
    WrongKeyError,
)
from ._faceprint import (
    Added,
    Agreement,
    Ambiguous,
    Backend,
    Bundle,
    Changes,
    Chosen,
    Delivery,
    Detection,
    Duplicate,
    DuplicatePair,
    Engine,
    Erased,
    Event,
    Face,
    FernetKey,
    Followed,
    Gallery,
    GalleryInfo,
    Hit,
    Hits,
    Image,
    Imported,
    IndexState,
    Issue,
    Known,
    Liveness,
    Match,
    Model,
    ModelPack,
    NoMatch,
    Outbox,
    Policy,
    Pushed,
    Quality,
    Rect,
    Refused,
    Rejected,
    Sample,
    SearchThreshold,
    Sighting,
    SlotInfo,
    SpaceReport,
    Stats,
    StoredTemplate,
    Stream,
    Subject,
    SubjectErased,
    SubjectUpdated,
    Suspected,
    Template,
    Tenant,
    Visitor,
    agreement,
)
from ._types import KeyProvider

__version__: str = _faceprint.__version__

#: What ``Engine.capture`` gives.
Capture: _TypeAlias = Sample | Rejected
#: What ``Engine.capture_best`` gives.
Selection: _TypeAlias = Chosen | Refused
#: What ``Tenant.enroll`` gives.
Enrollment: _TypeAlias = Added | Duplicate
#: What ``Tenant.decide`` gives.
Verdict: _TypeAlias = Match | Ambiguous | NoMatch

_Sequence.register(Hits)

__all__ = [
    "Added",
    "Agreement",
    "Ambiguous",
    "Backend",
    "BackendUnavailableError",
    "Bundle",
    "BundleDamagedError",
    "BundleDeviceError",
    "BundleError",
    "BundleExpiredError",
    "BundleSignerError",
    "Capture",
    "Changes",
    "Chosen",
    "ClosedError",
    "Delivery",
    "Detection",
    "DownloadError",
    "Duplicate",
    "DuplicatePair",
    "Engine",
    "Enrollment",
    "Erased",
    "Event",
    "Face",
    "FaceprintError",
    "FernetKey",
    "FileError",
    "Followed",
    "ForkedError",
    "Gallery",
    "GalleryError",
    "GalleryExistsError",
    "GalleryInfo",
    "GalleryNotFoundError",
    "GalleryVersionError",
    "Hit",
    "Hits",
    "HostError",
    "Image",
    "Imported",
    "IndexState",
    "IntegrityError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidImageError",
    "InvalidManifestError",
    "Issue",
    "KeyProvider",
    "KeyProviderError",
    "Known",
    "LicenseNotAcceptedError",
    "LimitExceededError",
    "LimitReachedError",
    "Liveness",
    "LockedError",
    "Match",
    "Model",
    "ModelCorruptError",
    "ModelMismatchError",
    "ModelNotFoundError",
    "ModelPack",
    "NoMatch",
    "Outbox",
    "PackError",
    "Policy",
    "Pushed",
    "Quality",
    "Rect",
    "Refused",
    "Rejected",
    "Sample",
    "SearchThreshold",
    "Selection",
    "Sighting",
    "SlotInfo",
    "SpaceMismatchError",
    "SpaceReport",
    "Stats",
    "StoredTemplate",
    "Stream",
    "Subject",
    "SubjectErased",
    "SubjectNotFoundError",
    "SubjectUpdated",
    "Suspected",
    "Template",
    "TemplateNotFoundError",
    "Tenant",
    "TenantNotFoundError",
    "UnsupportedError",
    "UsageError",
    "Verdict",
    "Visitor",
    "WrongCursorError",
    "WrongKeyError",
    "__version__",
    "agreement",
]
