//! From an aligned crop to a template.

use crate::error::{Error, ErrorKind, Result};
use crate::id::SpaceId;
use crate::image::{RgbImage, pack_crop};
use crate::pack::{EmbedderSpec, ModelSpec};
use crate::runtime::{Lane, Network, Runtime, Spare, Tensor};
use crate::vector::{Embedding, Template};

/// A loaded embedder. Families differ in their manifest only: size, channel order, mean, scale.
#[derive(Debug)]
pub(crate) struct Embedder {
    network: Network,
    model: ModelSpec,
    spec: EmbedderSpec,
    space: SpaceId,
    average_flip: bool,
    input: Spare,
}

impl Embedder {
    /// Loads the embedder `model` of `space` from its verified `bytes`. With `average_flip` the
    /// direction of a face is the mean of its own and its mirror image's.
    pub(crate) fn new(
        runtime: &Runtime,
        model: &ModelSpec,
        spec: &EmbedderSpec,
        space: SpaceId,
        bytes: &[u8],
        average_flip: bool,
    ) -> Result<Self> {
        let network = runtime.load(bytes).map_err(|error| error.about(&model.to_string()))?;
        Ok(Self {
            network,
            model: model.clone(),
            spec: spec.clone(),
            space,
            average_flip,
            input: Spare::default(),
        })
    }

    /// How faces are to be aligned for it, and how many values it answers with.
    pub(crate) const fn spec(&self) -> &EmbedderSpec {
        &self.spec
    }

    /// One template for each of `crops`, in their order, with its [strength](crate::Face::strength).
    pub(crate) fn embed(&self, crops: &[RgbImage], lane: Lane) -> Result<Vec<(Template, f32)>> {
        let directions = self.directions(crops, lane)?;
        let directions = if self.average_flip {
            let flipped: Vec<_> = crops.iter().map(RgbImage::mirrored).collect();
            let mirrored = self.directions(&flipped, lane)?;
            directions.iter().zip(&mirrored).map(|(a, b)| mean(a, b)).collect::<Result<Vec<_>>>()?
        } else {
            directions
        };
        let template = |(direction, strength)| (Template::new(direction, self.space), strength);
        Ok(directions.into_iter().map(template).collect())
    }

    /// Each with the length of what the network gave.
    fn directions(&self, crops: &[RgbImage], lane: Lane) -> Result<Vec<(Embedding, f32)>> {
        let mut directions = Vec::with_capacity(crops.len());
        let mut input = self.input.take();
        for crops in crops.chunks(self.network.batch(lane)) {
            let read = |outputs: &[Tensor<'_>]| {
                for values in self.values(outputs, crops.len())?.chunks_exact(self.spec.dimension) {
                    let direction = Embedding::normalize(values).map_err(|error| {
                        Error::with_source(ErrorKind::ModelMismatch, "gives no direction", error)
                    })?;
                    directions.push((direction, length(values)));
                }
                Ok(())
            };
            let packed = self.pack(crops, input)?;
            let run = self.network.run(&packed, lane, read);
            input = packed.into_data();
            run.map_err(|error| error.about(&self.model.to_string()))?;
        }
        self.input.put(input);
        Ok(directions)
    }

    /// The crops of a batch as the network takes them, in the memory of `buffer`.
    fn pack(&self, crops: &[RgbImage], mut buffer: Vec<f32>) -> Result<Tensor<'static>> {
        let (width, height) = (self.spec.alignment.width(), self.spec.alignment.height());
        buffer.clear();
        for crop in crops {
            pack_crop(crop.as_bytes(), &self.model.input.planar, &mut buffer);
        }
        Tensor::new([crops.len(), 3, height as usize, width as usize], buffer)
    }

    /// The one output for a batch: as many values as `faces` times the dimension.
    fn values<'a>(&self, outputs: &'a [Tensor<'_>], faces: usize) -> Result<&'a [f32]> {
        let mismatch = |message| Err(Error::new(ErrorKind::ModelMismatch, message));
        match outputs {
            [output] if output.data().len() == faces * self.spec.dimension => Ok(output.data()),
            [output] => mismatch(format!(
                "{faces} faces give shape {:?}, expected {} values each",
                output.shape(),
                self.spec.dimension
            )),
            _ => mismatch(format!("has {} outputs, expected 1", outputs.len())),
        }
    }
}

/// The direction half way between two, with the mean of their lengths; opposite ones have none.
fn mean(a: &(Embedding, f32), b: &(Embedding, f32)) -> Result<(Embedding, f32)> {
    let sum: Vec<_> = a.0.as_slice().iter().zip(b.0.as_slice()).map(|(a, b)| a + b).collect();
    Ok((Embedding::normalize(sum)?, f32::midpoint(a.1, b.1)))
}

/// Of finite values; too long for a number, it is the largest.
fn length(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
    #[expect(clippy::cast_possible_truncation, reason = "bounded just now")]
    let length = sum.sqrt().min(f32::MAX.into()) as f32;
    length
}
