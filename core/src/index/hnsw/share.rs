//! What a sample says of all.

/// The lower end of the interval of Clopper and Pearson (1934): were the share of hits smaller, `hits` of `trials` or
/// more would come with a probability of `risk` at most.
pub(super) fn least_share(hits: usize, trials: usize, risk: f64) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    let misses = trials - hits;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if ln_at_most(misses, trials, middle) > risk.ln() {
            low = middle;
        } else {
            high = middle;
        }
    }
    1.0 - high
}

/// The logarithm of the probability of `most` or fewer of `trials`, each of probability `p` in 0..1.
fn ln_at_most(most: usize, trials: usize, p: f64) -> f64 {
    let odds = p.ln() - (-p).ln_1p();
    let mut term = trials as f64 * (-p).ln_1p();
    let mut sum = term;
    for k in 0..most {
        term += ((trials - k) as f64 / (k + 1) as f64).ln() + odds;
        let (small, large) = if term < sum { (term, sum) } else { (sum, term) };
        sum = large + (small - large).exp().ln_1p();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17: `scipy.stats.beta.ppf(risk, hits, trials - hits + 1)`.
    #[test]
    fn agrees_with_scipy() {
        for (hits, trials, risk, expected) in SCIPY {
            let found = least_share(hits, trials, risk);
            assert!((found - expected).abs() < 1e-9, "{hits} of {trials}: {found}, not {expected}");
        }
        assert_eq!(least_share(0, 10, 0.05), 0.0);
    }

    const SCIPY: [(usize, usize, f64, f64); 6] = [
        (299, 299, 0.05, 0.990030853207),
        (995, 1_000, 0.01, 0.986944578766),
        (8, 10, 0.025, 0.443904537692),
        (1, 10, 0.05, 0.005116196892),
        (14_000, 14_355, 0.00833, 0.971990836691),
        (500, 1_000, 0.05, 0.473517731236),
    ];
}
