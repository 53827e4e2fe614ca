//! Graphs against the scan. Galleries here are small, so the planner is told that graphs pay.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "noise has no value to lose"
)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::planner::{Plan, UNFIT};
use super::super::tests::{Noise, owner, plain};
use super::super::{IndexKind, Owner, Result, nothing};
use super::rows::Rows;
use super::*;

const TARGET: f64 = 0.9;
const FREE: Planner = Planner { rows_per_visit: 0, rows_per_added: 0 };
const KIND: IndexKind = IndexKind::Approximate { target_recall: TARGET };

/// An index as a tenant holds it.
type Shared = Arc<RwLock<Index>>;

fn shared(rows: &[(Owner, Embedding)], rows_per_visit: usize) -> Shared {
    let mut index = Index::new(rows[0].1.dimension());
    index.keeper.planner = Planner { rows_per_visit, rows_per_added: 0 };
    for (owner, embedding) in rows {
        index.insert(*owner, embedding).unwrap();
    }
    Arc::new(RwLock::new(index))
}

fn reader(index: &Shared) -> Reader {
    let index = Arc::downgrade(index);
    Box::new(move |work| {
        if let Some(index) = index.upgrade() {
            work(&index.read().unwrap());
        }
    })
}

/// Has a graph made, and says what became of it.
fn settled(index: &Shared, kind: IndexKind) -> IndexState {
    let started = Instant::now();
    loop {
        let held = index.read().unwrap();
        held.prepare(kind, || reader(index));
        let building = held.keeper.read(|state| state.is_building);
        match held.state(kind) {
            IndexState::Building => {}
            state if !building => return state,
            _ => {}
        }
        drop(held);
        assert!(started.elapsed() < Duration::from_secs(300), "no graph in five minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// People around a few middles, two templates each, and the way they are drawn.
fn people(count: usize, dimension: usize, seed: u64) -> Vec<(Owner, Embedding)> {
    let mut noise = Noise(seed);
    let middles: Vec<_> = (0..8).map(|_| noise.anywhere(dimension)).collect();
    let mut rows = Vec::new();
    for subject in 0..count {
        let spread = 1.0 / (dimension as f32).sqrt();
        let face = noise.around(middles[subject % 8].as_slice(), 1.2 * spread);
        for _ in 0..2 {
            let template = noise.around(face.as_slice(), spread);
            rows.push((owner(subject as i64, rows.len()), template));
        }
    }
    rows
}

fn ask(index: &Shared, probe: &Embedding, limit: usize) -> Answer {
    let held = index.read().unwrap();
    held.answer(&[probe.as_slice()], &Search::top(limit), KIND, &nothing).unwrap().remove(0)
}

fn exact(rows: &[(Owner, Embedding)], probe: &Embedding, limit: usize) -> Answer {
    let best = plain(rows, probe, &Search::top(limit), 0);
    Answer { best, method: SearchMethod::Exact }
}

/// The promise holds for probes that the audit has not seen.
#[test]
fn what_is_promised_is_kept() {
    let rows = people(1000, 48, 1);
    let index = shared(&rows, 0);
    let first = ask(&index, &rows[0].1, 1);
    assert_eq!(first.method, SearchMethod::Exact, "nothing is made unasked");
    let IndexState::Approximate { audited_recall, probes, missed } = settled(&index, KIND) else {
        panic!("{:?}", settled(&index, KIND));
    };
    assert!((TARGET..1.0).contains(&audited_recall));
    assert!(probes >= 190 && missed < probes / 10, "{probes} {missed}");
    let mut noise = Noise(2);
    let mut right = 0;
    for at in 0..500 {
        let spread = [0.12, 0.2, 0.25, 0.29][at % 4];
        let probe = noise.around(rows[at * 4].1.as_slice(), spread);
        let Answer { best, method } = ask(&index, &probe, 1);
        assert_eq!(method, SearchMethod::Approximate { audited_recall });
        right += usize::from(best == plain(&rows, &probe, &Search::top(1), 0));
    }
    assert!(right as f64 / 500.0 >= audited_recall - 0.03, "{right} of 500");
}

/// Directions anywhere lead nowhere: the narrowest search misses too many, and is not used.
#[test]
fn a_graph_under_its_target_is_refused() {
    let mut noise = Noise(3);
    let rows: Vec<_> = (0..3000).map(|at| (owner(at as i64, at), noise.anywhere(512))).collect();
    let kind = IndexKind::Approximate { target_recall: 0.997 };
    let index = shared(&rows, 2);
    let state = settled(&index, kind);
    let IndexState::Refused { audited_recall, missed, .. } = state else { panic!("{state:?}") };
    assert!(audited_recall < 0.997 && missed > 0);
    let held = index.read().unwrap();
    for at in 0..20 {
        let probe = noise.around(rows[at].1.as_slice(), 0.1);
        let answer =
            held.answer(&[probe.as_slice()], &Search::top(3), kind, &nothing).unwrap().remove(0);
        assert_eq!(answer, exact(&rows, &probe, 3));
    }
    assert_eq!(held.state(kind), state);
    assert!(!held.keeper.read(|state| state.wants_job(3000, 0.997)), "not again and again");
    assert!(held.keeper.read(|state| state.wants_job(6000, 0.997)));
    assert!(held.keeper.read(|state| state.wants_job(3000, 0.8)));
}

/// The audit counts people whom the graph has lost.
#[test]
fn the_audit_finds_what_is_missing() {
    let rows = people(1000, 48, 4);
    let index = shared(&rows, 0);
    let plan = FREE.plan(rows.len(), 0.97).unwrap();
    let (graph, names) = made(&rows, &plan);
    let cancelled = Arc::clone(&index.read().unwrap().keeper.cancelled);
    let job = Job { reader: reader(&index), cancelled, plan, target: 0.97 };
    let whole = audit::audit(&job, &graph, &names).unwrap();
    assert!(whole.least >= 0.97, "{whole:?}");
    for (place, (_, vector)) in rows.iter().enumerate() {
        let same = graph.rows().one(place, |row| row == vector.as_slice());
        assert!(same, "the audit leaves the rows as they were");
    }
    (0..rows.len()).step_by(10).for_each(|place| graph.rows().wipe(place));
    let holey = audit::audit(&job, &graph, &names).unwrap();
    let share = holey.missed as f64 / holey.probes as f64;
    assert!(share > 0.05 && share < 0.15, "one in ten is lost: {holey:?}");
    assert!(holey.least < 0.97);
}

/// A panic in the graph's crate is not seen from outside, and is the graph's end.
#[test]
fn after_a_panic_the_scan_answers() {
    let rows = people(200, 16, 5);
    let index = shared(&rows, 0);
    assert!(matches!(settled(&index, KIND), IndexState::Approximate { .. }));
    let probe = Noise(6).around(rows[0].1.as_slice(), 0.1);
    assert_ne!(ask(&index, &probe, 1).method, SearchMethod::Exact);
    index.read().unwrap().keeper.read(|state| {
        let live = state.live.as_ref().unwrap();
        live.graph.rows().broken.store(true, Ordering::Relaxed);
    });
    for _ in 0..2 {
        assert_eq!(ask(&index, &probe, 5), exact(&rows, &probe, 5));
        assert_eq!(settled(&index, KIND), IndexState::Failed);
    }
    index.write().unwrap().remove(&rows[0].0.template);
    index.write().unwrap().insert(rows[0].0, &rows[0].1).unwrap();
    assert_eq!(ask(&index, &probe, 1).best[0].0.subject, rows[0].0.subject);
}

#[test]
fn a_panic_in_building_or_in_the_audit_gives_no_graph() {
    let rows = people(200, 16, 7);
    let plan = FREE.plan(rows.len(), TARGET).unwrap();
    let broken = copied(&rows);
    broken.broken.store(true, Ordering::Relaxed);
    assert!(Graph::build(broken, plan.shape, 2, &AtomicBool::new(false)).is_none());
    let (graph, names) = made(&rows, &plan);
    graph.rows().broken.store(true, Ordering::Relaxed);
    let index = shared(&rows, 0);
    let cancelled = Arc::clone(&index.read().unwrap().keeper.cancelled);
    let job = Job { reader: reader(&index), cancelled, plan, target: TARGET };
    assert_eq!(audit::audit(&job, &graph, &names), Err(Unfinished::Failed));
}

/// Equal vectors are at distance zero and not below it, which the crate asserts.
#[test]
fn equal_and_opposite_vectors_are_no_trouble() {
    let mut noise = Noise(8);
    let one = noise.anywhere(512);
    let opposite = Embedding::normalize(one.as_slice().iter().map(|it| -it).collect::<Vec<_>>());
    let mut rows = Rows::new(512);
    (0..50).for_each(|_| rows.push(one.as_slice()));
    rows.push(opposite.unwrap().as_slice());
    let shape = Shape { links: 16, candidates: 50 };
    let graph = Graph::build(rows, shape, 1, &AtomicBool::new(false)).unwrap();
    assert!(!graph.nearest(one.as_slice(), 64).expect("no panic").is_empty());
}

#[test]
fn building_ends_when_nobody_wants_it() {
    let rows = people(200, 16, 9);
    let shape = Shape { links: 16, candidates: 50 };
    let graph = Graph::build(copied(&rows), shape, 2, &AtomicBool::new(true)).unwrap();
    assert_eq!(
        graph.nearest(rows[0].1.as_slice(), 64).map(|it| it.len()),
        Some(1),
        "only the first"
    );

    let index = shared(&people(2000, 64, 10), 0);
    let token = Arc::new(());
    let held = Arc::clone(&token);
    let lead = reader(&index);
    index.read().unwrap().prepare(KIND, || {
        Box::new(move |work| {
            let _ = &held;
            lead(work);
        })
    });
    drop(index);
    let started = Instant::now();
    while Arc::strong_count(&token) > 1 {
        assert!(started.elapsed() < Duration::from_secs(300), "the thread is still there");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_the_audit_says_nothing_of_is_scanned() {
    let rows = people(300, 16, 11);
    let index = shared(&rows, 0);
    assert!(matches!(settled(&index, KIND), IndexState::Approximate { .. }));
    let probe = Noise(12).around(rows[7].1.as_slice(), 0.1);
    let probe = probe.as_slice();
    let held = index.read().unwrap();
    let method = |probes: &[&[f32]], search: &Search<'_>| -> Vec<_> {
        held.answer(probes, search, KIND, &nothing)
            .unwrap()
            .into_iter()
            .map(|it| it.method)
            .collect()
    };
    let exact = SearchMethod::Exact;
    assert_eq!(method(&[probe], &Search { among: Some(&[3, 4]), ..Search::top(2) }), [exact]);
    assert_eq!(method(&[probe, probe], &Search::top(2)), [exact, exact]);
    assert_eq!(method(&[probe], &Search { at_least: f32::NAN, ..Search::top(2) }), [exact]);
    // More people than a search comes by, unless a threshold leaves enough of them out.
    assert_eq!(method(&[probe], &Search::top(300)), [exact]);
    assert_ne!(method(&[probe], &Search { at_least: 0.5, ..Search::top(300) }), [exact]);
    // Hardly anybody is allowed.
    let few = Search { allowed: &|_, subject| subject == 299, ..Search::top(1) };
    assert_eq!(method(&[probe], &few), [exact]);
    assert!(held.answer(&[&[1.0; 17]], &Search::top(1), KIND, &nothing).is_err());
}

/// What is removed is wiped in the graph's rows too, and is put back when it comes back.
#[test]
fn removed_rows_are_wiped() {
    let rows = people(400, 16, 13);
    let index = shared(&rows, 0);
    assert!(matches!(settled(&index, KIND), IndexState::Approximate { .. }));
    let (who, vector) = (rows[20].0, &rows[20].1);
    let row = |check: fn(&[f32], &Embedding) -> bool| {
        index.read().unwrap().keeper.read(|state| {
            let live = state.live.as_ref().unwrap();
            let place = live.names.places[&who.template];
            (live.graph.rows().one(place, |row| check(row, vector)), live.removed)
        })
    };
    assert_eq!(row(|row, vector| row == vector.as_slice()), (true, 0));
    index.write().unwrap().remove(&who.template);
    assert_eq!(row(|row, _| row.iter().all(|it| it.to_bits() == 0)), (true, 1));
    assert!(ask(&index, vector, 3).best.iter().all(|(owner, _)| owner.template != who.template));
    index.write().unwrap().insert(who, vector).unwrap();
    assert_eq!(row(|row, vector| row == vector.as_slice()), (true, 0));
    assert_eq!(ask(&index, vector, 1).best[0].0, who);
}

/// One thread enrols and removes, another searches: nobody who is gone is found, nobody new is missed, every similarity
/// is the scan's, and graphs are built anew along the way.
#[test]
fn searches_hold_while_others_write() {
    let rows = people(500, 16, 14);
    let index = shared(&rows[..600], 0);
    assert!(matches!(settled(&index, KIND), IndexState::Approximate { .. }));
    let done = AtomicBool::new(false);
    let approximate = std::thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let mut noise = Noise(15);
            let mut approximate = 0;
            while !done.load(Ordering::Relaxed) {
                let held = index.read().unwrap();
                held.prepare(KIND, || reader(&index));
                let probe = noise.around(rows[noise.0 as usize % 1000].1.as_slice(), 0.1);
                approximate += usize::from(check(&held, &probe, &Search::top(3)).unwrap());
            }
            approximate
        });
        let mut noise = Noise(16);
        for step in 0..400 {
            let at = noise.next() as usize % rows.len();
            let mut held = index.write().unwrap();
            if held.people.contains(&rows[at].0.template) {
                held.remove(&rows[at].0.template);
            } else {
                held.insert(rows[at].0, &rows[at].1).unwrap();
                let new =
                    held.answer(&[rows[at].1.as_slice()], &Search::top(1), KIND, &nothing).unwrap();
                assert_eq!(
                    new[0].best[0].0.subject, rows[at].0.subject,
                    "who was enrolled is found"
                );
            }
            drop(held);
            if step % 80 == 0 {
                settled(&index, KIND);
            }
        }
        done.store(true, Ordering::Relaxed);
        searcher.join().unwrap()
    });
    assert!(approximate > 0, "graphs answered too");
}

