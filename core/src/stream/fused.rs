//! One template from several pictures of a person.

use zeroize::Zeroize;

use crate::error::Result;
use crate::vector::{Embedding, Template};

/// The mean direction of templates, each weighing as much as its picture is good.
#[derive(Clone)]
pub(super) struct Fused {
    sum: Vec<f32>,
    template: Template,
}

impl Fused {
    pub(super) fn new(template: Template, quality: f32) -> Self {
        let weight = weight(quality);
        let sum = template.embedding().as_slice().iter().map(|value| value * weight).collect();
        Self { sum, template }
    }

    /// Adds a template of the same space. The sum of opposite ones has no direction and is an error.
    pub(super) fn add(&mut self, template: &Template, quality: f32) -> Result<()> {
        let weight = weight(quality);
        for (sum, value) in self.sum.iter_mut().zip(template.embedding().as_slice()) {
            *sum += value * weight;
        }
        let direction = Embedding::normalize(self.sum.as_slice())?;
        self.template = Template::new(direction, template.space());
        Ok(())
    }

    pub(super) const fn template(&self) -> &Template {
        &self.template
    }
}

impl Drop for Fused {
    fn drop(&mut self) {
        self.sum.zeroize();
    }
}

/// Even the worst picture counts a little: a first one with quality 0 still has a direction.
const fn weight(quality: f32) -> f32 {
    quality.clamp(1.0, 100.0)
}
