//! How deep the tree of an expression is, from above: the operations at each open bracket, counted
//! while it is cut.

/// The operations of one expression so far.
#[derive(Debug, Default)]
pub struct Chain {
    /// At each open bracket since the last comma; the first is the statement itself.
    counts: Vec<usize>,
    /// Their sum.
    total: usize,
}

impl Chain {
    /// An expression begins.
    pub fn clear(&mut self) {
        *self = Chain { counts: vec![0], total: 0 };
    }

    /// One operation more; how many there are now.
    pub fn operation(&mut self) -> usize {
        self.total += 1;
        if let Some(count) = self.counts.last_mut() {
            *count += 1;
        }
        self.total
    }

    /// What is before a comma and what is behind it stand side by side.
    pub fn comma(&mut self) {
        if let Some(count) = self.counts.last_mut() {
            self.total -= std::mem::take(count);
        }
    }

    /// A bracket opens.
    pub fn open(&mut self) {
        self.counts.push(0);
    }

    /// A bracket closes.
    pub fn close(&mut self) {
        self.total -= self.counts.pop().unwrap_or(0);
    }
}
