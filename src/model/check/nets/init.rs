//! `init he`, `init normal(0.02)`: how weights start.

use crate::diag::{Code, Diag};
use crate::model::check::Checker;
use crate::model::check::meaning::Scope;
use crate::model::ir::{Activation, EntryInit};
use crate::syntax::ast;

/// How weights start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Initialiser {
    /// By the activation behind them.
    Standard,
    /// Uniform on ±√(6/(in + out)) (Glorot & Bengio 2010).
    Glorot,
    /// Normal of variance 2/((1 + slope²)·in) (He, Zhang, Ren, Sun 2015).
    He {
        slope: f64,
    },
    Normal(f64),
    Uniform(f64),
}

impl Initialiser {
    /// The law of a weight: `inputs` numbers go into each number of the result, and each number that comes
    /// in goes into `outputs`.
    pub fn entry(self, activations: &[(Activation, f64)], inputs: f64, outputs: f64) -> EntryInit {
        match self {
            Initialiser::Standard => standard(activations).entry(activations, inputs, outputs),
            Initialiser::Glorot => EntryInit::Uniform((6.0 / (inputs + outputs)).sqrt()),
            Initialiser::He { slope } => EntryInit::Normal((2.0 / ((1.0 + slope * slope) * inputs)).sqrt()),
            Initialiser::Normal(scale) => EntryInit::Normal(scale),
            Initialiser::Uniform(bound) => EntryInit::Uniform(bound),
        }
    }
}

/// He's where negative numbers are cut off, Glorot's elsewhere.
fn standard(activations: &[(Activation, f64)]) -> Initialiser {
    match activations.first() {
        Some((Activation::Relu | Activation::Elu | Activation::Gelu | Activation::Silu, _)) => {
            Initialiser::He { slope: 0.0 }
        }
        Some(&(Activation::LeakyRelu, slope)) => Initialiser::He { slope },
        _ => Initialiser::Glorot,
    }
}

impl<'a> Checker<'a> {
    /// The initialiser that an option names.
    pub(super) fn initialiser(&mut self, value: &'a ast::Expr, scope: &Scope) -> Option<Initialiser> {
        let (name, args) = match &value.bare().kind {
            ast::ExprKind::Name(name) => (name.key.as_str(), &[][..]),
            ast::ExprKind::Call { callee, args, .. } => (callee.key.as_str(), args.as_slice()),
            _ => ("", &[][..]),
        };
        Some(match (name, args) {
            ("glorot" | "xavier", []) => Initialiser::Glorot,
            ("he" | "kaiming", []) => Initialiser::He { slope: 0.0 },
            ("zeros", []) => Initialiser::Normal(0.0),
            ("normal", [arg]) => Initialiser::Normal(self.known_number(&arg.value, scope)?),
            ("uniform", [arg]) => Initialiser::Uniform(self.known_number(&arg.value, scope)?),
            _ => {
                let text = self.text(value.span);
                return self
                    .fail(Diag::new(Code::WrongArguments, value.span, format!("`{text}` is no initialiser")).help(
                    "there are `glorot`, `he`, `zeros`, `normal(s)` and `uniform(bound)`, with a number in parentheses",
                ));
            }
        })
    }
}
