//! A tensor on the host: how data, states and results travel between stages and devices.

use super::ir::{Dtype, Shape, Type};
use crate::linalg::Shared;

/// Elements, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Singles.
    F32(Shared<f32>),
    /// Doubles.
    F64(Shared<f64>),
    /// Indices.
    Index(Shared<u32>),
}

/// A dense row-major tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Extents.
    pub shape: Shape,
    /// Elements, `shape.numel()` of them.
    pub elements: Elements,
}

impl Tensor {
    /// A double tensor. Panics when the number of elements is not the shape's: an invariant of the
    /// callers, which compute both from one source.
    pub fn f64(shape: impl Into<Shape>, elements: Vec<f64>) -> Tensor {
        let shape = shape.into();
        assert_eq!(shape.numel(), elements.len(), "elements of a tensor fill its shape {shape}");
        Tensor { shape, elements: Elements::F64(elements.into()) }
    }

    /// A double tensor of numbers that others hold too; panics as [`Tensor::f64`] does.
    pub fn shared(shape: impl Into<Shape>, elements: Shared<f64>) -> Tensor {
        let shape = shape.into();
        assert_eq!(shape.numel(), elements.len(), "elements of a tensor fill its shape {shape}");
        Tensor { shape, elements: Elements::F64(elements) }
    }

    /// A single tensor; panics as [`Tensor::f64`] does.
    pub fn f32(shape: impl Into<Shape>, elements: Vec<f32>) -> Tensor {
        let shape = shape.into();
        assert_eq!(shape.numel(), elements.len(), "elements of a tensor fill its shape {shape}");
        Tensor { shape, elements: Elements::F32(elements.into()) }
    }

    /// An index tensor; panics as [`Tensor::f64`] does.
    pub fn index(shape: impl Into<Shape>, elements: Vec<u32>) -> Tensor {
        let shape = shape.into();
        assert_eq!(shape.numel(), elements.len(), "elements of a tensor fill its shape {shape}");
        Tensor { shape, elements: Elements::Index(elements.into()) }
    }

    /// One double.
    pub fn scalar(value: f64) -> Tensor {
        Tensor::f64(Shape::scalar(), vec![value])
    }

    /// Zeros of a type.
    pub fn zeros(ty: &Type) -> Tensor {
        let n = ty.shape.numel();
        let elements = match ty.dtype {
            Dtype::F32 => Elements::F32(vec![0.0; n].into()),
            Dtype::F64 => Elements::F64(vec![0.0; n].into()),
            Dtype::Index => Elements::Index(vec![0; n].into()),
        };
        Tensor { shape: ty.shape.clone(), elements }
    }

    /// Element type.
    pub fn dtype(&self) -> Dtype {
        match self.elements {
            Elements::F32(_) => Dtype::F32,
            Elements::F64(_) => Dtype::F64,
            Elements::Index(_) => Dtype::Index,
        }
    }

    /// Dtype and shape.
    pub fn ty(&self) -> Type {
        Type { dtype: self.dtype(), shape: self.shape.clone() }
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// Every element as a double; doubles are shared, not copied.
    pub fn to_f64(&self) -> Shared<f64> {
        match &self.elements {
            Elements::F32(v) => v.iter().map(|&x| x as f64).collect(),
            Elements::F64(v) => v.clone(),
            Elements::Index(v) => v.iter().map(|&x| x as f64).collect(),
        }
    }

    /// Whether every element is finite.
    pub fn is_finite(&self) -> bool {
        match &self.elements {
            Elements::F32(v) => v.iter().all(|x| x.is_finite()),
            Elements::F64(v) => v.iter().all(|x| x.is_finite()),
            Elements::Index(_) => true,
        }
    }

    /// The same numbers in another element type (rounded to nearest; to an index, truncated and
    /// saturated).
    pub fn cast(&self, dtype: Dtype) -> Tensor {
        if dtype == self.dtype() {
            return self.clone();
        }
        let values = self.to_f64();
        let elements = match dtype {
            Dtype::F32 => Elements::F32(values.iter().map(|&x| x as f32).collect()),
            Dtype::F64 => Elements::F64(values),
            Dtype::Index => Elements::Index(values.iter().map(|&x| x as u32).collect()),
        };
        Tensor { shape: self.shape.clone(), elements }
    }

    /// The same elements in another shape of the same size.
    pub fn reshape(mut self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        assert_eq!(shape.numel(), self.numel(), "a reshape keeps the number of elements");
        self.shape = shape;
        self
    }

    /// Its only element as a double; `None` for other sizes.
    pub fn item(&self) -> Option<f64> {
        (self.numel() == 1).then(|| match &self.elements {
            Elements::F32(v) => v[0] as f64,
            Elements::F64(v) => v[0],
            Elements::Index(v) => v[0] as f64,
        })
    }

    /// Member `i` of a family: a slice along the first axis.
    pub fn member(&self, i: usize) -> Tensor {
        let shape = Shape(self.shape.0[1..].to_vec());
        let range = i * shape.numel()..(i + 1) * shape.numel();
        let elements = match &self.elements {
            Elements::F32(v) => Elements::F32(v[range].to_vec().into()),
            Elements::F64(v) => Elements::F64(v[range].to_vec().into()),
            Elements::Index(v) => Elements::Index(v[range].to_vec().into()),
        };
        Tensor { shape, elements }
    }

    /// Replaces member `i` of a family; panics when the types don't agree.
    pub fn set_member(&mut self, i: usize, member: &Tensor) {
        let range = i * member.numel()..(i + 1) * member.numel();
        match (&mut self.elements, &member.elements) {
            (Elements::F32(to), Elements::F32(from)) => to[range].copy_from_slice(from),
            (Elements::F64(to), Elements::F64(from)) => to[range].copy_from_slice(from),
            (Elements::Index(to), Elements::Index(from)) => to[range].copy_from_slice(from),
            _ => unreachable!("a member has its family's dtype"),
        }
    }
}
