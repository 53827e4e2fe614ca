//! Many pictures on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Engine;
use crate::runtime::{Lane, cores};

impl Engine {
    /// Runs `work` on each of `items` on all cores, one thread each, and returns the results in the
    /// items' order. `progress` is called after each item with the number done so far and in all.
    ///
    /// `work` gets the engine to use, and does the reading and decoding too, so that only as many
    /// pictures are in memory as there are cores:
    /// ```no_run
    /// # use faceprint::{Engine, image::{DecodeLimits, decode}};
    /// # fn faces(engine: &Engine, paths: &[std::path::PathBuf]) {
    /// let counts = engine.batch(
    ///     paths,
    ///     |engine, path| -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    ///         let image = decode(&std::fs::read(path)?, &DecodeLimits::default())?;
    ///         Ok(engine.detect(&image.view())?.len())
    ///     },
    ///     |done, total| eprintln!("{done}/{total}"),
    /// );
    /// # }
    /// ```
    ///
    /// # Panics
    /// When `work` or `progress` panics.
    pub fn batch<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&Self, &T) -> R + Sync,
        progress: impl Fn(usize, usize) + Sync,
    ) -> Vec<R> {
        let workers = cores().min(items.len());
        // A single item may have all cores.
        let lane = if workers > 1 { Lane::Narrow } else { self.lane };
        let engine = Self { models: self.models.clone(), lane };
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(index) else { break };
                        let result = work(&engine, item);
                        results
                            .lock()
                            .expect("no worker panics with the lock")
                            .push((index, result));
                        progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
                    }
                });
            }
        });
        let mut results = results.into_inner().expect("a panic has ended the scope already");
        results.sort_unstable_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}
