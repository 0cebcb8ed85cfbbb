//! The plan of a transform of a grid.

use crate::linalg::transform::{GridTransform, Transform};
use crate::tape::{Dtype, Type};

/// A transform of grids of one type.
#[derive(Debug)]
pub(in crate::exec) enum GridPlan {
    F32(GridTransform<f32>),
    F64(GridTransform<f64>),
}

impl GridPlan {
    /// The plan for values of that type.
    pub fn new(transform: Transform, ty: &Type) -> GridPlan {
        match ty.dtype {
            Dtype::F32 => GridPlan::F32(GridTransform::new(transform, &ty.shape.0)),
            _ => GridPlan::F64(GridTransform::new(transform, &ty.shape.0)),
        }
    }
}

/// Plans of one type and length are told apart by their text.
impl PartialEq for GridPlan {
    fn eq(&self, other: &GridPlan) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}
