//! The codes: number, slug, severity, and the page that `admmc explain CODE` prints.
//!
//! A new code is one line in the table below and one page `explain/E0000.md`; a test compares the
//! two, so forgetting either fails.

use super::Severity;

macro_rules! codes {
    ($($name:ident $number:literal $slug:literal $severity:ident;)*) => {
        /// A diagnostic's code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!($number, " ", $slug)] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// `E0401`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$name => $number,)* }
            }

            /// `coupled-term`.
            pub fn slug(self) -> &'static str {
                match self { $(Code::$name => $slug,)* }
            }

            /// How bad it is unless a diagnostic says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)* }
            }

            /// The page about it.
            pub fn page(self) -> &'static str {
                match self { $(Code::$name => include_str!(concat!("explain/", $number, ".md")),)* }
            }
        }
    };
}

codes! {
    Syntax "E0101" "syntax" Error;
    UnclosedBracket "E0102" "unclosed-bracket" Error;
    UnclosedString "E0103" "unclosed-string" Error;
    TooDeep "E0104" "too-deep" Error;
    UnreadableText "E0105" "unreadable-text" Error;
    ForeignSpelling "E0106" "foreign-spelling" Error;
    NotYet "E0107" "not-yet" Error;
    UnknownName "E0201" "unknown-name" Error;
    DuplicateName "E0202" "duplicate-name" Error;
    ShapeMismatch "E0203" "shape-mismatch" Error;
    WrongKind "E0204" "wrong-kind" Error;
    WrongArguments "E0205" "wrong-arguments" Error;
    NetworkWidth "E0206" "network-width" Error;
    RecursiveDefinition "E0207" "recursive-definition" Error;
    ArgumentRange "E0208" "argument-range" Error;
    DataMissing "E0301" "data-missing" Error;
    DataMalformed "E0302" "data-malformed" Error;
    DataNotFinite "E0303" "data-not-finite" Error;
    CoupledTerm "E0401" "coupled-term" Error;
    NonlinearConstraint "E0402" "nonlinear-constraint" Error;
    ThirdBlock "E0403" "third-block" Error;
    UnlinkedBlock "E0404" "unlinked-block" Error;
    InconsistentConstraint "E0405" "inconsistent-constraint" Error;
    RedundantConstraint "E0406" "redundant-constraint" Warning;
    UnboundedObjective "E0501" "unbounded-objective" Error;
    ConcaveStep "E0502" "concave-step" Error;
    NonUniqueStep "E0503" "non-unique-step" Warning;
    OutsideTheory "E0504" "outside-theory" Warning;
    KinkInGradientStep "E0505" "nonsmooth-in-gradient-step" Warning;
    BadlyScaled "E0506" "badly-scaled" Warning;
    Domain "E0507" "domain" Warning;
    DisagreeingSamples "E0508" "disagreeing-samples" Warning;
    SumWithNumericRho "E0509" "sum-with-numeric-rho" Warning;
    GameAsMinimise "E0510" "game-as-minimise" Error;
    UnattainedStep "E0511" "unattained-step" Warning;
    NoStepRule "E0601" "no-step-rule" Error;
    LinearisedStep "E0602" "linearised-step" Note;
    RewrittenLoss "E0603" "rewritten-loss" Note;
    RhoFarOff "E0604" "rho-far-off" Warning;
    WrongClaim "E0605" "wrong-claim" Error;
    NonFinite "E0701" "non-finite" Error;
    Diverging "E0702" "diverging" Error;
    NoSolution "E0703" "no-solution" Error;
    InnerStalled "E0704" "inner-stalled" Warning;
    PenaltyAtBound "E0705" "penalty-at-bound" Warning;
    NoDevice "E0801" "no-device" Error;
}

impl Code {
    /// The code written `E0401` or `coupled-term`, whatever the case.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.number().eq_ignore_ascii_case(text) || code.slug().eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.number())
    }
}
