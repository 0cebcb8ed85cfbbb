//! Which declaration, file or layer gave an expression its shape.

use super::Checker;
use crate::catalogue::Function;
use crate::diag::Diag;
use crate::model::ir::{Expr, ExprKind, Leaf, Member};
use crate::source::Span;
use crate::tape::Shape;

impl Checker<'_> {
    /// A diagnostic with the places that gave these expressions their shapes, each once.
    pub(super) fn with_sources(&self, diag: Diag, exprs: &[&Expr]) -> Diag {
        let sources = exprs.iter().flat_map(|expr| self.shape_sources(expr));
        sources.fold(diag, |diag, (span, words)| {
            if diag.labels.iter().any(|label| label.span == span) { diag } else { diag.label(span, words) }
        })
    }

    /// The places that gave `expr` its shape, each with words; none where the shape is plain.
    fn shape_sources(&self, expr: &Expr) -> Vec<(Span, String)> {
        match &expr.kind {
            ExprKind::Leaf(leaf) => {
                self.leaf_span(*leaf).map(|span| (span, self.declared(*leaf))).into_iter().collect()
            }
            ExprKind::Apply(Function::Mul, args) => match args.as_slice() {
                // Rows come from the left, columns from the right.
                [a, b] if a.shape.rank() == 2 && b.shape.rank() == 2 => {
                    let mut sources = self.shape_sources(a);
                    sources.extend(self.shape_sources(b));
                    sources
                }
                [a, b] if a.shape.is_scalar() => self.shape_sources(b),
                [a, ..] => self.shape_sources(a),
                [] => Vec::new(),
            },
            ExprKind::Apply(Function::Transpose, args) => {
                args.first().map_or(Vec::new(), |arg| self.shape_sources(arg))
            }
            ExprKind::Apply(_, args) => {
                let giver = args.iter().find(|arg| arg.shape == expr.shape);
                giver.filter(|arg| !arg.shape.is_scalar()).map_or(Vec::new(), |arg| self.shape_sources(arg))
            }
            ExprKind::Net { net, input, layers, .. } => {
                let net = &self.model.nets[net.index()];
                let layer = &net.layers[layers.saturating_sub(1).min(net.layers.len() - 1)];
                let gives = match layer.output.0[..] {
                    [width] => width.to_string(),
                    _ => super::nets::words(&layer.output),
                };
                let mut sources = vec![(layer.span, format!("`{}` gives {gives} for each input", net.name))];
                if net.batch(*layers, &expr.shape).is_some() {
                    sources.extend(self.shape_sources(input));
                }
                sources
            }
            ExprKind::Sparse(parts) => self.shape_sources(&parts[2]),
            ExprKind::Slice(..) => vec![(expr.span, format!("a piece of shape {}", expr.shape))],
            ExprKind::Number(_) | ExprKind::Reshape(_) | ExprKind::Concat(..) | ExprKind::Over(..) => Vec::new(),
        }
    }

    /// How a leaf's shape came about.
    fn declared(&self, leaf: Leaf) -> String {
        let name = self.model.leaf_name(leaf);
        let shape = self.model.leaf_shape(leaf);
        if let Leaf::Data(id, Member::None) = leaf
            && let Some(header) = &self.facts[id.index()].header
        {
            return format!("`{name}`: {header}");
        }
        match leaf {
            Leaf::Var(id, _) => match self.model.vars[id.index()].kind {
                crate::model::ir::VarKind::Params(net) => {
                    let net = &self.model.nets[net.index()];
                    format!("`{name}`: the {} parameters of `{}`", net.numel, net.name)
                }
                _ => format!("`{name}`: {}", extents(&shape)),
            },
            Leaf::Sample(id, ..) => {
                let batch = self.model.samples[id.index()].batch;
                format!("`{name}`: {}, a batch of {batch}", extents(&shape))
            }
            _ => format!("`{name}`: {}", extents(&shape)),
        }
    }
}

fn extents(shape: &Shape) -> String {
    if shape.is_scalar() { "a number".to_owned() } else { shape.to_string() }
}
