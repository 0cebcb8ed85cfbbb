//! Boxes of elements: an axis is its extent, the stride read and the stride written.

/// The axes with neighbours joined where both layouts allow it, and unit axes dropped.
pub(super) fn coalesce(axes: impl IntoIterator<Item = (usize, usize, usize)>) -> Vec<(usize, usize, usize)> {
    let mut joined: Vec<(usize, usize, usize)> = Vec::new();
    for (extent, read, written) in axes {
        match joined.last_mut() {
            _ if extent == 1 => {}
            Some(last) if last.1 == extent * read && last.2 == extent * written => {
                *last = (last.0 * extent, read, written);
            }
            _ => joined.push((extent, read, written)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_what_lies_together() {
        assert_eq!(coalesce([(2, 12, 12), (3, 4, 4), (4, 1, 1)]), [(24, 1, 1)]);
        assert_eq!(coalesce([(2, 12, 24), (3, 4, 4), (4, 1, 1)]), [(2, 12, 24), (12, 1, 1)]);
        assert_eq!(coalesce([(1, 7, 9), (4, 1, 3), (1, 1, 1)]), [(4, 1, 3)]);
    }
}
