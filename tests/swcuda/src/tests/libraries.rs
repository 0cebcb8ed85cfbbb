//! cuBLAS and cuSOLVER, against the definitions.

use super::Device;
use crate::blas::*;
use crate::machine::fault::FaultKind;
use crate::solver::*;

fn blas(device: &Device) -> usize {
    let mut handle = 0;
    assert_eq!(cublasCreate_v2(&mut handle), 0);
    assert_eq!(cublasSetStream_v2(handle, device.stream), 0);
    handle
}

fn solver(device: &Device) -> usize {
    let mut handle = 0;
    assert_eq!(cusolverDnCreate(&mut handle), 0);
    assert_eq!(cusolverDnSetStream(handle, device.stream), 0);
    handle
}

/// Numbers that are exact in all sums of these tests.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|i| ((i * 7 + seed * 5) % 11) as f64 - 5.0).collect()
}

fn address(x: &f64) -> u64 {
    (&raw const *x) as u64
}

/// The element of `op(A)`.
fn at(a: &[f64], ld: usize, transposed: i32, i: usize, j: usize) -> f64 {
    if transposed == 0 { a[i + j * ld] } else { a[j + i * ld] }
}

#[test]
fn products_of_matrices() {
    let device = Device::new();
    let handle = blas(&device);
    let (m, n, k, ld) = (4usize, 3usize, 5usize, 7usize);
    let (a, b, c) = (numbers(ld * 7, 1), numbers(ld * 7, 2), numbers(ld * 7, 3));
    for (ta, tb) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (da, db, dc) = (device.upload(&a), device.upload(&b), device.upload(&c));
        let (alpha, beta) = (2.0, -1.0);
        let (m32, n32, k32, l32) = (m as i32, n as i32, k as i32, ld as i32);
        let status =
            cublasDgemm_v2(handle, ta, tb, m32, n32, k32, address(&alpha), da, l32, db, l32, address(&beta), dc, l32);
        assert_eq!((status, device.synchronize()), (0, 0));
        let found = device.download::<f64>(dc, ld * 7);
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k).map(|l| at(&a, ld, ta, i, l) * at(&b, ld, tb, l, j)).sum();
                assert_eq!(found[i + j * ld], alpha * sum + beta * c[i + j * ld]);
            }
        }
    }
}

#[test]
fn without_beta_the_result_is_not_read() {
    let device = Device::new();
    let handle = blas(&device);
    let (a, x, y) = (device.upload(&numbers(6, 1)), device.upload(&numbers(3, 2)), device.allocate(16));
    let (one, zero) = (1.0, 0.0);
    let gemv = |beta: &f64| cublasDgemv_v2(handle, 0, 2, 3, address(&one), a, 2, x, 1, address(beta), y, 1);
    assert_eq!((gemv(&zero), device.synchronize()), (0, 0));
    let (a, x) = (numbers(6, 1), numbers(3, 2));
    let expected: Vec<f64> = (0..2).map(|i| (0..3).map(|j| a[i + 2 * j] * x[j]).sum()).collect();
    assert_eq!(device.download::<f64>(y, 2), expected);
    let unset = device.allocate(16);
    let code = cublasDgemv_v2(
        handle,
        0,
        2,
        3,
        address(&one),
        device.upload(&a),
        2,
        device.upload(&x),
        1,
        address(&one),
        unset,
        1,
    );
    assert_eq!((code, device.synchronize()), (0, 719));
    assert_eq!(device.faults()[0].kind, FaultKind::Unwritten);
    assert!(device.faults()[0].text.contains("element (0, 0) of y of cublasDgemv_v2"), "{}", device.faults()[0]);
}

#[test]
fn a_wrong_leading_dimension() {
    let device = Device::new();
    let handle = blas(&device);
    let (a, b, c) = (device.upload(&[1f64; 6]), device.upload(&[1f64; 6]), device.allocate(32));
    let (one, zero) = (1.0, 0.0);
    let gemm = |lda| cublasDgemm_v2(handle, 0, 0, 2, 2, 3, address(&one), a, lda, b, 3, address(&zero), c, 2);
    // Too small is refused by the library, too large leads out of the matrix.
    assert_eq!(gemm(1), 7);
    assert_eq!((gemm(2), device.synchronize()), (0, 0));
    assert_eq!((gemm(3), device.synchronize()), (0, 700));
    let fault = &device.faults()[0];
    assert_eq!(fault.kind, FaultKind::OutOfBounds);
    assert!(fault.text.contains("A of cublasDgemm_v2, 2×3 with leading dimension 3"), "{fault}");
}

