//! `errors.tsv`: calls with a mistake in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use faceprint::gallery::{
    BundleRequest, Cursor, Details, DeviceKey, EnrollPolicy, HeadToken, NewTemplate, SignerKey,
    Stranded,
};
use faceprint::image::{DecodeLimits, decode};
use faceprint::stream::{EventId, Limit, Outbox};
use faceprint::vector::Embedding;
use faceprint::{
    Access, BackendChoice, Detection, DetectionSize, Engine, Gallery, ImageView, IndexKind,
    Landmarks, ModelPack, Orientation, Point, Query, Rect, Result, SpaceId, Stream, SubjectId,
    Template, TemplateId, Tenant, TenantId,
};
use tempfile::TempDir;

use crate::gallery::{space, vector_in};
use crate::table::{Row, images};

pub(crate) fn run(rows: &[Row], engine: &Engine) {
    for row in rows {
        let folder = tempfile::tempdir().unwrap();
        let call = Call { arguments: arguments(&row["arguments"]), folder, engine };
        let kind: u16 = row.number("kind");
        match call.make(&row["call"]) {
            Ok(()) => panic!("{row:?}: no error"),
            Err(error) => assert_eq!(error.kind().code(), kind, "{row:?}: {error}"),
        }
    }
}

struct Call<'a> {
    arguments: HashMap<String, String>,
    folder: TempDir,
    engine: &'a Engine,
}

