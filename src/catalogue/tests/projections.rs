//! What must hold of every projection, tested against a definition of the set that is not its program.
//!
//! - `P(v)` lies in the set, and a point of the set stays where it is;
//! - no other point of the set is nearer to `v`; of a convex set, `⟨v − P(v), u − P(v)⟩ ≤ 0` for every `u`
//!   in it (Bauschke & Combettes, Convex Analysis and Monotone Operator Theory, 2017, Theorem 3.16);
//! - the CPU finds a point of the set as near as the reference does, in doubles and in singles;
//! - a set's value is how far outside the point is.

use crate::catalogue::Function;
use crate::exec::reference::{Rounding, evaluate};
use crate::exec::{Buffer, Call, Cpu, Executor, Slot};
use crate::tape::philox::{Stream, key};
use crate::tape::{Builder, Dtype, Program, Shape, Tensor, Type, verify};

/// A set with its arguments, and the shape of its elements.
pub struct Case {
    set: Function,
    shape: Shape,
    args: Vec<Tensor>,
}

/// An argument that is a number.
pub fn number(x: f64) -> Tensor {
    Tensor::scalar(x)
}

/// An argument that is a vector.
pub fn vector(x: &[f64]) -> Tensor {
    Tensor::f64([x.len()], x.to_vec())
}

/// A set on elements of that shape.
pub fn case(set: Function, shape: impl Into<Shape>, args: Vec<Tensor>) -> Case {
    let shape = shape.into();
    let shapes: Vec<Shape> = std::iter::once(shape.clone()).chain(args.iter().map(|arg| arg.shape.clone())).collect();
    assert_eq!(set.shape(&shapes), Ok(Shape::scalar()), "{} takes these", set.name());
    let values: Vec<Vec<f64>> = args.iter().map(|arg| arg.to_f64().into_vec()).collect();
    let slices: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
    assert_eq!(set.accepts(&shape, &slices), Ok(()), "{} is a set", set.name());
    Case { set, shape, args }
}

/// How far outside an intersection of sets, without arguments, a point is.
pub fn value(set: Function, shape: impl Into<Shape>, x: &[f64], args: &[Tensor]) -> f64 {
    let (case, one) = (case(set, shape, args.to_vec()), number(1.0));
    Oracle { case: &case, dtype: Dtype::F64, program: case.program(Dtype::F64, &one, true), t: one }.at(x)[0]
}

/// Units of EPS that a result may err by for each element, against the largest number there is: by trial all
/// sets keep to 2, and not all to 1.
const ROUNDINGS: f64 = 4.0;

impl Case {
    /// A worked example, in doubles and in singles.
    pub fn takes(self, v: &[f64], expected: &[f64]) -> Case {
        self.takes_weighted(&number(1.0), v, expected)
    }

    /// The same with a `t` for each element.
    pub fn takes_weighted(self, t: &Tensor, v: &[f64], expected: &[f64]) -> Case {
        for dtype in [Dtype::F64, Dtype::F32] {
            for found in [self.oracle(dtype, t).at(v), self.cpu(dtype, t).at(v)] {
                let tolerance = self.tolerance(dtype, v, expected);
                let near =
                    found.iter().zip(expected).all(|(x, y)| (x - y).abs() <= tolerance || x.to_bits() == y.to_bits());
                assert!(near, "{} of {v:?} in {dtype:?}: {found:?}, not {expected:?}", self.set.name());
            }
        }
        self
    }

    /// The projection in doubles, for what is to be said of it alone.
    pub fn at(&self, v: &[f64]) -> Vec<f64> {
        self.oracle(Dtype::F64, &number(1.0)).at(v)
    }

    /// The laws, at seeded points, at those given, and at elements of the set; `holds` says whether a point
    /// lies in the set up to a tolerance.
    pub fn keeps_the_laws(self, awkward: &[&[f64]], holds: impl Fn(&[f64], f64) -> bool) -> Case {
        let one = number(1.0);
        let n = self.shape.numel();
        let stream = Stream::new(key(11), 0);
        let mut points: Vec<Vec<f64>> = awkward.iter().map(|point| point.to_vec()).collect();
        points.push(vec![0.0; n]);
        for (round, scale) in [1e-3, 1.0, 1.0, 1.0, 1e3, 1e-8, 1e8].into_iter().cycle().take(84).enumerate() {
            let normal = |j: usize| stream.normal(round as u32, j as u64, Dtype::F64);
            // Halves tie and hit kinks; normals don't.
            let element = |j: usize| if round % 3 == 0 { (2.0 * normal(j)).round() / 2.0 } else { normal(j) };
            points.push((0..n).map(|j| scale * element(j)).collect());
            // A neighbour, of which the projection is a neighbour in the set.
            let near =
                |j: usize| scale * (element(j) + 0.01 * stream.normal(1000 + round as u32, j as u64, Dtype::F64));
            points.push((0..n).map(near).collect());
        }
        let oracle = self.oracle(Dtype::F64, &one);
        let value = Oracle { program: self.program(Dtype::F64, &one, true), ..self.oracle(Dtype::F64, &one) };
        let mut devices = [Dtype::F64, Dtype::F32].map(|dtype| self.cpu(dtype, &one));
        let projected = |v: &Vec<f64>| {
            let x = oracle.at(v);
            let tolerance = self.tolerance(Dtype::F64, v, &x);
            (x, tolerance)
        };
        let found: Vec<(Vec<f64>, f64)> = points.iter().map(projected).collect();
        let facts = self.set.proximal().expect("a projection");
        for (v, (x, tolerance)) in points.iter().zip(&found) {
            let tolerance = *tolerance;
            let say = || format!("{} of {v:?}: {x:?}", self.set.name());
            assert!(holds(x, tolerance), "{} lies outside", say());
            assert!(!x.iter().any(|x| x.is_nan()), "{}", say());
            let again = oracle.at(x);
            assert!(distance(&again, x) <= tolerance, "{} moves on to {again:?}", say());
            let outside = value.at(v)[0];
            let largest = v.iter().zip(x).fold(0.0f64, |most, (v, x)| most.max((v - x).abs()));
            assert!((outside - largest).abs() <= tolerance, "{} is {outside} outside", say());
            let far = distance(v, x);
            for (u, off) in &found {
                let room = tolerance + off;
                assert!(far <= distance(v, u) + room, "{}, but {u:?} is nearer", say());
                if facts.convex {
                    let product: f64 = v.iter().zip(x).zip(u).map(|((v, x), u)| (v - x) * (u - x)).sum();
                    let room = room * (distance(v, x) + distance(u, x) + room);
                    assert!(product <= room, "{} makes a sharp angle with {u:?}: {product:e} above {room:e}", say());
                }
            }
            for cpu in &mut devices {
                let dtype = cpu.dtype;
                if size(v) > f64::from(f32::MAX) && dtype == Dtype::F32 {
                    continue;
                }
                let x = cpu.at(v);
                let tolerance = self.tolerance(dtype, v, &x);
                assert!(holds(&x, tolerance), "{} on the CPU in {dtype:?}: {x:?}", say());
                assert!(distance(v, &x) <= far + tolerance, "{} on the CPU in {dtype:?}: {x:?}", say());
            }
        }
        let mut gone = vec![1.0; n];
        gone[n / 2] = f64::NAN;
        for x in [oracle.at(&gone), devices[1].at(&gone)] {
            assert!(x.iter().any(|x| x.is_nan()), "{} hides that a number is none: {x:?}", self.set.name());
        }
        self
    }

