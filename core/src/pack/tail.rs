//! The tail of the impostor scores: false match rates too small to be counted.

/// Half the width of a 95 % interval in standard errors: the 97.5 % quantile of the normal distribution.
const Z95: f64 = 1.959_963_984_540_054;

/// How the similarities of different people thin out above a threshold, as `faceprint eval
/// identification` measured it.
///
/// Above a high threshold what is left of almost any distribution follows a generalized Pareto
/// distribution (Pickands 1975; Coles 2001, *An Introduction to Statistical Modeling of Extreme
/// Values*, chapter 4):
///
/// FMR(t) = `fmr` · (1 + `shape` · (t - `above`) / `scale`)^(-1 / `shape`) for t ≥ `above`,
///
/// and with a shape of 0 `fmr` · exp(-(t - `above`) / `scale`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ImpostorTail {
    /// Different people that were compared with each other.
    pub people: u64,
    /// Comparisons of pictures of two different people.
    pub comparisons: u64,
    /// Similarity (cosine, -1..=1) from which on the distribution is meant.
    pub above: f32,
    /// Share of the comparisons with at least that similarity, above 0 and below 1.
    pub fmr: f64,
    /// Scale of the distribution, in units of similarity, above 0.
    pub scale: f64,
    /// Shape, -0.5..=0.5: below 0 the scores end somewhere, above 0 they fall off slower than
    /// exponentially. Beyond these bounds the standard errors mean nothing (Smith 1985).
    pub shape: f64,
    /// Standard errors of ln `fmr`, of ln `scale` and of `shape`.
    pub standard_errors: [f64; 3],
    /// Correlations of these three: fmr and scale, fmr and shape, scale and shape.
    pub correlations: [f64; 3],
    /// On what and how.
    pub measured: String,
}

/// ln fmr, ln scale, shape.
type Parameters = [f64; 3];

impl ImpostorTail {
    /// The rate at `similarity`, by the best estimate. `similarity` at least [`Self::above`].
    pub(crate) fn rate(&self, similarity: f64) -> f64 {
        let excess = (similarity - f64::from(self.above)).max(0.0) / self.scale;
        if self.shape.abs() < NEARLY_ZERO {
            return self.fmr * (-excess).exp();
        }
        let base = 1.0 + self.shape * excess;
        // With a shape below 0 the scores have ended there.
        if base <= 0.0 { 0.0 } else { self.fmr * (-base.ln() / self.shape).exp() }
    }

    /// The least and the greatest similarity at which the rate may be `fmr`, with 95 % confidence.
    ///
    /// It is the interval of the profile likelihood (Coles 2001, 2.6.6) with the logarithm of the
    /// likelihood taken as quadratic around the best estimate: of all parameters within 1.96 standard
    /// errors, those that give the least and the greatest similarity. Unlike the estimate plus and minus
    /// a standard error, it is wider towards the side that the data say less about.
    pub(crate) fn interval(&self, fmr: f64) -> (f64, f64) {
        (self.extreme(fmr, -1.0), self.extreme(fmr, 1.0))
    }

    /// The 95 % interval of the rate at `similarity`: the rates whose own interval holds it.
    pub(crate) fn rate_interval(&self, similarity: f64) -> (f64, f64) {
        (self.rate_where(similarity, -1.0), self.rate_where(similarity, 1.0))
    }

    /// Whether the correlations can be those of three numbers: their matrix is positive definite.
    pub(crate) fn correlations_are_possible(&self) -> bool {
        let [a, b, c] = self.correlations;
        let within = self.correlations.iter().all(|correlation| correlation.abs() < 1.0);
        within && 1.0 + 2.0 * a * b * c - a * a - b * b - c * c > 0.0
    }

    fn parameters(&self) -> Parameters {
        [self.fmr.ln(), self.scale.ln(), self.shape]
    }