impl Call<'_> {
    fn make(&self, call: &str) -> Result<()> {
        match call {
            "image" => self.image(),
            "orientation" => Orientation::from_exif(self.number("exif", 1)).map(drop),
            "decode" => self.decode(),
            "template" => self.template(),
            "similarity" => {
                let (one, other) = (vector_in(space(1), "1"), vector_in(self.space(), "1"));
                one.similarity(&other).map(drop)
            }
            "threshold" => ModelPack::bundled().threshold(self.number("fmr", 1e-4)).map(drop),
            "threshold_for" => ModelPack::bundled()
                .threshold_for(self.number("fpir", 0.01), self.number("n", 100))
                .map(drop),
            "pack_open" => ModelPack::open(self.path()).map(drop),
            "engine" => self.engine(),
            "template_of" => self.template_of(),
            "liveness" => {
                let pixels = [0; 64 * 64 * 3];
                let image = ImageView::new(&pixels, 64, 64, faceprint::PixelFormat::Rgb8)?;
                let bounds = Rect { x: 8.0, y: 8.0, width: 32.0, height: 32.0 };
                let face = Detection::new(bounds, Landmarks::default(), 1.0);
                self.engine.liveness(&image, &face).map(drop)
            }
            "create" => {
                let path = self.path();
                if self.argument("path") == Some("exists") {
                    std::fs::write(&path, "").unwrap();
                }
                Gallery::create(path, &self.access(), space(1)).map(drop)
            }
            "open" => self.open(),
            "tenant" => self.argument("id").unwrap().parse::<TenantId>().map(drop),
            "cursor" => self.argument("id").unwrap().parse::<Cursor>().map(drop),
            "head" => self.argument("id").unwrap().parse::<HeadToken>().map(drop),
            "device_key" => self.argument("id").unwrap().parse::<DeviceKey>().map(drop),
            "signer_key" => self.argument("id").unwrap().parse::<SignerKey>().map(drop),
            "event_id" => self.argument("id").unwrap().parse::<EventId>().map(drop),
            "space_id" => self.argument("id").unwrap().parse::<SpaceId>().map(drop),
            "template_id" => self.argument("id").unwrap().parse::<TemplateId>().map(drop),
            "outbox" => self.outbox(),
            other => self.in_gallery(other),
        }
    }

    fn in_gallery(&self, call: &str) -> Result<()> {
        let path = self.folder.path().join("g.faceprint");
        let gallery = Gallery::create(&path, &Access::key([1; 32]), space(1)).unwrap();
        let acme = gallery.tenant(&"acme".parse().unwrap()).unwrap();
        acme.enroll(&"alice".parse().unwrap(), &vector_in(space(1), "1")).unwrap();
        let other = Gallery::create(
            self.folder.path().join("other.faceprint"),
            &Access::key([1; 32]),
            space(1),
        )
        .unwrap();
        let subject: SubjectId = self.argument("subject").unwrap_or("alice").parse()?;
        let probe = vector_in(self.space(), "1");
        match call {
            "enroll" => self.enroll(&acme, &probe),
            "identify" => acme.identify(&probe, &Query::top(1)).map(drop),
            "verify" => acme.verify(&subject, &probe).map(drop),
            "subject" => acme.subject(&subject).map(drop),
            "erase" => acme.erase(&subject).map(drop),
            "replace" => acme.replace(&subject, &probe).map(drop),
            "remove_template" => acme.remove_template(&subject, &TemplateId::from_bytes([7; 16])),
            "set_details" => {
                let metadata = self.argument("metadata").map(str::to_owned);
                acme.set_details(&subject, &Details { metadata, ..Details::default() })
            }
            "index" => {
                let target_recall = self.number("target_recall", 0.9);
                acme.with_index(IndexKind::Approximate { target_recall }).map(drop)
            }
            "erase_tenant" => {
                gallery.erase_tenant(&self.argument("id").unwrap().parse()?).map(drop)
            }
            "remove_space" => gallery.remove_space(self.space(), Stranded::Refuse),
            "remove_access" => gallery.remove_access(gallery.slots()?[0].id),
            "changes" => {
                let cursor = match self.argument("cursor") {
                    Some(_) => other_tenant(&other).changes_since(&Cursor::start(), 9)?.cursor,
                    None => Cursor::start(),
                };
                acme.changes_since(&cursor, self.number("limit", 9)).map(drop)
            }
            "check_head" => gallery.check_head(&other.head()?),
            "export" => {
                let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
                acme.export_bundle(&BundleRequest::new(gallery.device_key()?, past)).map(drop)
            }
            "import" => self.import(&gallery, &acme, &other),
            "stream" => {
                let mut builder = Stream::builder(self.engine, &acme)
                    .confirm_after(self.number("confirm_after", 3))
                    .every(self.number("every", 1));
                if let Some(threshold) = self.argument("threshold") {
                    builder = builder.threshold(threshold.parse().unwrap());
                }
                builder.build().map(drop)
            }
            other => panic!("the call {other}"),
        }
    }

    fn image(&self) -> Result<()> {
        let format = crate::format_named(self.argument("format").unwrap_or("rgb8"));
        let bytes = vec![0; self.number("bytes", 1 << 20)];
        let (width, height) = (self.number("width", 4), self.number("height", 4));
        let image = ImageView::new(&bytes, width, height, format)?;
        self.argument("stride")
            .map_or(Ok(()), |stride| image.with_stride(stride.parse().unwrap()).map(drop))
    }

    fn decode(&self) -> Result<()> {
        let bytes = match self.argument("picture") {
            Some(picture) => std::fs::read(images().join(picture)).unwrap(),
            None => self.argument("content").unwrap().as_bytes().to_vec(),
        };
        let mut limits = DecodeLimits::default();
        limits.max_pixels = self.number("max_pixels", limits.max_pixels);
        limits.max_bytes = self.number("max_bytes", limits.max_bytes);
        limits.max_encoded_bytes = self.number("max_encoded_bytes", limits.max_encoded_bytes);
        decode(&bytes, &limits).map(drop)
    }

    fn template(&self) -> Result<()> {
        let values = match self.argument("values").unwrap() {
            "0" => Vec::new(),
            "zero" => vec![0.0; 8],
            "nan" => vec![1.0, f32::NAN],
            _ => vec![1.0, f32::INFINITY],
        };
        Embedding::normalize(values).map(drop)
    }

    fn engine(&self) -> Result<()> {
        let mut builder = Engine::builder(&ModelPack::bundled());
        for (name, value) in &self.arguments {
            builder = match name.as_str() {
                "threads" => builder.threads(value.parse().unwrap()),
                "score_threshold" => builder.score_threshold(value.parse().unwrap()),
                "nms_threshold" => builder.nms_threshold(value.parse().unwrap()),
                "max_faces" => builder.max_faces(value.parse().unwrap()),
                "min_face" => builder.min_face(value.parse().unwrap()),
                "detection_size" => {
                    builder.detection_size(DetectionSize::Square(value.parse().unwrap()))
                }
                "backend" if value == "rten" => builder.backend(BackendChoice::Rten),
                "backend" => builder.backend(BackendChoice::OnnxRuntime),
                "library" => builder.onnxruntime_library(self.folder.path().join(value)),
                "liveness" => builder.liveness(true),
                other => panic!("the option {other}"),
            };
        }
        builder.build().map(drop)
    }

    fn template_of(&self) -> Result<()> {
        let pixels = [0; 64 * 64 * 3];
        let image = ImageView::new(&pixels, 64, 64, faceprint::PixelFormat::Rgb8)?;
        let point = match self.argument("landmarks").unwrap() {
            "nan" => Point::new(f32::NAN, 1.0),
            _ => Point::default(),
        };
        self.engine.template(&image, &Landmarks::from_points([point; 5])).map(drop)
    }

    fn open(&self) -> Result<()> {
        let path = self.path();
        if self.argument("content").is_none() && self.argument("path").is_none() {
            Gallery::create(&path, &Access::key([1; 32]), space(1)).unwrap();
        }
        Gallery::open(path, &self.access()).map(drop)
    }

    fn outbox(&self) -> Result<()> {
        let path = self.path();
        let limit = Limit::refuse_new(self.number("limit", 10));
        if self.argument("path").is_some() {
            return Outbox::open(path, &self.access(), limit).map(drop);
        }
        if self.argument("key").is_some() {
            Outbox::create(&path, &Access::key([1; 32]), limit).unwrap();
            return Outbox::open(path, &self.access(), limit).map(drop);
        }
        Outbox::create(path, &self.access(), limit).map(drop)
    }

    fn enroll(&self, acme: &Tenant, probe: &Template) -> Result<()> {
        let subject = self.argument("id").unwrap_or("alice").parse()?;
        let limit = self.number("templates_per_subject", 10);
        let acme = acme.clone().with_policy(EnrollPolicy::default().templates_per_subject(limit));
        let mut template = NewTemplate::from(probe);
        if let Some(quality) = self.argument("quality") {
            template = template.quality(quality.parse().unwrap());
        }
        acme.enroll(&subject, template).map(drop)
    }

    fn import(&self, gallery: &Gallery, acme: &Tenant, other: &Gallery) -> Result<()> {
        let soon = SystemTime::now() + Duration::from_secs(3600);
        let to = match self.argument("device") {
            Some(_) => gallery.device_key()?,
            None => other.device_key()?,
        };
        let bundle = acme.export_bundle(&BundleRequest::new(to, soon)).unwrap();
        let signer = match self.argument("signer") {
            Some(_) => other.signer(),
            None => gallery.signer(),
        };
        let bytes = self.argument("content").map_or(&bundle.bytes[..], str::as_bytes);
        other_tenant(other).import_bundle(bytes, &signer).map(drop)
    }

    fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(String::as_str)
    }

    fn number<T: std::str::FromStr>(&self, name: &str, default: T) -> T {
        let parse = |text: &str| text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}"));
        self.argument(name).map_or(default, parse)
    }

    fn space(&self) -> SpaceId {
        space(self.number("space", 1))
    }

    fn access(&self) -> Access {
        match self.argument("passphrase") {
            Some(passphrase) => Access::passphrase(passphrase),
            None => Access::key([self.number("key", 1); 32]),
        }
    }

    /// A path in the call's folder, with the content that was asked for.
    fn path(&self) -> PathBuf {
        let path = self.folder.path().join(self.argument("path").unwrap_or("file"));
        if let Some(content) = self.argument("content") {
            write(&path, content);
        }
        path
    }
}

fn write(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap();
}

fn other_tenant(other: &Gallery) -> Tenant {
    let tenant = other.tenant(&"other".parse().unwrap()).unwrap();
    tenant.enroll(&"bob".parse().unwrap(), &vector_in(space(1), "2")).unwrap();
    tenant
}

fn arguments(text: &str) -> HashMap<String, String> {
    let named = text.split(' ').map(|it| it.split_once('=').unwrap());
    named
        .map(|(name, value)| {
            let value = match value {
                "empty" => String::new(),
                "long" => "x".repeat(256),
                "newline" => "a\nb".to_owned(),
                value => value.to_owned(),
            };
            (name.to_owned(), value)
        })
        .collect()
}
