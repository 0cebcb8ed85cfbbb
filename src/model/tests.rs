//! Lowering and folding of models written by hand; whole files are under `tests/cases/model/`.

use std::sync::Arc;

use expect_test::expect;

use super::ir::*;
use super::*;
use crate::catalogue::Function;
use crate::source::Span;
use crate::tape::{Dtype, Shape, Tensor};

fn expr(kind: ExprKind, shape: impl Into<Shape>) -> Expr {
    Expr { kind, shape: shape.into(), span: Span::default() }
}

fn number(value: f64) -> Expr {
    expr(ExprKind::Number(value), [])
}

fn leaf(leaf: Leaf, shape: impl Into<Shape>) -> Expr {
    expr(ExprKind::Leaf(leaf), shape)
}

/// `net D(θ): 2 -> dense 1 sigmoid`, one variable θ of it, a family of vectors, and data.
fn model() -> Model {
    let entry = |name: &str, shape: &[usize], offset| Entry {
        layer: "layer1".to_owned(),
        name: name.to_owned(),
        shape: Shape(shape.to_vec()),
        offset,
        init: EntryInit::Zeros,
    };
    let var = |name: &str, n, family, kind| Var {
        name: name.to_owned(),
        span: Span::default(),
        player: PlayerId(0),
        shape: Shape::vector(n),
        kind,
        family,
        init: Init::Zeros,
        stream: 0,
    };
    let data = |name: &str, tensor, family| Data {
        name: name.to_owned(),
        span: Span::default(),
        tensor: Arc::new(tensor),
        family,
        rows: None,
    };
    Model {
        data: vec![
            data("X", Tensor::f64([3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), None),
            data("b", Tensor::f64([2, 2], vec![1.0, 2.0, 3.0, 4.0]), Some(2)),
        ],
        vars: vec![var("θ", 3, None, VarKind::Params(NetId(0))), var("w", 2, Some(2), VarKind::Real)],
        nets: vec![Net {
            name: "D".to_owned(),
            span: Span::default(),
            input: Shape::vector(2),
            output: Shape::scalar(),
            layers: vec![NetLayer {
                kind: LayerKind::Dense { weight: 0, bias: Some(1) },
                activations: vec![(Activation::Sigmoid, 0.0)],
                span: Span::default(),
                output: Shape::scalar(),
            }],
            entries: vec![entry("weight", &[1, 2], 0), entry("bias", &[1], 2)],
            numel: 3,
        }],
        ..Model::default()
    }
}

const X: Leaf = Leaf::Data(DataId(0), Member::None);
const THETA: Leaf = Leaf::Var(VarId(0), Member::None);

fn network() -> Expr {
    let (input, params) = (Box::new(leaf(X, [3, 2])), Box::new(leaf(THETA, [3])));
    expr(ExprKind::Net { net: NetId(0), input, params, layers: 1, masks: Vec::new() }, [3])
}

#[test]
fn a_network_is_products_and_pieces() {
    let model = model();
    let mut lower = Lower::new(&model, "it", Dtype::F32);
    let value = lower.expr(&network());
    lower.b.output("y", value);
    let (program, leaves) = lower.finish();
    assert_eq!(leaves, [X, THETA]);
    expect![[r#"
        program it(%0 X: f32[3, 2], %1 θ: f32[3]) {
          %2: f32[2] = slice %1 [0:2]
          %3: f32[1, 2] = reshape %2
          %4: f32[1] = slice %1 [2:3]
          %5: f32[3, 1] = matmul %0, %3'
          %6: f32[3, 1] = broadcast %4 along [1]
          %7: f32[3, 1] = add %5, %6
          %8: f32[3, 1] = sigmoid %7
          %9: f32[3] = reshape %8
          return y = %9
        }
    "#]]
    .assert_eq(&program.to_string());
}

#[test]
fn a_substitute_stands_wherever_the_leaf_did() {
    let model = model();
    let mut lower = Lower::new(&model, "it", Dtype::F64);
    let zero = lower.b.constant(0.0, Dtype::F64);
    let zeros = lower.b.broadcast_scalar(zero, &Shape::vector(3));
    lower.bind(THETA, zeros);
    let value = lower.expr(&network());
    lower.b.output("y", value);
    let (program, leaves) = lower.finish();
    assert_eq!(leaves, [X]);
    let y = evaluate(&program, &[(*model.data[0].tensor).clone()]).remove(0);
    assert_eq!(y, Tensor::f64([3], vec![0.5; 3]), "a network of zeros says ½");
}

#[test]
fn a_family_inside_an_expression_is_unrolled() {
    let model = model();
    let member = leaf(Leaf::Data(DataId(1), Member::Loop), [2]);
    let body = expr(ExprKind::Apply(Function::SumSquares, vec![member]), []);
    let over = expr(ExprKind::Over(Loop { count: 2 }, Box::new(body)), []);
    let half = expr(ExprKind::Apply(Function::Div, vec![over, number(2.0)]), []);
    assert_eq!(fold(&model, &half), Some(Tensor::scalar(15.0)));
    let var = leaf(Leaf::Var(VarId(1), Member::At(1)), [2]);
    assert_eq!(fold(&model, &var), None, "a variable has no value when the file is compiled");
}

#[test]
fn names_of_inputs_read_as_in_the_file() {
    let model = model();
    let names = [Member::None, Member::Loop, Member::At(1)].map(|member| model.leaf_name(Leaf::Var(VarId(1), member)));
    assert_eq!(names, ["w", "w[i]", "w[2]"]);
    assert_eq!(model.leaf_shape(Leaf::Var(VarId(1), Member::None)), Shape::matrix(2, 2));
}
