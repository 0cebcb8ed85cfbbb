//! Numbers that many hold and nobody changes in place: a clone shares them, writing copies what is shared.
//!
//! Data pass through every stage, from the file to the device. Shared, a matrix of a gigabyte is there once.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A vector that clones share.
#[derive(Clone, PartialEq, Default)]
pub struct Shared<T>(Arc<Vec<T>>);

impl<T> Shared<T> {
    /// Whether both are the same numbers in memory, not only equal ones.
    pub fn is(&self, other: &Shared<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: Clone> Shared<T> {
    /// The vector itself, a copy only where others hold it too.
    pub fn into_vec(self) -> Vec<T> {
        Arc::unwrap_or_clone(self.0)
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(numbers: Vec<T>) -> Shared<T> {
        Shared(Arc::new(numbers))
    }
}

impl<T> FromIterator<T> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Shared<T> {
        Vec::from_iter(numbers).into()
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// Asks who else holds the numbers: loops borrow once, outside.
impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        Arc::make_mut(&mut self.0).as_mut_slice()
    }
}

impl<'a, T> IntoIterator for &'a Shared<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Clone> IntoIterator for Shared<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_leaves_the_others_as_they_are() {
        let first: Shared<f64> = vec![1.0, 2.0].into();
        let mut second = first.clone();
        assert!(first.is(&second));
        second[0] = 5.0;
        assert!(!first.is(&second));
        assert_eq!((&first[..], &second[..]), (&[1.0, 2.0][..], &[5.0, 2.0][..]));
    }

    #[test]
    fn a_vector_that_nobody_else_holds_is_taken_without_a_copy() {
        let alone: Shared<u32> = vec![7; 3].into();
        let address = alone.as_ptr();
        let taken = alone.into_vec();
        assert_eq!(taken.as_ptr(), address);
    }
}