    /// What the result may err by.
    fn tolerance(&self, dtype: Dtype, v: &[f64], x: &[f64]) -> f64 {
        let args = self.args.iter().flat_map(|arg| arg.to_f64()).filter(|x| x.is_finite());
        let most = args.fold(size(v).max(size(x)), |most, x| most.max(x.abs()));
        ROUNDINGS * self.shape.numel() as f64 * dtype.eps() * most
    }

    fn program(&self, dtype: Dtype, t: &Tensor, value: bool) -> Program {
        let mut b = Builder::new("projection");
        let v = b.input("v", Type { dtype, shape: self.shape.clone() });
        let t = b.input("t", Type { dtype, shape: t.shape.clone() });
        let mut args = vec![v];
        for (at, arg) in self.args.iter().enumerate() {
            // What shapes the program is a constant of it, as in a model.
            args.push(match arg.item().filter(|_| arg.shape.is_scalar()) {
                Some(number) => b.constant(number, dtype),
                None => b.input(format!("a{at}"), Type { dtype, shape: arg.shape.clone() }),
            });
        }
        let x =
            if value { self.set.lower(&mut b, &args, &Shape::scalar()) } else { self.set.prox(&mut b, v, t, &args) };
        b.output("x", x);
        let program = b.finish();
        assert_eq!(verify(&program), Ok(()), "{program}");
        program
    }

    /// The reference on a program of the point.
    fn oracle(&self, dtype: Dtype, t: &Tensor) -> Oracle<'_> {
        Oracle { case: self, dtype, t: t.clone(), program: self.program(dtype, t, false) }
    }

    /// The CPU on the projection.
    fn cpu(&self, dtype: Dtype, t: &Tensor) -> Device<'_> {
        let program = crate::tape::passes::optimise(&self.program(dtype, t, false));
        let mut cpu = Cpu::new(1);
        let inputs = self.inputs(dtype, t, &vec![0.0; self.shape.numel()]);
        let slots: Vec<Buffer> = inputs.iter().map(|tensor| cpu.buffer(&tensor.ty())).collect();
        slots.iter().zip(&inputs).for_each(|(&slot, tensor)| cpu.write(slot, tensor));
        let x = cpu.buffer(program.ty(program.outputs[0].value));
        let all: Vec<Slot> = slots.iter().map(|&slot| slot.into()).collect();
        let call = cpu.bind(&program, &all, &[x.into()]);
        Device { shape: &self.shape, dtype, cpu, v: slots[0], x, call }
    }

    fn inputs(&self, dtype: Dtype, t: &Tensor, v: &[f64]) -> Vec<Tensor> {
        let v = Tensor::f64(self.shape.clone(), v.to_vec());
        let args = self.args.iter().filter(|arg| !arg.shape.is_scalar());
        [&v, t].into_iter().chain(args).map(|tensor| tensor.cast(dtype)).collect()
    }
}

struct Oracle<'a> {
    case: &'a Case,
    dtype: Dtype,
    t: Tensor,
    program: Program,
}

impl Oracle<'_> {
    fn at(&self, v: &[f64]) -> Vec<f64> {
        evaluate(&self.program, &self.case.inputs(self.dtype, &self.t, v), Rounding::Outputs)[0].to_f64().into_vec()
    }
}

struct Device<'a> {
    shape: &'a Shape,
    dtype: Dtype,
    cpu: Cpu,
    v: Buffer,
    x: Buffer,
    call: Call,
}

impl Device<'_> {
    fn at(&mut self, v: &[f64]) -> Vec<f64> {
        self.cpu.write(self.v, &Tensor::f64(self.shape.clone(), v.to_vec()).cast(self.dtype));
        self.cpu.run(self.call, 0);
        self.cpu.read(self.x).to_f64().into_vec()
    }
}

fn size(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |most, x| most.max(x.abs()))
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
