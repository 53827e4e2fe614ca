//! Bounded pools of things that need `&mut` to run, so that their owner can be used through `&self`.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Lane, cores};
use crate::error::Result;

/// The two lanes of a runtime: one item that uses all threads, and one-threaded ones for runs that
/// overlap. With a given number of threads all items are alike and the lanes are one.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    wide: Option<Pool<T>>,
    narrow: Pool<T>,
}

impl<T> Lanes<T> {
    /// `make` gets the number of threads that its item may use.
    pub(super) fn new(
        threads: Option<usize>,
        make: impl Fn(usize) -> Result<T> + Clone + Send + Sync + 'static,
    ) -> Self {
        let make_wide = make.clone();
        match threads {
            Some(threads) => Self { wide: None, narrow: Pool::new(cores(), move || make(threads)) },
            None => Self {
                wide: Some(Pool::new(1, move || make_wide(cores()))),
                narrow: Pool::new(cores(), move || make(1)),
            },
        }
    }

    /// Runs `work` on the wide item if the lane allows it and it is free, else on a narrow one.
    pub(super) fn with<R>(&self, lane: Lane, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        match &self.wide {
            Some(wide) if lane == Lane::Wide => match wide.try_with(work) {
                Ok(result) => result,
                Err(work) => self.narrow.with(work),
            },
            _ => self.narrow.with(work),
        }
    }
}

/// At most `limit` items, made when first needed and kept.
struct Pool<T> {
    make: Box<dyn Fn() -> Result<T> + Send + Sync>,
    limit: usize,
    state: Mutex<State<T>>,
    returned: Condvar,
}

struct State<T> {
    idle: Vec<T>,
    made: usize,
}

impl<T> Pool<T> {
    fn new(limit: usize, make: impl Fn() -> Result<T> + Send + Sync + 'static) -> Self {
        Self {
            make: Box::new(make),
            limit: limit.max(1),
            state: Mutex::new(State { idle: Vec::new(), made: 0 }),
            returned: Condvar::new(),
        }
    }

    /// Runs `work` on an item; waits when all are in use.
    fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut state = self.lock();
        while state.idle.is_empty() && state.made >= self.limit {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.idle.is_empty() {
            state.made += 1;
        }
        let item = state.idle.pop();
        drop(state);
        self.run(item, work)
    }

    /// Runs `work` on an item if one is free or may be made, and hands `work` back otherwise.
    fn try_with<R, W: FnOnce(&mut T) -> Result<R>>(
        &self,
        work: W,
    ) -> std::result::Result<Result<R>, W> {
        let mut state = self.lock();
        if state.idle.is_empty() {
            if state.made >= self.limit {
                return Err(work);
            }
            state.made += 1;
        }
        let item = state.idle.pop();
        drop(state);
        Ok(self.run(item, work))
    }

    /// `item` is `None` when the place of one that is still to be made has been taken.
    fn run<R>(&self, item: Option<T>, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut lease = Lease { pool: self, item };
        if lease.item.is_none() {
            lease.item = Some((self.make)()?);
        }
        match &mut lease.item {
            Some(item) => work(item),
            None => unreachable!("made above"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limit", &self.limit).field("made", &self.lock().made).finish()
    }
}

/// Gives the item back, or its place when making it failed, also when `work` panics.
struct Lease<'a, T> {
    pool: &'a Pool<T>,
    item: Option<T>,
}

impl<T> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        match self.item.take() {
            Some(item) => state.idle.push(item),
            None => state.made -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::{Error, ErrorKind};

    #[test]
    fn makes_no_more_than_the_limit_and_serves_all() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let pool = Pool::new(3, move || Ok(counter.fetch_add(1, Ordering::SeqCst)));
        let served = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        pool.with(|_| {
                            served.fetch_add(1, Ordering::SeqCst);
                            std::thread::yield_now();
                            Ok(())
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(served.load(Ordering::SeqCst), 1600);
        assert!((1..=3).contains(&made.load(Ordering::SeqCst)));
    }

    #[test]
    fn a_failed_make_gives_its_place_back() {
        let attempts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&attempts);
        let pool = Pool::new(1, move || match counter.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Error::new(ErrorKind::Internal, "first")),
            n => Ok(n),
        });
        assert!(pool.with(|_| Ok(())).is_err());
        assert!(pool.with(|_| Ok(())).is_ok());
    }

    #[test]
    fn a_panic_in_work_returns_the_item() {
        let pool = Pool::new(1, || Ok(()));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.with::<()>(|()| panic!("work failed"))
        }));
        assert!(panicked.is_err());
        assert!(pool.with(|()| Ok(())).is_ok());
    }

    #[test]
    fn try_with_hands_the_work_back_when_all_are_busy() {
        let pool = Pool::new(1, || Ok(()));
        pool.with(|()| {
            assert!(pool.try_with(|()| Ok(())).is_err());
            Ok(())
        })
        .unwrap();
        assert!(pool.try_with(|()| Ok(())).is_ok());
    }
}