#[test]
fn handles_must_live() {
    let device = Device::new();
    let handle = blas(&device);
    assert_eq!(cublasSetStream_v2(handle, 0x99), 7);
    assert_eq!(cusolverDnSetStream(handle, device.stream), 1);
    assert_eq!(cublasDestroy_v2(handle), 0);
    assert_eq!(cublasSetMathMode(handle, 0), 1);
}

#[test]
fn vectors() {
    let device = Device::new();
    let handle = blas(&device);
    let (a, b) = (numbers(8, 1), numbers(8, 2));
    let (x, y) = (device.upload(&a), device.upload(&b));
    let (mut dot, mut norm, factor) = (0.0, 0.0, 3.0);
    assert_eq!(cublasDdot_v2(handle, 4, x, 2, y, 1, (&raw mut dot) as u64), 0);
    assert_eq!(dot, (0..4).map(|i| a[2 * i] * b[i]).sum::<f64>());
    assert_eq!(cublasDnrm2_v2(handle, 8, x, 1, (&raw mut norm) as u64), 0);
    let expected = a.iter().map(|v| v * v).sum::<f64>().sqrt();
    assert!((norm - expected).abs() <= 4.0 * f64::EPSILON * expected);
    assert_eq!(cublasDaxpy_v2(handle, 8, address(&factor), x, 1, y, 1), 0);
    assert_eq!(cublasDscal_v2(handle, 8, address(&factor), x, 1), 0);
    assert_eq!(device.synchronize(), 0);
    assert_eq!(device.download::<f64>(y, 8), (0..8).map(|i| b[i] + 3.0 * a[i]).collect::<Vec<_>>());
    assert_eq!(device.download::<f64>(x, 8), a.iter().map(|v| 3.0 * v).collect::<Vec<_>>());
    // On the device, nothing waits.
    assert_eq!(cublasSetPointerMode_v2(handle, 1), 0);
    let out = device.allocate(8);
    assert_eq!(cublasDdot_v2(handle, 8, y, 1, y, 1, out), 0);
    assert!(!device.log().last().unwrap().ends_with("sync"));
    assert_eq!(device.synchronize(), 0);
    let squares: f64 = (0..8).map(|i| (b[i] + 3.0 * a[i]).powi(2)).sum();
    assert_eq!(device.download::<f64>(out, 1), [squares]);
}

#[test]
fn triangles() {
    let device = Device::new();
    let handle = blas(&device);
    let one = 1.0;
    for (side, fill, operation, unit) in (0..16).map(|k| (k & 1, k >> 1 & 1, k >> 2 & 1, k >> 3)) {
        let (m, n) = (3usize, 2usize);
        let order = if side == 0 { m } else { n };
        // The other triangle is not to be read.
        let mut a = vec![f64::NAN; order * order];
        for j in 0..order {
            for i in 0..order {
                if i == j && unit == 0 {
                    a[i + j * order] = 2.0;
                } else if (i > j) == (fill == 0) && i != j {
                    a[i + j * order] = (1 + i + 2 * j) as f64;
                }
            }
        }
        let b = numbers(m * n, 4);
        let (da, db) = (device.upload(&a), device.upload(&b));
        let (m32, n32, o32) = (m as i32, n as i32, order as i32);
        let status = cublasDtrsm_v2(handle, side, fill, operation, unit, m32, n32, address(&one), da, o32, db, m32);
        assert_eq!((status, device.synchronize()), (0, 0));
        let x = device.download::<f64>(db, m * n);
        let full = |i: usize, j: usize| {
            let (i, j) = if operation == 0 { (i, j) } else { (j, i) };
            let given = i == j || (i > j) == (fill == 0);
            if i == j && unit == 1 {
                1.0
            } else if given {
                a[i + j * order]
            } else {
                0.0
            }
        };
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = if side == 0 {
                    (0..m).map(|l| full(i, l) * x[l + j * m]).sum()
                } else {
                    (0..n).map(|l| x[i + l * m] * full(l, j)).sum()
                };
                assert!((sum - b[i + j * m]).abs() < 1e-12, "side {side} fill {fill} op {operation} unit {unit}");
            }
        }
    }
}

