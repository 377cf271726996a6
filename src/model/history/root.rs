//! The root of a day: a hash over all seals until its end, and over the root before it.

use jiff::civil::Date;
use ring::digest::{Context, SHA256};

use super::{Hash, finish, hash};

/// So many numbers of rows are hashed together in a day's digest.
const BLOCK: i64 = 65_536;

/// What a day's root is made of, taken up row by row.
pub struct Digest {
    blocks: Context,
    block: Option<(i64, Context)>,
    rows: i64,
}

impl Default for Digest {
    fn default() -> Self {
        Self { blocks: Context::new(&SHA256), block: None, rows: 0 }
    }
}

impl Digest {
    /// Takes up a row; they come in the order of their numbers.
    pub fn add(&mut self, row: i64, seal: Option<&[u8]>) {
        let number = row / BLOCK;
        if self.block.as_ref().is_none_or(|(block, _)| *block != number) {
            self.end_block();
        }
        self.block.get_or_insert_with(|| (number, Context::new(&SHA256))).1.update(seal.unwrap_or_default());
        self.rows += 1;
    }

    fn end_block(&mut self) {
        if let Some((_, block)) = self.block.take() {
            self.blocks.update(&finish(block));
        }
    }

    /// How many rows there were, and the digest.
    #[must_use]
    pub fn finish(mut self) -> (i64, Hash) {
        self.end_block();
        (self.rows, finish(self.blocks))
    }
}

/// A day's root, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The day, by UTC.
    pub day: Date,
    /// The last row that it covers.
    pub up_to: i64,
    /// How many rows it covers.
    pub changes: i64,
    /// The digest of their seals.
    pub digest: Vec<u8>,
    /// The root itself.
    pub root: Vec<u8>,
    /// Whether the last row that it covers has a number that the database has not given out.
    pub is_beyond: bool,
    /// Whether the seals of all that was deleted of it, as orders that are over for long are, have been kept.
    pub purges_are_kept: bool,
    /// Whether orders of that time may have been deleted because they were over for long.
    pub may_be_purged: bool,
}

/// What of a day's root does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootWrong {
    /// The row in which it is kept was changed, or one before it was changed or taken away.
    NotChained,
    /// It reaches beyond the numbers that were given out: what is added later is under no root of its own day.
    Beyond,
    /// So many rows are missing that it covers.
    Missing(i64),
    /// So many rows are there that it does not cover.
    Added(i64),
    /// The rows have other seals.
    Changed,
}

/// What is known of a day's root that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// All that it covers is there.
    Whole,
    /// So many rows were deleted since, as orders that are over for long are. Their seals are there: the others are whole.
    Purged(i64),
    /// So many rows were deleted before their seals were kept, or by whoever could: of the others it says nothing.
    Unknown(i64),
}

impl Root {
    /// Judges a root, after the one of the day before, if there is one: its rows, and among them those `purged` of which the
    /// seal alone is there, have been counted and digested anew.
    ///
    /// # Errors
    /// What does not fit.
    pub fn judge(
        &self,
        previous: Option<&Self>,
        (rows, digest): (i64, Hash),
        purged: i64,
    ) -> Result<Covered, RootWrong> {
        if self.root != self.recomputed(previous) {
            return Err(RootWrong::NotChained);
        }
        if self.is_beyond {
            return Err(RootWrong::Beyond);
        }
        let missing = self.changes - rows;
        match missing {
            1.. if self.may_be_purged && !self.purges_are_kept => Ok(Covered::Unknown(missing)),
            1.. => Err(RootWrong::Missing(missing)),
            ..0 => Err(RootWrong::Added(-missing)),
            0 if self.digest != digest => Err(RootWrong::Changed),
            0 if purged == 0 => Ok(Covered::Whole),
            0 if self.may_be_purged => Ok(Covered::Purged(purged)),
            // Nothing of that time is old enough.
            0 => Err(RootWrong::Missing(purged)),
        }
    }

    fn recomputed(&self, previous: Option<&Self>) -> Hash {
        let previous = previous.map_or(&[][..], |previous| &previous.root);
        let (up_to, changes) = (self.up_to.to_be_bytes(), self.changes.to_be_bytes());
        hash(&[previous, self.day.to_string().as_bytes(), &up_to, &changes, &self.digest])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digested(rows: &[(i64, u8)]) -> (i64, Hash) {
        let mut digest = Digest::default();
        for (row, seal) in rows {
            digest.add(*row, Some(&[*seal; 32]));
        }
        digest.finish()
    }

    #[test]
    fn a_root_covers_its_rows_and_the_root_before() {
        let rows = [(1, 1), (BLOCK - 1, 2), (BLOCK, 3), (3 * BLOCK, 4)];
        let of = |day: &str, rows: &[(i64, u8)], previous: Option<&Root>| {
            let (changes, digest) = digested(rows);
            let day = day.parse().expect("a day");
            let (digest, root) = (digest.to_vec(), Vec::new());
            let (is_beyond, purges_are_kept, may_be_purged) = (false, true, false);
            let root = Root { day, up_to: 5, changes, digest, root, is_beyond, purges_are_kept, may_be_purged };
            Root { root: root.recomputed(previous).to_vec(), ..root }
        };
        let first = of("2026-11-28", &[], None);
        let second = of("2026-11-29", &rows, Some(&first));
        assert_eq!(first.judge(None, digested(&[]), 0), Ok(Covered::Whole));
        assert_eq!(second.judge(Some(&first), digested(&rows), 0), Ok(Covered::Whole));
        assert_eq!(second.judge(None, digested(&rows), 0), Err(RootWrong::NotChained), "the one before is gone");
        let later = Root { day: "2026-11-30".parse().expect("a day"), ..second.clone() };
        assert_eq!(later.judge(Some(&first), digested(&rows), 0), Err(RootWrong::NotChained));
        assert_eq!(second.judge(Some(&first), digested(&rows[1..]), 0), Err(RootWrong::Missing(1)));
        let beyond = Root { is_beyond: true, ..second.clone() };
        assert_eq!(beyond.judge(Some(&first), digested(&rows), 0), Err(RootWrong::Beyond));
        let purged = Root { may_be_purged: true, ..second.clone() };
        assert_eq!(purged.judge(Some(&first), digested(&rows), 1), Ok(Covered::Purged(1)), "its seal is there");
        assert_eq!(second.judge(Some(&first), digested(&rows), 1), Err(RootWrong::Missing(1)), "it was too early");
        assert_eq!(purged.judge(Some(&first), digested(&rows[1..]), 0), Err(RootWrong::Missing(1)));
        let before = Root { purges_are_kept: false, ..purged.clone() };
        assert_eq!(before.judge(Some(&first), digested(&rows[1..]), 0), Ok(Covered::Unknown(1)));
        let more = [&rows[..], &[(4 * BLOCK, 9)]].concat();
        assert_eq!(purged.judge(Some(&first), digested(&more), 0), Err(RootWrong::Added(1)));
        let other = [rows[0], rows[1], rows[2], (3 * BLOCK, 5)];
        assert_eq!(purged.judge(Some(&first), digested(&other), 0), Err(RootWrong::Changed));
    }
}
