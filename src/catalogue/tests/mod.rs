//! What must hold of every member.

mod examples;
mod laws;
mod linear;
pub mod projections;
mod values;

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::tape::{Dtype, Type};

#[test]
fn the_table_is_the_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalogue");
    let mut files = BTreeSet::new();
    for group in std::fs::read_dir(&root).expect("the folder is there") {
        let group = group.expect("it can be listed").path();
        if group.ends_with("tests") {
            continue;
        }
        for file in group.is_dir().then(|| std::fs::read_dir(&group).expect("it can be listed")).into_iter().flatten() {
            let file = file.expect("it can be listed").path();
            let name = file.strip_prefix(&root).expect("it lies inside").to_string_lossy().into_owned();
            if !name.ends_with("mod.rs") {
                files.insert(name);
            }
        }
    }
    let table: BTreeSet<String> = Function::ALL.iter().map(|function| function.path().to_owned()).collect();
    assert_eq!(table, files);
}

#[test]
fn names_are_not_taken_twice() {
    let mut seen = BTreeSet::new();
    for function in Function::ALL {
        let arity = (
            function.is_set(),
            function.name(),
            function.signature().parameters().len(),
            function.signature().repeats(),
        );
        assert!(seen.insert(arity), "{} stands twice", function.name());
        assert!(!function.doc().is_empty());
    }
}

/// Shapes on which every member that takes them keeps its promise, defaults left out.
fn shapes() -> Vec<Vec<Shape>> {
    let each = [Shape::scalar(), Shape::vector(3), Shape::matrix(3, 3), Shape::matrix(1, 3), Shape::matrix(3, 2)];
    let mut all: Vec<Vec<Shape>> = each.iter().map(|shape| vec![shape.clone()]).collect();
    for a in &each {
        for b in &each {
            all.push(vec![a.clone(), b.clone()]);
            for c in &each {
                all.push(vec![a.clone(), b.clone(), c.clone()]);
                all.extend(each.iter().map(|d| vec![a.clone(), b.clone(), c.clone(), d.clone()]));
            }
        }
    }
    all
}

#[test]
fn lowering_keeps_the_shape_rule() {
    for &function in Function::ALL {
        let mut accepted = 0;
        for shapes in shapes() {
            let parameters = function.signature().parameters();
            // A set's element stands before its parameters.
            if shapes.len() != parameters.len() + usize::from(function.is_set()) {
                continue;
            }
            let Ok(shape) = function.shape(&shapes) else { continue };
            accepted += 1;
            let mut b = Builder::new("it");
            let args: Vec<Value> = shapes
                .iter()
                .enumerate()
                .map(|(at, s)| match function.is_set() && at > 0 && s.is_scalar() {
                    // Numbers of a set are constants of its programs, where they shape them.
                    true => b.constant(1.0, Dtype::F64),
                    false => b.input(format!("a{at}"), Type { dtype: Dtype::F64, shape: s.clone() }),
                })
                .collect();
            function.lower(&mut b, &args, &shape);
        }
        assert!(accepted > 0, "{} accepts something", function.name());
    }
}

#[test]
fn powers_of_two_are_squares() {
    let mut b = Builder::new("it");
    let x = b.input("x", Type::new(Dtype::F64, [3]));
    let two = b.constant(2.0, Dtype::F64);
    let norm = Function::Norm2.lower(&mut b, &[x], &Shape::scalar());
    let square = Function::Pow.lower(&mut b, &[norm, two], &Shape::scalar());
    assert_eq!(b.program().insts[square.index()].op, crate::tape::Op::Unary(crate::tape::ops::Unary::Square));
}
