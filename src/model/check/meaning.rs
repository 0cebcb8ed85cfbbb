//! What a piece of the file can mean, before it is asked to be a tensor.

use crate::model::ir::{DataId, Expr, NetId, PlayerId, SampleId, VarId};
use crate::source::Span;
use crate::tape::Tensor;

/// A meaning.
#[derive(Debug, Clone)]
pub enum Meaning {
    /// A tensor, known or not.
    Expr(Expr),
    /// Several values: what `split` gives, or `(a, b)`.
    Tuple(Vec<Meaning>),
    /// A string.
    Text(String),
    /// Indexed tensors, to be followed by `[i]`.
    Family(Family),
    /// A network.
    Net(NetId),
    /// A player.
    Player(PlayerId),
    /// `θ.layer1`: pieces `weight` and `bias` of a parameter vector.
    Layer { params: Expr, net: NetId, layer: String },
    /// What a trained network's file holds, to be fitted to a network.
    Trained(Vec<(String, Tensor)>),
}

/// Indexed tensors.
#[derive(Debug, Clone)]
pub struct Family {
    /// For messages.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// Members.
    pub count: usize,
    /// Of what.
    pub of: Members,
}

/// What a family is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members {
    /// A variable.
    Var(VarId),
    /// Data.
    Data(DataId),
    /// A part of a sample.
    Sample(SampleId, u32),
    /// The multiplier of a constraint.
    Dual(PlayerId, crate::model::ir::ConstraintId),
    /// A named expression, by its declaration.
    Let(usize),
}

/// What an index stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// The member of the loop around, whichever it is.
    Loop { count: usize },
    /// That number, from 1.
    At(i64),
}

/// Where a name is looked up.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Inside this player.
    pub player: Option<PlayerId>,
    /// Indices, innermost last.
    pub indices: Vec<(String, Index)>,
}

impl Scope {
    /// The inside of a player.
    pub fn of(player: PlayerId) -> Scope {
        Scope { player: Some(player), ..Scope::default() }
    }

    /// The same with one more index.
    pub fn with(&self, name: &str, index: Index) -> Scope {
        let mut scope = self.clone();
        scope.indices.push((name.to_owned(), index));
        scope
    }

    /// The index of that name.
    pub fn index(&self, name: &str) -> Option<Index> {
        self.indices.iter().rev().find(|(key, _)| key == name).map(|&(_, index)| index)
    }
}

impl Meaning {
    /// The same, as written there.
    pub fn with_span(self, span: Span) -> Meaning {
        match self {
            Meaning::Expr(expr) => Meaning::Expr(Expr { span, ..expr }),
            other => other,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Meaning::Expr(expr) => super::shape_words(&expr.shape),
            Meaning::Tuple(parts) => format!("{} values", parts.len()),
            Meaning::Text(_) => "a text".to_owned(),
            Meaning::Family(family) => format!("a family of {}", family.count),
            Meaning::Net(_) => "a network".to_owned(),
            Meaning::Player(_) => "a player".to_owned(),
            Meaning::Layer { .. } => "a layer's parameters".to_owned(),
            Meaning::Trained(_) => "a trained network".to_owned(),
        }
    }
}
