//! `erf(x) = 2/√π ∫₀ˣ e^(−t²) dt`.

use crate::catalogue::member::{Member, unary};
use crate::tape::ops::Unary;

pub const MEMBER: Member =
    Member::elementwise("erf(x)", "error function of every element", |b, args| unary(b, Unary::Erf, args));
