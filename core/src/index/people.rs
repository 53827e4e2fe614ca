//! Whose the rows are: subjects by small numbers, and the rows of each.

use std::collections::HashMap;

use super::Owner;
use crate::id::TemplateId;

/// No row.
const END: u32 = u32::MAX;

/// The owners of rows `0..len`. Adding, removing and finding take time in the rows of one subject, not of all.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Of each row, the subject's number, their next row, and the template.
    subjects: Vec<u32>,
    next: Vec<u32>,
    templates: Vec<TemplateId>,
    rows: HashMap<TemplateId, u32>,
    /// Of each number, the caller's name for the subject and their first row.
    slots: Vec<Slot>,
    free: Vec<u32>,
    numbers: HashMap<i64, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    subject: i64,
    first: u32,
}

impl People {
    pub(super) fn rows(&self) -> usize {
        self.subjects.len()
    }

    pub(super) fn owner(&self, row: usize) -> Owner {
        let subject = self.slots[self.subjects[row] as usize].subject;
        Owner { subject, template: self.templates[row] }
    }

    pub(super) fn contains(&self, template: &TemplateId) -> bool {
        self.rows.contains_key(template)
    }

    /// The row of `template`.
    #[cfg(feature = "hnsw")]
    pub(super) fn row(&self, template: &TemplateId) -> Option<usize> {
        self.rows.get(template).map(|row| *row as usize)
    }

    /// The templates of all rows.
    #[cfg(feature = "hnsw")]
    pub(super) fn templates(&self) -> &[TemplateId] {
        &self.templates
    }

    /// The rows of `subject`.
    pub(super) fn rows_of(&self, subject: i64) -> impl Iterator<Item = usize> + '_ {
        let first =
            self.numbers.get(&subject).map_or(END, |number| self.slots[*number as usize].first);
        let row = |row: u32| (row != END).then_some(row as usize);
        std::iter::successors(row(first), move |it| row(self.next[*it]))
    }

    /// Adds the next row.
    pub(super) fn push(&mut self, owner: Owner) {
        let row = number(self.subjects.len());
        let number = *self.numbers.entry(owner.subject).or_insert_with(|| {
            let slot = Slot { subject: owner.subject, first: END };
            match self.free.pop() {
                Some(number) => {
                    self.slots[number as usize] = slot;
                    number
                }
                None => {
                    self.slots.push(slot);
                    number(self.slots.len() - 1)
                }
            }
        });
        self.subjects.push(number);
        self.next.push(std::mem::replace(&mut self.slots[number as usize].first, row));
        self.templates.push(owner.template);
        self.rows.insert(owner.template, row);
    }

    /// Removes the row of `template`, and gives it to the last row. Returns it.
    pub(super) fn swap_remove(&mut self, template: &TemplateId) -> Option<usize> {
        let row = self.rows.remove(template)?;
        *self.link_to(row) = self.next[row as usize];
        let subject = self.subjects[row as usize] as usize;
        if self.slots[subject].first == END {
            self.numbers.remove(&self.slots[subject].subject);
            self.free.push(number(subject));
        }
        let last = number(self.subjects.len() - 1);
        if row != last {
            *self.link_to(last) = row;
            self.rows.insert(self.templates[last as usize], row);
        }
        self.subjects.swap_remove(row as usize);
        self.next.swap_remove(row as usize);
        self.templates.swap_remove(row as usize);
        Some(row as usize)
    }

    /// Which numbers the `subjects` have.
    pub(super) fn members(&self, subjects: &[i64]) -> Members {
        let mut bits = vec![0; self.slots.len().div_ceil(64)];
        for number in subjects.iter().filter_map(|subject| self.numbers.get(subject)) {
            bits[*number as usize / 64] |= 1 << (number % 64);
        }
        Members(bits)
    }

    /// Whether a row belongs to one of `members`.
    pub(super) fn is_member(&self, row: usize, members: &Members) -> bool {
        let number = self.subjects[row];
        members.0[number as usize / 64] >> (number % 64) & 1 == 1
    }

    /// The place that says where `row` is: in its subject's slot or in the row before it.
    fn link_to(&mut self, row: u32) -> &mut u32 {
        let slot = &mut self.slots[self.subjects[row as usize] as usize];
        if slot.first == row {
            return &mut slot.first;
        }
        let mut before = slot.first;
        while self.next[before as usize] != row {
            before = self.next[before as usize];
        }
        &mut self.next[before as usize]
    }
}

/// A set of subjects of one [`People`], a bit a number.
#[derive(Debug)]
pub(super) struct Members(Vec<u64>);

/// Rows and subjects are fewer than 2^32: their vectors would fill 8 TB.
#[expect(clippy::cast_possible_truncation, reason = "more do not fit into memory")]
fn number(index: usize) -> u32 {
    index as u32
}

#[cfg(test)]
impl People {
    pub(super) fn subjects_known(&self) -> usize {
        assert_eq!(self.numbers.len(), self.slots.len() - self.free.len());
        self.numbers.len()
    }
}