#[test]
fn cholesky_and_its_systems() {
    let device = Device::new();
    let handle = solver(&device);
    for fill in [0, 1] {
        let a = [4.0, 2.0, 2.0, 2.0, 5.0, 3.0, 2.0, 3.0, 6.0];
        let (da, b) = (device.upload(&a), device.upload(&[8.0, 10.0, 11.0]));
        let (workspace, info, mut length) = (device.allocate(1024), device.allocate(4), 0);
        assert_eq!(cusolverDnDpotrf_bufferSize(handle, fill, 3, da, 3, &mut length), 0);
        assert_eq!(cusolverDnDpotrf(handle, fill, 3, da, 3, workspace, length, info), 0);
        assert_eq!(device.synchronize(), 0);
        assert_eq!(device.download::<i32>(info, 1), [0]);
        assert_eq!(cusolverDnDpotrs(handle, fill, 3, 1, da, 3, b, 3, info), 0);
        assert_eq!(device.synchronize(), 0);
        let x = device.download::<f64>(b, 3);
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-14), "{x:?}");
    }
    // Minor 2 is negative; a bad parameter is told as well.
    let (a, workspace, info) = (device.upload(&[1.0, 2.0, 2.0, 1.0]), device.allocate(1024), device.allocate(4));
    assert_eq!(cusolverDnDpotrf(handle, 0, 2, a, 2, workspace, 2, info), 0);
    assert_eq!(device.synchronize(), 0);
    assert_eq!(device.download::<i32>(info, 1), [2]);
    assert_eq!(cusolverDnDpotrf(handle, 0, 2, a, 1, workspace, 2, info), 3);
    assert_eq!(device.synchronize(), 0);
    assert_eq!(device.download::<i32>(info, 1), [-4]);
}

#[test]
fn eigenvalues() {
    let device = Device::new();
    let handle = solver(&device);
    let n = 3;
    let a = [2f64, -1.0, 0.0, -1.0, 2.0, -1.0, 0.0, -1.0, 2.0];
    let (da, w, info, mut length) = (device.upload(&a), device.allocate(24), device.allocate(4), 0);
    assert_eq!(cusolverDnDsyevd_bufferSize(handle, 1, 0, n, da, n, w, &mut length), 0);
    let workspace = device.allocate(8 * length as usize);
    assert_eq!(cusolverDnDsyevd(handle, 1, 0, n, da, n, w, workspace, length, info), 0);
    assert_eq!(device.synchronize(), 0);
    let (values, vectors) = (device.download::<f64>(w, 3), device.download::<f64>(da, 9));
    let root = 2f64.sqrt();
    for (value, expected) in values.iter().zip([2.0 - root, 2.0, 2.0 + root]) {
        assert!((value - expected).abs() < 1e-14);
    }
    for j in 0..3 {
        for i in 0..3 {
            let product: f64 = (0..3).map(|k| a[i + 3 * k] * vectors[k + 3 * j]).sum();
            assert!((product - values[j] * vectors[i + 3 * j]).abs() < 1e-14);
        }
    }
}

#[test]
fn singular_values() {
    let device = Device::new();
    let handle = solver(&device);
    let (m, n) = (4usize, 2usize);
    let a = numbers(m * n, 6);
    let (da, s, u, vt) = (device.upload(&a), device.allocate(16), device.allocate(128), device.allocate(32));
    let (info, mut length) = (device.allocate(4), 0);
    assert_eq!(cusolverDnDgesvd_bufferSize(handle, m as i32, n as i32, &mut length), 0);
    let workspace = device.allocate(8 * length as usize);
    let job = b'A' as std::ffi::c_char;
    let status = cusolverDnDgesvd(handle, job, job, 4, 2, da, 4, s, u, 4, vt, 2, workspace, length, 0, info);
    assert_eq!((status, device.synchronize()), (0, 0));
    let (s, u, vt) = (device.download::<f64>(s, 2), device.download::<f64>(u, 16), device.download::<f64>(vt, 4));
    for i in 0..m {
        for j in 0..n {
            let back: f64 = (0..n).map(|k| u[i + m * k] * s[k] * vt[k + n * j]).sum();
            assert!((back - a[i + m * j]).abs() < 1e-13);
        }
    }
    // Fewer rows than columns is not for this call.
    let status = cusolverDnDgesvd(handle, job, job, 1, 2, da, 4, 0, 0, 1, 0, 2, workspace, length, 0, info);
    assert_eq!((status, device.synchronize()), (3, 0));
    assert_eq!(device.download::<i32>(info, 1), [-3]);
}