    fn quantile(&self, &[ln_fmr, ln_scale, shape]: &Parameters, fmr: f64) -> f64 {
        let decades = ln_fmr - fmr.ln();
        f64::from(self.above) + ln_scale.exp() * growth(shape, decades)
    }

    /// How [`quantile`](Self::quantile) changes with each parameter.
    fn gradient(&self, &[ln_fmr, ln_scale, shape]: &Parameters, fmr: f64) -> Parameters {
        let (scale, decades) = (ln_scale.exp(), ln_fmr - fmr.ln());
        let of_shape = if shape.abs() < NEARLY_ZERO {
            decades * decades * (0.5 + shape * decades / 3.0)
        } else {
            (decades * (shape * decades).exp() - growth(shape, decades)) / shape
        };
        [scale * (shape * decades).exp(), scale * growth(shape, decades), scale * of_shape]
    }

    /// The greatest (`sign` 1) or least (-1) quantile over the ellipsoid of likely parameters.
    fn extreme(&self, fmr: f64, sign: f64) -> f64 {
        // On the sphere that the ellipsoid is the image of, each step goes half-way towards the
        // steepest direction; the function is so nearly linear there that few steps are needed.
        const STEPS: usize = 60;
        let (center, root) = (self.parameters(), self.root());
        let at = |v: &[f64; 3]| {
            let mut parameters = center;
            for (row, parameter) in root.iter().zip(&mut parameters) {
                *parameter += Z95 * row.iter().zip(v).map(|(a, b)| a * b).sum::<f64>();
            }
            parameters
        };
        let mut best = self.quantile(&center, fmr);
        let mut v = [0.0; 3];
        for _ in 0..STEPS {
            let gradient = self.gradient(&at(&v), fmr);
            let uphill: [f64; 3] =
                std::array::from_fn(|j| (0..3).map(|i| root[i][j] * gradient[i] * sign).sum());
            let steepest = unit(uphill);
            v = unit(std::array::from_fn(|i| v[i] + steepest[i]));
            let now = self.quantile(&at(&v), fmr);
            if sign * now > sign * best {
                best = now;
            }
        }
        best
    }

    /// The rate whose greatest (`sign` 1) or least (-1) similarity is `similarity`; 0 when there is none.
    fn rate_where(&self, similarity: f64, sign: f64) -> f64 {
        // Far below any rate that means something, and far from the limits of an f64.
        const LEAST: f64 = -230.0;
        let (mut low, mut high) = (LEAST, 0.0);
        if self.extreme(f64::exp(low), sign) < similarity {
            return 0.0;
        }
        // The similarity falls as the rate rises.
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.extreme(middle.exp(), sign) < similarity {
                high = middle;
            } else {
                low = middle;
            }
        }
        high.exp()
    }

    /// Lower triangular root of the covariance of the parameters (Cholesky).
    fn root(&self) -> [[f64; 3]; 3] {
        let [a, b, c] = self.correlations;
        let second = (1.0 - a * a).max(0.0).sqrt();
        let mixed = if second > 0.0 { (c - a * b) / second } else { 0.0 };
        let third = (1.0 - b * b - mixed * mixed).max(0.0).sqrt();
        let mut root = [[1.0, 0.0, 0.0], [a, second, 0.0], [b, mixed, third]];
        for (row, error) in root.iter_mut().zip(self.standard_errors) {
            row.iter_mut().for_each(|entry| *entry *= error);
        }
        root
    }
}

/// Shapes nearer to 0 than this count as 0: the general formulas lose their digits there.
const NEARLY_ZERO: f64 = 1e-6;

/// (e^(shape · decades) - 1) / shape, and its limit at a shape of 0.
fn growth(shape: f64, decades: f64) -> f64 {
    if shape.abs() < NEARLY_ZERO { decades } else { (shape * decades).exp_m1() / shape }
}

