//! An input of the program: its value is bound, not computed, and derivatives end here.

use super::rule::{Operand, Rule, Site, operands};
use crate::tape::{Builder, Type, Value};

pub(crate) struct Input;

impl Rule for Input {
    fn check(&self, args: &[&Type], _: &Type) -> Result<(), String> {
        operands::<0>(args).map(drop)
    }

    fn eval(&self, _: &[Operand], _: &Type) -> Vec<f64> {
        unreachable!("an input's value is bound by the executor")
    }

    fn vjp(&self, _: &mut Builder, _: Site, _: usize, _: Value) -> Option<Value> {
        None
    }

    fn jvp(&self, _: &mut Builder, _: Site, _: &[Option<Value>]) -> Option<Value> {
        None
    }
}
