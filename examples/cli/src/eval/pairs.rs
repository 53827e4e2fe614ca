//! The `pairs.txt` format of Labeled Faces in the Wild.
//!
//! The first line is `FOLDS PAIRS` (or `PAIRS` alone for one fold). Each fold is `PAIRS` lines
//! `NAME I J` (one person's pictures I and J), then `PAIRS` lines `NAME I OTHER J`. Picture I of NAME
//! is `NAME/NAME_000I.jpg`.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// One pair of pictures, as indices into [`Pairs::pictures`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) same: bool,
    /// From 0, in the order of the file, counted over the folds that were chosen.
    pub(crate) fold: usize,
}

/// Every pair, and each picture once.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pub(crate) pictures: Vec<Picture>,
    pub(crate) pairs: Vec<Pair>,
}

/// A person's n-th picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Picture {
    name: String,
    number: u32,
}

impl Pairs {
    /// Reads the text of a pairs file. `folds` (from 1, inclusive) restricts it to some of its folds.
    pub(crate) fn parse(
        text: &str,
        folds: Option<&RangeInclusive<usize>>,
    ) -> Result<Self, Failure> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (_, first) = lines.next().ok_or_else(|| Failure::usage("the pairs file is empty"))?;
        let (in_file, per_fold) = header(first)?;
        let chosen = folds.cloned().unwrap_or(1..=in_file);
        if chosen.is_empty() || *chosen.start() == 0 || *chosen.end() > in_file {
            return Err(Failure::usage(format!(
                "folds {}-{} were asked for, the pairs file has 1-{in_file}",
                chosen.start(),
                chosen.end()
            )));
        }

        let mut pairs = Self::default();
        let mut known = HashMap::new();
        for fold in 1..=in_file {
            for index in 0..2 * per_fold {
                let (number, line) = lines.next().ok_or_else(|| {
                    Failure::usage(format!(
                        "the pairs file ends in fold {fold}: its header promises {in_file} x 2 x {per_fold} lines"
                    ))
                })?;
                let (left, right) = pair(line, number + 1, index < per_fold)?;
                if chosen.contains(&fold) {
                    let (left, right) = (pairs.add(left, &mut known), pairs.add(right, &mut known));
                    let (same, fold) = (index < per_fold, fold - chosen.start());
                    pairs.pairs.push(Pair { left, right, same, fold });
                }
            }
        }
        match lines.next() {
            None => Ok(pairs),
            Some((number, _)) => Err(Failure::usage(format!(
                "the pairs file goes on at line {} after the {in_file} x 2 x {per_fold} pairs of its header",
                number + 1
            ))),
        }
    }

    /// The index of `picture`, which is stored once.
    fn add(&mut self, picture: Picture, known: &mut HashMap<Picture, usize>) -> usize {
        *known.entry(picture).or_insert_with_key(|picture| {
            self.pictures.push(picture.clone());
            self.pictures.len() - 1
        })
    }
}

impl Picture {
    /// Where it lies below `images`; the `.jpg` path when no known ending exists.
    pub(crate) fn path(&self, images: &Path) -> PathBuf {
        let with = |ending: &str| {
            images.join(&self.name).join(format!("{}_{:04}.{ending}", self.name, self.number))
        };
        ["png", "jpeg", "webp", "bmp"]
            .iter()
            .map(|ending| with(ending))
            .find(|path| !with("jpg").exists() && path.exists())
            .unwrap_or_else(|| with("jpg"))
    }
}

/// Folds, and pairs of each class in a fold.
fn header(line: &str) -> Result<(usize, usize), Failure> {
    // Far above any benchmark in use; keeps the products below in range.
    const MOST: usize = 1_000_000;
    let numbers: Option<Vec<usize>> = line
        .split_whitespace()
        .map(|word| word.parse().ok().filter(|n| (1..=MOST).contains(n)))
        .collect();
    match numbers.as_deref() {
        Some(&[pairs]) => Ok((1, pairs)),
        Some(&[folds, pairs]) => Ok((folds, pairs)),
        _ => Err(Failure::usage(format!(
            "line 1 of the pairs file is {line:?}, not `FOLDS PAIRS` or `PAIRS`"
        ))),
    }
}

/// The two pictures of a line.
fn pair(line: &str, number: usize, same: bool) -> Result<(Picture, Picture), Failure> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let picture = |name: &str, index: &str| {
        index.parse().ok().map(|number| Picture { name: name.to_owned(), number })
    };
    let pictures = match (words.as_slice(), same) {
        (&[name, left, right], true) => picture(name, left).zip(picture(name, right)),
        (&[name, left, other, right], false) => picture(name, left).zip(picture(other, right)),
        _ => None,
    };
    pictures.ok_or_else(|| {
        let form = if same { "NAME I J" } else { "NAME I OTHER J" };
        Failure::usage(format!("line {number} of the pairs file is not `{form}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_FOLDS: &str = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\n\nBob\t3\t4\nCid\t1\tAnn\t2\n";

    #[test]
    fn reads_folds_and_keeps_each_picture_once() {
        let pairs = Pairs::parse(TWO_FOLDS, None).unwrap();
        assert_eq!((pairs.pairs.len(), pairs.pictures.len()), (4, 5));
        assert_eq!(pairs.pairs[1], Pair { left: 0, right: 2, same: false, fold: 0 });
        assert_eq!(pairs.pairs[2].fold, 1);
        assert_eq!(pairs.pictures[2].path(Path::new("lfw")), Path::new("lfw/Bob/Bob_0003.jpg"));
    }

    #[test]
    fn one_number_is_one_fold() {
        let pairs = Pairs::parse("1\nAnn 1 2\nAnn 1 Bob 3\n", None).unwrap();
        assert_eq!((pairs.pairs.len(), pairs.pairs[1].fold), (2, 0));
    }

    #[test]
    fn some_folds_can_be_chosen() {
        let pairs = Pairs::parse(TWO_FOLDS, Some(&(2..=2))).unwrap();
        assert_eq!((pairs.pairs.len(), pairs.pairs[0].fold), (2, 0));
        assert!(Pairs::parse(TWO_FOLDS, Some(&(2..=3))).is_err());
        assert!(Pairs::parse(TWO_FOLDS, Some(&(0..=1))).is_err());
    }

    #[test]
    fn says_which_line_is_wrong() {
        let message = |text| Pairs::parse(text, None).unwrap_err().to_string();
        assert!(message("").contains("empty"));
        assert!(message("x 300").contains("line 1"));
        assert!(message("99999999999999999999 1").contains("line 1"));
        assert!(message("1 1\nAnn 1 2\nAnn 1 2\n").contains("line 3"));
        assert!(message("1 1\nAnn 1 -2\nAnn 1 Bob 2\n").contains("line 2"));
        assert!(message("1 2\nAnn 1 2\n").contains("ends in fold 1"));
        assert!(message("1 1\nA 1 2\nA 1 B 2\nA 1 3\n").contains("line 4"));
    }
}
