//! `init he`, `init normal(0.02)`: how weights start.

use crate::catalogue::Signature;
use crate::diag::{Code, Diag, closest};
use crate::model::check::Checker;
use crate::model::check::call::argument;
use crate::model::check::meaning::Scope;
use crate::model::check::names::suggest;
use crate::model::ir::{Activation, EntryInit};
use crate::syntax::ast::{self, Applied};

/// How each is written.
const INITIALISERS: &[Signature] = &[
    Signature("glorot"),
    Signature("xavier"),
    Signature("he"),
    Signature("kaiming"),
    Signature("zeros"),
    Signature("normal(scale)"),
    Signature("uniform(bound)"),
];

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
        let applied = value.applied();
        let signature = applied.and_then(|a| INITIALISERS.iter().find(|signature| signature.name() == a.name.key));
        let (Some(Applied { name, args, params }), Some(&signature)) = (applied, signature) else {
            let text = self.text(value.span);
            let near = applied.and_then(|a| closest(&a.name.text, INITIALISERS.iter().map(|one| one.name())));
            let near = near.map(str::to_owned);
            let diag = Diag::new(Code::UnknownName, value.span, format!("`{text}` is no initialiser"));
            let help = "there are `glorot`, `he`, `zeros`, `normal(scale)` and `uniform(bound)`";
            return self.fail(suggest(diag, applied.map_or(value.span, |a| a.name.span), near, help));
        };
        self.no_parameters(name, params)?;
        let slots = self.arranged(name, signature, args)?;
        let number = match slots.first() {
            Some(_) => self.known_number(&argument(&slots, 0).value, scope)?,
            None => 0.0,
        };
        Some(match signature.name() {
            "glorot" | "xavier" => Initialiser::Glorot,
            "he" | "kaiming" => Initialiser::He { slope: 0.0 },
            "uniform" => Initialiser::Uniform(number),
            // `zeros` is a normal law without width.
            _ => Initialiser::Normal(number),
        })
    }
}
