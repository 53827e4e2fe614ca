//! The manifest as it is written, and the one way from it to checked types.

use serde::Deserialize;

use crate::align::AlignmentTemplate;
use crate::error::Result;
use crate::geometry::{Landmarks, Point};
use crate::image::{ChannelOrder, PlanarSpec};
use crate::pack::check::{self, Scope};
use crate::pack::points::{self, OperatingPoint};
use crate::pack::spec::{
    DetectorSpec, EmbedderSpec, Family, InputSize, InputSpec, License, LicenseClass, LivenessSpec,
    ModelKind, ModelSpec, Role,
};
use crate::pack::tail::ImpostorTail;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPack {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) detector: Option<String>,
    pub(crate) embedder: Option<String>,
    #[serde(default)]
    pub(crate) liveness: Vec<String>,
    pub(crate) liveness_threshold: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawModel {
    name: String,
    role: String,
    family: String,
    file: String,
    sha256: String,
    size: Option<u64>,
    url: Option<String>,
    license: RawLicense,
    provenance: String,
    input: RawInput,
    // Detectors.
    face_range: Option<[f32; 2]>,
    score_threshold: Option<f32>,
    nms_threshold: Option<f32>,
    // Embedders.
    dimension: Option<u64>,
    alignment: Option<RawAlignment>,
    operating_point: Option<Vec<RawPoint>>,
    impostor_tail: Option<RawTail>,
    // Liveness models.
    crop_scale: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLicense {
    name: String,
    class: String,
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    size: RawSize,
    channels: String,
    mean: [f32; 3],
    std: [f32; 3],
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be [width, height] in pixels or \"dynamic\"")]
enum RawSize {
    Fixed([u32; 2]),
    Word(String),
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "must be a template's name or { size = [w, h], points = [[x, y] * 5] }"
)]
enum RawAlignment {
    Name(String),
    Template(RawTemplate),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTemplate {
    size: [u32; 2],
    points: [[f32; 2]; 5],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPoint {
    threshold: f32,
    fmr: f64,
    impostors: u64,
    ci95: [f64; 2],
    measured: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTail {
    people: u64,
    comparisons: u64,
    above: f32,
    fmr: f64,
    scale: f64,
    shape: f64,
    standard_errors: [f64; 3],
    correlations: [f64; 3],
    measured: String,
}

impl RawModel {
    pub(crate) fn check(self) -> Result<ModelSpec> {
        let scope = Scope::new("model", &self.name);
        check::name(&scope, "name", &self.name)?;
        let role = check::word(&scope, "role", &self.role, &Role::ALL, |role| role.as_str())?;
        let family =
            check::word(&scope, "family", &self.family, &Family::ALL, |family| family.as_str())?;
        if family.role() != role {
            let message = format!("is {family}, whose role is {}, not {role}", family.role());
            return Err(scope.invalid("family", message));
        }
        check::file_name(&scope, "file", &self.file)?;
        let sha256 = check::sha256(&scope, "sha256", &self.sha256)?;
        if let Some(size) = self.size {
            check::range(&scope, "size", size, 1..=check::MAX_MODEL_BYTES, "bytes")?;
        }
        if let Some(url) = &self.url {
            check::https_url(&scope, "url", url)?;
        }
        let license = self.license.check(&scope)?;
        check::text(&scope, "provenance", &self.provenance)?;
        let input = self.input.check(&scope)?;
        let only = |field: &str, given: bool, owner: Role| {
            if given && role != owner {
                return Err(scope
                    .invalid(field, format!("is for the role {owner}, this model's is {role}")));
            }
            Ok(())
        };
        only("face_range", self.face_range.is_some(), Role::Detector)?;
        only("score_threshold", self.score_threshold.is_some(), Role::Detector)?;
        only("nms_threshold", self.nms_threshold.is_some(), Role::Detector)?;
        only("dimension", self.dimension.is_some(), Role::Embedder)?;
        only("alignment", self.alignment.is_some(), Role::Embedder)?;
        only("operating_point", self.operating_point.is_some(), Role::Embedder)?;
        only("impostor_tail", self.impostor_tail.is_some(), Role::Embedder)?;
        only("crop_scale", self.crop_scale.is_some(), Role::Liveness)?;
        let kind = match role {
            Role::Detector => ModelKind::Detector(check_detector(
                &scope,
                check::required(&scope, "face_range", self.face_range)?,
                check::required(&scope, "score_threshold", self.score_threshold)?,
                check::required(&scope, "nms_threshold", self.nms_threshold)?,
            )?),
            Role::Embedder => ModelKind::Embedder(check_embedder(
                &scope,
                &input,
                check::required(&scope, "dimension", self.dimension)?,
                check::required(&scope, "alignment", self.alignment)?,
                self.operating_point.unwrap_or_default(),
                self.impostor_tail,
            )?),
            Role::Liveness => {
                let crop_scale = check::required(&scope, "crop_scale", self.crop_scale)?;
                check::range(&scope, "crop_scale", crop_scale, 1.0..=8.0, "")?;
                if input.size == InputSize::Dynamic {
                    return Err(scope
                        .invalid("input.size", "is dynamic, a liveness model has a fixed size"));
                }
                ModelKind::Liveness(LivenessSpec { crop_scale })
            }
        };
        Ok(ModelSpec {
            name: self.name,
            family,
            file: self.file,
            sha256,
            size: self.size,
            url: self.url,
            license,
            provenance: self.provenance,
            input,
            kind,
        })
    }
}

impl RawLicense {
    fn check(self, scope: &Scope) -> Result<License> {
        check::text(scope, "license.name", &self.name)?;
        let class =
            check::word(scope, "license.class", &self.class, &LicenseClass::ALL, |class| {
                class.as_str()
            })?;
        if let Some(url) = &self.url {
            check::https_url(scope, "license.url", url)?;
        }
        Ok(License { name: self.name, class, url: self.url })
    }
}

impl RawInput {
    fn check(self, scope: &Scope) -> Result<InputSpec> {
        let size = match self.size {
            RawSize::Fixed([width, height]) => {
                check::range(scope, "input.size[0]", width, 1..=8192, "pixels")?;
                check::range(scope, "input.size[1]", height, 1..=8192, "pixels")?;
                InputSize::Fixed { width, height }
            }
            RawSize::Word(word) if word == "dynamic" => InputSize::Dynamic,
            RawSize::Word(word) => {
                return Err(scope.invalid(
                    "input.size",
                    format!("is {word:?}, must be [width, height] or \"dynamic\""),
                ));
            }
        };
        let orders = [ChannelOrder::Rgb, ChannelOrder::Bgr];
        let order =
            check::word(scope, "input.channels", &self.channels, &orders, |order| match order {
                ChannelOrder::Bgr => "bgr",
                _ => "rgb",
            })?;
        for (index, mean) in self.mean.into_iter().enumerate() {
            check::range(scope, &format!("input.mean[{index}]"), mean, 0.0..=255.0, "")?;
        }
        for (index, std) in self.std.into_iter().enumerate() {
            if !(std > 0.0 && std.is_finite()) {
                let field = format!("input.std[{index}]");
                return Err(scope.invalid(&field, format!("is {std}, must be positive and finite")));
            }
        }
        Ok(InputSpec { size, planar: PlanarSpec { order, mean: self.mean, std: self.std } })
    }
}

fn check_detector(scope: &Scope, range: [f32; 2], score: f32, nms: f32) -> Result<DetectorSpec> {
    let [smallest, largest] = range;
    check::range(scope, "face_range[0]", smallest, 1.0..=8192.0, "pixels")?;
    check::range(scope, "face_range[1]", largest, 1.0..=8192.0, "pixels")?;
    if smallest >= largest {
        return Err(scope.invalid("face_range", format!("is [{smallest}, {largest}], must rise")));
    }
    check::range(scope, "score_threshold", score, 0.0..=1.0, "")?;
    check::range(scope, "nms_threshold", nms, f32::MIN_POSITIVE..=1.0, "")?;
    Ok(DetectorSpec { face_range: (smallest, largest), score_threshold: score, nms_threshold: nms })
}

fn check_embedder(
    scope: &Scope,
    input: &InputSpec,
    dimension: u64,
    alignment: RawAlignment,
    points: Vec<RawPoint>,
    tail: Option<RawTail>,
) -> Result<EmbedderSpec> {
    check::range(scope, "dimension", dimension, 1..=4096, "")?;
    let dimension = usize::try_from(dimension).unwrap_or(usize::MAX);
    let alignment = alignment.check(scope)?;
    if let InputSize::Fixed { width, height } = input.size
        && (width, height) != (alignment.width(), alignment.height())
    {
        let message = format!(
            "is for {}x{} pixels, input.size is {width}x{height}",
            alignment.width(),
            alignment.height()
        );
        return Err(scope.invalid("alignment", message));
    }
    let mut operating_points = points
        .into_iter()
        .enumerate()
        .map(|(index, point)| point.check(scope, index))
        .collect::<Result<Vec<_>>>()?;
    points::sort(&mut operating_points)
        .map_err(|message| scope.invalid("operating_point", message))?;
    let impostor_tail = tail.map(|tail| tail.check(scope, &operating_points)).transpose()?;
    Ok(EmbedderSpec { dimension, alignment, operating_points, impostor_tail })
}

impl RawAlignment {
    fn check(self, scope: &Scope) -> Result<AlignmentTemplate> {
        match self {
            Self::Name(name) if name == "arcface-112" => Ok(AlignmentTemplate::ARCFACE_112),
            Self::Name(name) if name == "retail-0095-128" => Ok(AlignmentTemplate::RETAIL_0095_128),
            Self::Name(name) => Err(scope.invalid(
                "alignment",
                format!("is {name:?}, must be arcface-112, retail-0095-128 or {{ size, points }}"),
            )),
            Self::Template(RawTemplate { size: [width, height], points }) => {
                check::range(scope, "alignment.size[0]", width, 1..=8192, "pixels")?;
                check::range(scope, "alignment.size[1]", height, 1..=8192, "pixels")?;
                let points = Landmarks::from_points(points.map(|[x, y]| Point::new(x, y)));
                AlignmentTemplate::new(width, height, points)
                    .map_err(|error| scope.invalid("alignment", format!("is no template: {error}")))
            }
        }
    }
}

impl RawPoint {
    fn check(self, scope: &Scope, index: usize) -> Result<OperatingPoint> {
        let field = |name: &str| format!("operating_point[{index}].{name}");
        check::range(scope, &field("threshold"), self.threshold, -1.0..=1.0, "")?;
        if !(self.fmr > 0.0 && self.fmr < 1.0) {
            return Err(scope
                .invalid(&field("fmr"), format!("is {}, must be above 0 and below 1", self.fmr)));
        }
        check::range(scope, &field("impostors"), self.impostors, 1..=u64::MAX, "")?;
        let [low, high] = self.ci95;
        if !(0.0 <= low && low <= self.fmr && self.fmr <= high && high <= 1.0) {
            let message = format!("is [{low}, {high}], must enclose fmr {} within 0..=1", self.fmr);
            return Err(scope.invalid(&field("ci95"), message));
        }
        check::text(scope, &field("measured"), &self.measured)?;
        Ok(OperatingPoint {
            threshold: self.threshold,
            fmr: self.fmr,
            impostors: self.impostors,
            ci95: (low, high),
            measured: self.measured,
        })
    }
}

impl RawTail {
    fn check(self, scope: &Scope, points: &[OperatingPoint]) -> Result<ImpostorTail> {
        let field = |name: &str| format!("impostor_tail.{name}");
        check::range(scope, &field("people"), self.people, 2..=u64::MAX, "")?;
        check::range(scope, &field("comparisons"), self.comparisons, 1..=u64::MAX, "")?;
        check::range(scope, &field("above"), self.above, -1.0..=1.0, "")?;
        if !(self.fmr > 0.0 && self.fmr < 1.0) {
            return Err(scope
                .invalid(&field("fmr"), format!("is {}, must be above 0 and below 1", self.fmr)));
        }
        check::range(scope, &field("scale"), self.scale, 1e-6..=2.0, "")?;
        check::range(scope, &field("shape"), self.shape, -0.5..=0.5, "")?;
        for (index, error) in self.standard_errors.into_iter().enumerate() {
            let field = field(&format!("standard_errors[{index}]"));
            check::range(scope, &field, error, 1e-6..=10.0, "")?;
        }
        check::text(scope, &field("measured"), &self.measured)?;
        // What the tail adds begins where counting ends.
        if points.last().is_none_or(|strictest| strictest.threshold < self.above) {
            let message = format!("is {}, needs an operating_point from there on", self.above);
            return Err(scope.invalid(&field("above"), message));
        }
        let tail = ImpostorTail {
            people: self.people,
            comparisons: self.comparisons,
            above: self.above,
            fmr: self.fmr,
            scale: self.scale,
            shape: self.shape,
            standard_errors: self.standard_errors,
            correlations: self.correlations,
            measured: self.measured,
        };
        if !tail.correlations_are_possible() {
            let message = format!("are {:?}, which no three numbers have", tail.correlations);
            return Err(scope.invalid(&field("correlations"), message));
        }
        Ok(tail)
    }
}
