//! `dot(a, b) = ⟨a, b⟩ = Σᵢ aᵢbᵢ`.

use crate::catalogue::member::{Form, Member};
use crate::catalogue::shapes;

pub const MEMBER: Member = Member::total("dot(a, b)", "inner product", |b, args| b.dot(args[0], args[1]))
    .shape(shapes::same_to_number)
    .form(Form::Template("⟨{0}, {1}⟩"));