/// Holds an answer against the scan of the same moment. Whether it came from a graph.
fn check(index: &Index, probe: &Embedding, search: &Search<'_>) -> Result<bool> {
    let Answer { best: found, method } =
        index.answer(&[probe.as_slice()], search, KIND, &nothing)?.remove(0);
    let exact = index.search(&[probe.as_slice()], search)?.remove(0);
    if method == SearchMethod::Exact {
        assert_eq!(found, exact);
        return Ok(false);
    }
    let everybody =
        index.search(&[probe.as_slice()], &Search { limit: usize::MAX, ..*search })?.remove(0);
    let known: HashMap<_, _> = everybody.iter().map(|(it, value)| (it.template, *value)).collect();
    for (owner, similarity) in &found {
        let row = index.people.row(&owner.template).expect("found, so it is there");
        assert_eq!(index.people.owner(row), *owner);
        assert_eq!(index.vectors.similarity(row, probe.as_slice()), *similarity);
        assert!(known.get(&owner.template).is_none_or(|value| value == similarity));
    }
    let order = |it: &(Owner, Similarity)| (-it.1.value(), it.0.subject);
    assert!(found.is_sorted_by(|a, b| order(a) < order(b)), "best first");
    let subjects: HashSet<_> = found.iter().map(|it| it.0.subject).collect();
    assert_eq!(subjects.len(), found.len(), "each subject once");
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Any order of adding, removing and building leaves answers that are the index's own.
    #[test]
    fn any_history(steps in prop::collection::vec((0..260_usize, 0..40_u8), 1..60), seed in any::<u64>()) {
        let rows = people(130, 12, seed);
        let index = shared(&rows[..200], 0);
        let mut noise = Noise(seed);
        for (at, what) in steps {
            if what == 0 {
                settled(&index, KIND);
            }
            let mut held = index.write().unwrap();
            let (who, vector) = &rows[at];
            if held.people.contains(&who.template) {
                held.remove(&who.template);
            } else {
                held.insert(*who, vector).unwrap();
            }
            let probe = noise.around(vector.as_slice(), 0.15);
            for search in [Search::top(1), Search { at_least: 0.6, ..Search::top(4) }] {
                check(&held, &probe, &search).unwrap();
            }
            let counted = held.keeper.read(|state| {
                let live = state.live.as_ref()?;
                let gone = live.names.templates.iter().filter(|it| held.people.row(it).is_none()).count();
                let known = held.people.templates().iter().filter(|it| live.names.places.contains_key(*it));
                Some((gone == live.removed, known.count() + live.added.len() == held.people.rows()))
            });
            prop_assert!(counted.is_none_or(|it| it == (true, true)), "{counted:?}");
        }
    }
}