/// The direction of `v`; zero when it has none.
fn unit(v: [f64; 3]) -> [f64; 3] {
    let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 && length.is_finite() { v.map(|x| x / length) } else { [0.0; 3] }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn tail() -> ImpostorTail {
        ImpostorTail {
            people: 2000,
            comparisons: 7_000_000,
            above: 0.37,
            fmr: 1e-3,
            scale: 0.044,
            shape: -0.08,
            standard_errors: [0.07, 0.05, 0.02],
            correlations: [0.3, 0.2, -0.6],
            measured: "test".into(),
        }
    }

    /// The best estimate of where the rate is `fmr`.
    fn similarity(tail: &ImpostorTail, fmr: f64) -> f64 {
        tail.quantile(&tail.parameters(), fmr)
    }

    fn close(value: f64, expected: f64) -> bool {
        // `above` is an f32.
        (value - expected).abs() < 1e-6 + 1e-6 * expected.abs()
    }

    #[test]
    fn similarities_and_rates_are_those_of_scipy() {
        // from scipy.stats import genpareto
        // 0.37 + genpareto.isf(p / 1e-3, -0.08, 0, 0.044); 1e-3 * genpareto.sf(t - 0.37, -0.08, 0, 0.044)
        for (fmr, t) in [(1e-4, 0.462_529_926), (1e-6, 0.603_508_034), (1e-8, 0.701_041_056)] {
            assert!(close(similarity(&tail(), fmr), t), "{fmr}");
        }
        for (t, fmr) in [(0.45, 1.401_811e-4), (0.6, 1.147_734e-6), (0.8, 5.435_4e-12)] {
            assert!((tail().rate(t) / fmr - 1.0).abs() < 1e-4, "{t}");
        }
        let exponential = ImpostorTail { shape: 0.0, ..tail() };
        assert!(close(similarity(&exponential, 1e-6), 0.673_941_232));
        assert!((exponential.rate(0.673_941_232) / 1e-6 - 1.0).abs() < 1e-5);
        assert_eq!(tail().rate(0.95), 0.0, "the scores end at 0.92");
    }

    #[test]
    fn intervals_are_the_extremes_over_the_likely_parameters() {
        // scipy.optimize.minimize(method="Nelder-Mead") from 30 random directions, over the ellipsoid
        // with the Cholesky root of the covariance that the errors and correlations make.
        for (fmr, low, high) in [
            (1e-4, 0.452_291_841, 0.473_792_874),
            (1e-6, 0.579_565_860, 0.631_171_003),
            (1e-8, 0.654_619_063, 0.760_190_313),
        ] {
            let interval = tail().interval(fmr);
            assert!(close(interval.0, low) && close(interval.1, high), "{fmr}: {interval:?}");
        }
        // scipy.optimize.brentq on the above.
        let (low, high) = tail().rate_interval(0.6);
        assert!((low / 3.591_225e-7 - 1.0).abs() < 1e-4, "{low}");
        assert!((high / 2.711_346e-6 - 1.0).abs() < 1e-4, "{high}");
    }

    #[test]
    fn less_data_makes_wider_intervals() {
        let thin = ImpostorTail { standard_errors: [0.35, 0.25, 0.1], ..tail() };
        let mut before = 0.0;
        for fmr in [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8] {
            let (low, high) = tail().interval(fmr);
            let (thin_low, thin_high) = thin.interval(fmr);
            assert!(thin_low < low && low < high && high < thin_high, "{fmr}");
            let estimate = similarity(&tail(), fmr);
            assert!(low < estimate && estimate < high && high - low > before, "{fmr}");
            before = high - low;
        }
    }

    #[test]
    fn correlations_that_contradict_each_other_are_seen() {
        assert!(tail().correlations_are_possible());
        for correlations in [[1.0, 0.0, 0.0], [0.9, 0.9, -0.9], [f64::NAN, 0.0, 0.0]] {
            assert!(!ImpostorTail { correlations, ..tail() }.correlations_are_possible());
        }
    }
}
