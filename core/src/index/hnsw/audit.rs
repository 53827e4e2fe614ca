//! How often a graph finds the best: measured on hard probes made from the index's own templates.
//!
//! The probes are of two sorts, and both are harder than what a camera sees on a good day:
//! - *left out*: a template of a subject who has several. Without it, the best is another picture of the same person: a
//!   real probe, at the distance this embedder and these cameras give.
//! - *perturbed*: a template turned to a cosine of 0.45 to 0.6, where bad pictures of enrolled people lie. Closer
//!   probes are easy: near its target a graph misses little, and an audit with the templates themselves passes whatever
//!   is wrong. It is turned in a random direction, which leads a search nowhere.
//!
//! The true best comes from the scan. As many rows as may be removed in the graph's life are wiped meanwhile, at random,
//! so that what is found holds to its end.

use std::collections::HashSet;
use std::num::NonZero;

use super::job::Job;
use super::share::least_share;
use super::{Graph, Names, Unfinished};
use crate::index::planner::UNFIT;
use crate::index::{Index, Search};
use crate::vector::{Embedding, Similarity};

/// Cosines of perturbed probes to the templates they are made of.
const COSINES: [f32; 4] = [0.45, 0.5, 0.55, 0.6];

/// Probes that are asked while the index is held.
const ASKED: usize = 8;

/// What can be said of a graph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Audited {
    /// Of the search.
    pub(super) breadth: usize,
    pub(super) probes: usize,
    pub(super) missed: usize,
    /// The share of probes whose best it finds, at least.
    pub(super) least: f64,
}

/// The narrowest search that keeps the promise, or the best there is.
pub(super) fn audit(job: &Job, graph: &Graph, names: &Names) -> Result<Audited, Unfinished> {
    let rows = graph.rows().len();
    // Another seed each time, so that rebuilding is no lottery with the same ticket.
    let mut random = Random(rows as u64 ^ names.templates.first().map_or(0, seed));
    let mut wiped = HashSet::new();
    while wiped.len() < rows / UNFIT {
        wiped.insert(random.below(rows));
    }
    wiped.iter().for_each(|place| graph.rows().wipe(*place));

    let mut tally = Tally { probes: 0, found: vec![0; job.plan.breadths.len()] };
    for first in (0..job.plan.probes).step_by(ASKED) {
        let count = ASKED.min(job.plan.probes - first);
        job.read(|index| {
            (0..count).try_for_each(|_| {
                let ask = Ask { index, graph, names, wiped: &wiped };
                ask.one(&mut random, &job.plan.breadths, &mut tally)
            })
        })??;
    }

    for places in wiped.into_iter().collect::<Vec<_>>().chunks(ASKED) {
        job.read(|index| {
            for place in places {
                if let Some(row) = index.people.row(&names.templates[*place]) {
                    graph.rows().put(*place, index.vectors.row(row));
                }
            }
        })?;
    }
    let audited = tally.found.iter().zip(&job.plan.breadths).map(|(found, breadth)| Audited {
        breadth: *breadth,
        probes: tally.probes,
        missed: tally.probes - found,
        least: least_share(*found, tally.probes, job.plan.risk),
    });
    let audited: Vec<_> = audited.collect();
    let passed = audited.iter().find(|it| it.least >= job.target);
    let best = audited.iter().max_by(|a, b| a.least.total_cmp(&b.least));
    passed.or(best).copied().ok_or(Unfinished::Failed)
}

/// Probes, and for how many of them each breadth found the best.
struct Tally {
    probes: usize,
    found: Vec<usize>,
}

struct Ask<'a> {
    index: &'a Index,
    graph: &'a Graph,
    names: &'a Names,
    wiped: &'a HashSet<usize>,
}

impl Ask<'_> {
    fn one(
        &self,
        random: &mut Random,
        breadths: &[usize],
        tally: &mut Tally,
    ) -> Result<(), Unfinished> {
        let (people, vectors) = (&self.index.people, &self.index.vectors);
        let template = self.names.templates[random.below(self.names.templates.len())];
        let Some(row) = people.row(&template) else { return Ok(()) };
        let subject = people.owner(row).subject;
        let several = people.rows_of(subject).nth(1).is_some();
        let left_out = several && random.below(2) == 0;
        let cosine = if left_out { 1.0 } else { COSINES[random.below(COSINES.len())] };
        let Some(probe) = random.turned(vectors.row(row), cosine) else { return Ok(()) };

        let allowed = |_, it| !left_out || it != subject;
        let scan = Search { allowed: &allowed, threads: NonZero::<usize>::MIN, ..Search::top(1) };
        let others =
            self.index.search(&[probe.as_slice()], &scan).map_err(|_| Unfinished::Failed)?;
        let others = others.iter().flatten().filter_map(|(owner, _)| people.row(&owner.template));
        let own = people.rows_of(subject).filter(|it| left_out && *it != row);
        let similar = |row: usize| (row, vectors.similarity(row, probe.as_slice()));
        let value = |it: &(usize, Similarity)| it.1.value();
        let best = others.chain(own).map(similar).max_by(|a, b| value(a).total_cmp(&value(b)));
        // Only what the graph can know is asked of it: the rest is looked at one by one.
        let place = |row| self.names.places.get(&people.owner(row).template);
        let Some(best) =
            best.filter(|(row, _)| place(*row).is_some_and(|place| !self.wiped.contains(place)))
        else {
            return Ok(());
        };
        tally.probes += 1;
        for (breadth, found) in breadths.iter().zip(&mut tally.found) {
            let near = self.graph.nearest(probe.as_slice(), *breadth).ok_or(Unfinished::Failed)?;
            let near = near.iter().filter_map(|it| people.row(&self.names.templates[*it]));
            let near = near.filter(|it| !left_out || *it != row);
            let hit = near.map(similar).any(|it| value(&it) >= value(&best));
            *found += usize::from(hit);
        }
        Ok(())
    }
}

/// Random numbers: SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is below a usize")]
        let number = (self.next() % end as u64) as usize;
        number
    }

    /// Sums of four uniform numbers are normal enough.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|part| bits >> (16 * part) & 0xffff).sum();
        #[expect(clippy::cast_precision_loss, reason = "noise")]
        let sum = sum as f32;
        sum / 65_536.0 - 2.0
    }

    /// `vector` turned by `cosine` towards anywhere. None where there is no other direction.
    fn turned(&mut self, vector: &[f32], cosine: f32) -> Option<Embedding> {
        let noise: Vec<f32> = vector.iter().map(|_| self.normal()).collect();
        let along: f32 = noise.iter().zip(vector).map(|(a, b)| a * b).sum();
        let aside = Embedding::normalize(
            noise.iter().zip(vector).map(|(a, b)| a - along * b).collect::<Vec<_>>(),
        );
        let sine = (1.0 - cosine * cosine).sqrt();
        let pairs = vector.iter().zip(aside.ok()?.as_slice().to_vec());
        Embedding::normalize(pairs.map(|(a, b)| cosine * a + sine * b).collect::<Vec<_>>()).ok()
    }
}

/// The bytes of an id as a number.
fn seed(template: &crate::id::TemplateId) -> u64 {
    template.as_bytes().iter().fold(0, |sum, byte| sum.rotate_left(8) ^ u64::from(*byte))
}