#[test]
fn the_planner_keeps_small_galleries_exact() {
    let planner = Planner::MEASURED;
    for target in [0.5, 0.89, 0.9, 0.99, 0.999] {
        let from = planner.from(target);
        assert!(from >= 100_000, "a graph never pays below: see benches/compare/HNSW.md");
        assert!(planner.plan(from - 1, target).is_none());
        for rows in [from, 3 * from, 100 * from] {
            let plan = planner.plan(rows, target).unwrap();
            assert!(plan.breadths.iter().all(|it| planner.pays(rows, 0, plan.shape, *it)));
            assert!(plan.risk * plan.breadths.len() as f64 <= 0.05 + 1e-12);
            let sure = share::least_share(plan.probes, plan.probes, plan.risk);
            assert!(sure > target, "a perfect graph passes: {sure}");
            let misses = plan.probes / 100 + plan.probes.isqrt();
            let poor = (target * plan.probes as f64) as usize - misses;
            assert!(share::least_share(poor, plan.probes, plan.risk) < target);
        }
    }
    for rows in [0, 31, 32, 1000, 1_000_000] {
        assert!(!is_worn(rows, rows / 128, rows / 64));
        assert!(is_worn(rows, rows / 128 + 1, 0) && is_worn(rows, 0, rows / 64 + 1));
        assert!(!is_unfit(rows, rows / UNFIT) && is_unfit(rows, rows / UNFIT + 1));
    }
    // At the crossover every row that comes is one too many; where there are twice as many rows some may come.
    let plan = planner.plan(1_000_000, 0.9).unwrap();
    let breadth = plan.breadths[0];
    let pays = |rows, added| planner.pays(rows, added, plan.shape, breadth);
    let from = planner.from(0.9);
    assert!(pays(from, 0) && !pays(from, 1));
    assert!(pays(2 * from, 2 * from / 128) && !pays(1_000_000, 1_000_000 / 32));
}

fn copied(rows: &[(Owner, Embedding)]) -> Rows {
    let mut copied = Rows::new(rows[0].1.dimension());
    rows.iter().for_each(|(_, vector)| copied.push(vector.as_slice()));
    copied
}

fn made(rows: &[(Owner, Embedding)], plan: &Plan) -> (Graph, Names) {
    let mut names = Names::default();
    rows.iter().for_each(|(owner, _)| names.push(owner.template));
    let graph = Graph::build(copied(rows), plan.shape, 1, &AtomicBool::new(false)).unwrap();
    (graph, names)
}
