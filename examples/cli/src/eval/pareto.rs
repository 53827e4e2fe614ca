//! Fitting the generalized Pareto distribution to what exceeds a threshold, by maximum likelihood.

/// Scale, above 0, and shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pareto {
    pub(crate) scale: f64,
    pub(crate) shape: f64,
}

/// Shapes the fit stays between: below -0.5 the usual theory of standard errors ends (Smith 1985), and
/// bounded scores have no reason to be above 0.5.
const SHAPES: (f64, f64) = (-0.4, 0.5);

impl Pareto {
    /// The distribution that `excesses` (0 or more, not all 0) are likeliest from.
    ///
    /// With t = shape / scale given, the likeliest shape is the mean of ln(1 + t · excess), so that only
    /// t has to be searched (Grimshaw 1993).
    pub(crate) fn fit(excesses: &[f64]) -> Option<Self> {
        let greatest = excesses.iter().copied().fold(0.0, f64::max);
        let mean = excesses.iter().sum::<f64>() / excesses.len() as f64;
        if !(greatest > 0.0 && greatest.is_finite()) {
            return None;
        }
        // Every excess must be possible: t > -1 / greatest. Well above 1 / mean the shape is too large.
        let (lowest, highest) = (-1.0 / greatest * (1.0 - 1e-9), 4.0 / mean);
        let likelihood = |t: f64| profile(excesses, mean, t).1;
        // The likelihood has one top for shapes in range; a coarse look finds its surroundings.
        const STEPS: usize = 200;
        let at = |step: usize| lowest + (highest - lowest) * step as f64 / STEPS as f64;
        let best = (0..=STEPS).max_by(|&a, &b| likelihood(at(a)).total_cmp(&likelihood(at(b))))?;
        let t = top(at(best.saturating_sub(1)), at((best + 1).min(STEPS)), likelihood);
        let (shape, value) = profile(excesses, mean, t);
        value.is_finite().then(|| Self { scale: if t == 0.0 { mean } else { shape / t }, shape })
    }

    /// How the logarithm of the likelihood of one excess changes with ln scale and with shape.
    pub(crate) fn score(self, excess: f64) -> [f64; 2] {
        let Self { scale, shape } = self;
        let z = excess / scale;
        let base = 1.0 + shape * z;
        let of_scale = -1.0 + (1.0 + shape) * z / base;
        let of_shape = if shape.abs() < 1e-4 {
            z * z / 2.0 - z + shape * (z * z - 2.0 / 3.0 * z.powi(3))
        } else {
            base.ln() / (shape * shape) - (1.0 + 1.0 / shape) * z / base
        };
        [of_scale, of_shape]
    }

    /// The inverse of the information that one excess has about ln scale and shape (Smith 1985).
    pub(crate) fn inverse_information(self) -> [[f64; 2]; 2] {
        let factor = 1.0 + self.shape;
        [[2.0 * factor, -factor], [-factor, factor * factor]]
    }
}

/// The likeliest shape for t = shape / scale, and the logarithm of the likelihood per excess.
fn profile(excesses: &[f64], mean: f64, t: f64) -> (f64, f64) {
    if t == 0.0 {
        return (0.0, -mean.ln() - 1.0);
    }
    let shape =
        excesses.iter().map(|excess| (t * excess).ln_1p()).sum::<f64>() / excesses.len() as f64;
    if !(SHAPES.0..=SHAPES.1).contains(&shape) {
        return (shape, f64::NEG_INFINITY);
    }
    (shape, -(shape / t).ln() - shape - 1.0)
}

/// Where `function` is greatest between `low` and `high`, by golden section.
fn top(mut low: f64, mut high: f64, function: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    for _ in 0..60 {
        let width = (high - low) * GOLDEN;
        if function(high - width) < function(low + width) {
            low = high - width;
        } else {
            high = low + width;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::random::Random;

    #[test]
    fn the_fit_is_that_of_scipy() {
        // SciPy 1.17.1: genpareto.fit(excesses, floc=0), from there on minimize(-genpareto.logpdf.sum())
        // with Nelder-Mead to 1e-12.
        let few = [0.01, 0.02, 0.025, 0.04, 0.05, 0.055, 0.07, 0.09, 0.12, 0.2];
        let cases: &[(Vec<f64>, f64, f64)] = &[
            (few.to_vec(), 0.088_987_358, -0.300_585_489),
            (quantiles(500, 0.05, -0.2), 0.050_271_138, -0.205_989_638),
            (quantiles(500, 0.05, 0.2), 0.050_145_612, 0.196_255_603),
        ];
        for (excesses, scale, shape) in cases {
            let fit = Pareto::fit(excesses).unwrap();
            assert!((fit.scale / scale - 1.0).abs() < 1e-4, "{fit:?}, expected {scale} {shape}");
            assert!((fit.shape - shape).abs() < 1e-4, "{fit:?}, expected {scale} {shape}");
        }
    }

    /// The middles of n equally likely parts of a distribution.
    fn quantiles(n: usize, scale: f64, shape: f64) -> Vec<f64> {
        let left = |i: usize| 1.0 - (i as f64 + 0.5) / n as f64;
        (0..n).map(|i| scale * (left(i).powf(-shape) - 1.0) / shape).collect()
    }

    #[test]
    fn exponential_excesses_have_a_shape_near_zero() {
        let excesses: Vec<f64> =
            (0..2000).map(|i| -0.05 * (1.0 - (f64::from(i) + 0.5) / 2000.0).ln()).collect();
        let fit = Pareto::fit(&excesses).unwrap();
        assert!(fit.shape.abs() < 0.01 && (fit.scale - 0.05).abs() < 1e-3, "{fit:?}");
    }

    #[test]
    fn the_likelihood_is_flat_at_the_fit_and_its_information_is_right() {
        let mut random = Random::new(5);
        for shape in [-0.3, -0.1, 1e-6, 0.2] {
            let truth = Pareto { scale: 0.05, shape };
            let excesses: Vec<f64> = (0..200_000)
                .map(|_| truth.scale * (random.uniform().powf(-shape) - 1.0) / shape)
                .collect();
            let fit = Pareto::fit(&excesses).unwrap();
            let total = |i: usize| excesses.iter().map(|&y| fit.score(y)[i]).sum::<f64>();
            assert!(total(0).abs() < 1.0 && total(1).abs() < 1.0, "{shape}");
            // The information is the variance of the scores; its inverse times it is 1.
            let n = excesses.len() as f64;
            let product = |i: usize, j: usize| {
                excesses.iter().map(|&y| truth.score(y)[i] * truth.score(y)[j]).sum::<f64>() / n
            };
            let inverse = truth.inverse_information();
            let one = inverse[0][0] * product(0, 0) + inverse[0][1] * product(1, 0);
            let zero = inverse[0][0] * product(0, 1) + inverse[0][1] * product(1, 1);
            assert!((one - 1.0).abs() < 0.05 && zero.abs() < 0.05, "{shape}: {one} {zero}");
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_no_crash() {
        assert_eq!(Pareto::fit(&[]), None);
        assert_eq!(Pareto::fit(&[0.0; 20]), None);
        assert_eq!(Pareto::fit(&[f64::INFINITY, 1.0]), None);
        // All alike: a shape below -0.5 would fit best and is not allowed.
        if let Some(fit) = Pareto::fit(&[0.1; 20]) {
            assert!(fit.shape >= -0.4 && fit.scale > 0.0, "{fit:?}");
        }
    }
}
