//! Instructions, from PTX text to the bits that they leave.

use super::{Device, module};
use crate::ptx::parse;

/// Runs one instruction in one thread on values `%a`, `%b`, `%c`; gives `%d`.
fn evaluate(device: &Device, instruction: &str, values: &[u64]) -> u64 {
    let text = module(&format!(
        ".visible .entry k(.param .u64 out, .param .u64 in) {{
            .reg .b64 %a; .reg .b64 %b; .reg .b64 %c; .reg .b64 %d; .reg .b64 %e;
            .reg .pred %p<4>; .reg .b32 %r<8>; .reg .b64 %rd<3>;
            ld.param.u64 %rd0, [out];
            ld.param.u64 %rd1, [in];
            ld.global.u64 %a, [%rd1];
            ld.global.u64 %b, [%rd1+8];
            ld.global.u64 %c, [%rd1+16];
            {instruction};
            st.global.u64 [%rd0], %d;
            ret;
        }}"
    ));
    let mut values = values.to_vec();
    values.resize(3, 0);
    let (out, input) = (device.allocate(8), device.upload(&values));
    assert_eq!(device.run(&text, "k", 1, 1, &[out, input]), 0, "{instruction}: {:?}", device.faults());
    device.download::<u64>(out, 1)[0]
}

fn f(x: f32) -> u64 {
    x.to_bits() as u64
}

fn d(x: f64) -> u64 {
    x.to_bits()
}

/// Instruction, operands, result in the bits of the mask.
fn check(rows: &[(&str, &[u64], u64)], mask: u64) {
    let device = Device::new();
    for (instruction, values, expected) in rows {
        let found = evaluate(&device, instruction, values) & mask;
        assert_eq!(found, expected & mask, "{instruction} of {values:x?}: {found:#x}, not {expected:#x}");
    }
}

#[test]
fn integers_of_32_bits() {
    let minus = |x: i64| -x as u64;
    check(
        &[
            ("add.s32 %d, %a, %b", &[5, minus(7)], minus(2)),
            ("sub.u32 %d, %a, %b", &[5, 7], minus(2)),
            ("mul.lo.s32 %d, %a, %b", &[minus(3), 7], minus(21)),
            ("mul.hi.u32 %d, %a, %b", &[0xffff_ffff, 0xffff_ffff], 0xffff_fffe),
            ("mul.hi.s32 %d, %a, %b", &[minus(1), minus(1)], 0),
            ("mad.lo.u32 %d, %a, %b, %c", &[3, 4, 5], 17),
            ("div.s32 %d, %a, %b", &[minus(7), 2], minus(3)),
            ("div.u32 %d, %a, %b", &[7, 2], 3),
            ("rem.s32 %d, %a, %b", &[minus(7), 2], minus(1)),
            ("min.s32 %d, %a, %b", &[minus(7), 2], minus(7)),
            ("min.u32 %d, %a, %b", &[minus(7), 2], 2),
            ("max.s32 %d, %a, %b", &[minus(7), 2], 2),
            ("neg.s32 %d, %a", &[7], minus(7)),
            ("abs.s32 %d, %a", &[minus(7)], 7),
            ("not.b32 %d, %a", &[0xff], 0xffff_ff00),
            ("and.b32 %d, %a, %b", &[12, 10], 8),
            ("or.b32 %d, %a, %b", &[12, 10], 14),
            ("xor.b32 %d, %a, %b", &[12, 10], 6),
            ("shl.b32 %d, %a, %b", &[1, 31], 1 << 31),
            ("shl.b32 %d, %a, %b", &[1, 32], 0),
            ("shr.u32 %d, %a, %b", &[1 << 31, 31], 1),
            ("shr.s32 %d, %a, %b", &[1 << 31, 40], 0xffff_ffff),
            ("popc.b32 %d, %a", &[0xf0f0_f0f0_0000_00ff], 8),
            ("clz.b32 %d, %a", &[1], 31),
            ("brev.b32 %d, %a", &[1], 1 << 31),
            ("bfind.u32 %d, %a", &[0x80], 7),
            ("bfind.shiftamt.u32 %d, %a", &[0x80], 24),
            ("bfind.s32 %d, %a", &[minus(1)], 0xffff_ffff),
            ("bfe.u32 %d, %a, %b, %c", &[0xabcd, 4, 8], 0xbc),
            ("bfe.s32 %d, %a, %b, %c", &[0xabcd, 4, 8], 0xffff_ffbc),
            ("bfi.b32 %d, %a, %b, 4, 8", &[0xff, 0], 0xff0),
            ("prmt.b32 %d, %a, %b, %c", &[0x3322_1100, 0x7766_5544, 0x7531], 0x7755_3311),
            ("prmt.b32 %d, %a, %b, %c", &[0x80, 0, 0x8888], 0xffff_ffff),
            ("lop3.b32 %d, %a, %b, %c, 0x96", &[1, 3, 7], 1 ^ 3 ^ 7),
            ("shf.l.wrap.b32 %d, %a, %b, %c", &[0x8000_0000, 1, 1], 3),
            ("shf.r.clamp.b32 %d, %a, %b, %c", &[0, 7, 40], 7),
            ("add.sat.s32 %d, %a, %b", &[0x7fff_ffff, 1], 0x7fff_ffff),
            ("selp.b32 %d, 1, 2, 1", &[], 1),
            ("slct.s32.s32 %d, %a, %b, %c", &[1, 2, minus(1)], 2),
            ("setp.lt.s32 %p1, %a, %b; selp.b32 %d, 1, 0, %p1", &[minus(1), 1], 1),
            ("setp.lt.u32 %p1, %a, %b; selp.b32 %d, 1, 0, %p1", &[minus(1), 1], 0),
            ("setp.eq.and.s32 %p1, %a, %b, !%p0; selp.b32 %d, 1, 0, %p1", &[4, 4], 0),
            ("add.cc.u32 %r1, %a, %b; addc.u32 %d, 0, 0", &[0xffff_ffff, 1], 1),
            ("sub.cc.u32 %r1, %a, %b; subc.u32 %d, 5, 0", &[0, 1], 4),
            ("mad.lo.cc.u32 %r1, %a, %b, %c; addc.u32 %d, 0, 0", &[0x8000_0000, 1, 0x8000_0000], 1),
        ],
        0xffff_ffff,
    );
}

#[test]
fn integers_of_64_bits() {
    check(
        &[
            ("add.u64 %d, %a, %b", &[u64::MAX, 2], 1),
            ("mul.wide.u32 %d, %a, %b", &[0xffff_ffff, 2], 0x1_ffff_fffe),
            ("mul.wide.s32 %d, %a, %b", &[0xffff_ffff, 2], (-2i64) as u64),
            ("mad.wide.s32 %d, %a, %b, %c", &[0xffff_ffff, 2, 10], 8),
            ("mul.hi.u64 %d, %a, %b", &[u64::MAX, u64::MAX], u64::MAX - 1),
            ("mul.hi.s64 %d, %a, %b", &[u64::MAX, u64::MAX], 0),
            ("div.s64 %d, %a, %b", &[(-9i64) as u64, 2], (-4i64) as u64),
            ("rem.u64 %d, %a, %b", &[9, 4], 1),
            ("shr.s64 %d, %a, %b", &[1 << 63, 63], u64::MAX),
            ("clz.b64 %d, %a", &[1], 63),
            ("popc.b64 %d, %a", &[u64::MAX], 64),
            ("brev.b64 %d, %a", &[1], 1 << 63),
            ("bfe.u64 %d, %a, %b, %c", &[0xabcd_0000_0000, 32, 16], 0xabcd),
            ("mov.b64 {%r1, %r2}, %a; mov.b64 %d, {%r2, %r1}", &[0x1_0000_0002], 0x2_0000_0001),
            ("cvt.s64.s32 %d, %a", &[0x8000_0000], 0xffff_ffff_8000_0000),
            ("cvt.u64.u32 %d, %a", &[0xf_8000_0000], 0x8000_0000),
            ("cvt.s64.s8 %d, %a", &[0x80], (-128i64) as u64),
            ("cvt.u64.u16 %d, %a", &[0x1_2345], 0x2345),
            ("cvt.sat.u8.s32 %d, %a", &[300], 255),
        ],
        u64::MAX,
    );
}

#[test]
fn doubles() {
    let up = |x: f64| x.next_up();
    check(
        &[
            ("add.rn.f64 %d, %a, %b", &[d(0.1), d(0.2)], d(0.1 + 0.2)),
            ("sub.f64 %d, %a, %b", &[d(0.1), d(0.2)], d(0.1 - 0.2)),
            ("mul.f64 %d, %a, %b", &[d(0.1), d(0.2)], d(0.1 * 0.2)),
            ("fma.rn.f64 %d, %a, %b, %c", &[d(0.1), d(0.2), d(-0.02)], d(0.1f64.mul_add(0.2, -0.02))),
            ("div.rn.f64 %d, %a, %b", &[d(1.0), d(3.0)], d(1.0 / 3.0)),
            ("sqrt.rn.f64 %d, %a", &[d(2.0)], d(2f64.sqrt())),
            ("rcp.rn.f64 %d, %a", &[d(3.0)], d(1.0 / 3.0)),
            ("add.rp.f64 %d, %a, %b", &[d(1.0), d(1e-30)], d(up(1.0))),
            ("add.rm.f64 %d, %a, %b", &[d(1.0), d(1e-30)], d(1.0)),
            ("add.rz.f64 %d, %a, %b", &[d(-1.0), d(1e-30)], d(-up(1.0) + up(1.0) - 1f64.next_down())),
            ("mul.rp.f64 %d, %a, %b", &[d(1.0 / 3.0), d(3.0)], d(1.0)),
            ("min.f64 %d, %a, %b", &[d(f64::NAN), d(2.0)], d(2.0)),
            ("min.f64 %d, %a, %b", &[d(0.0), d(-0.0)], d(-0.0)),
            ("max.f64 %d, %a, %b", &[d(0.0), d(-0.0)], d(0.0)),
            ("neg.f64 %d, %a", &[d(0.0)], d(-0.0)),
            ("abs.f64 %d, %a", &[d(-3.0)], d(3.0)),
            ("copysign.f64 %d, %a, %b", &[d(-1.0), d(3.0)], d(-3.0)),
            ("cvt.f64.f32 %d, %a", &[f(0.1)], d(0.1f32 as f64)),
            ("cvt.rn.f64.s32 %d, %a", &[(-5i64) as u64], d(-5.0)),
            ("cvt.rn.f64.u64 %d, %a", &[u64::MAX], d(u64::MAX as f64)),
            ("cvt.rz.f64.u64 %d, %a", &[u64::MAX], d((u64::MAX as f64).next_down())),
            ("cvt.rni.f64.f64 %d, %a", &[d(2.5)], d(2.0)),
            ("cvt.rmi.f64.f64 %d, %a", &[d(-2.5)], d(-3.0)),
            ("cvt.rzi.s64.f64 %d, %a", &[d(-2.9)], (-2i64) as u64),
            ("cvt.rzi.s64.f64 %d, %a", &[d(1e300)], i64::MAX as u64),
            ("cvt.rzi.s64.f64 %d, %a", &[d(f64::NAN)], 1 << 63),
            ("setp.ltu.f64 %p1, %a, %b; selp.b64 %d, 1, 0, %p1", &[d(f64::NAN), d(1.0)], 1),
            ("setp.lt.f64 %p1, %a, %b; selp.b64 %d, 1, 0, %p1", &[d(f64::NAN), d(1.0)], 0),
            ("setp.neu.f64 %p1, %a, %b; selp.b64 %d, 1, 0, %p1", &[d(f64::NAN), d(1.0)], 1),
            ("setp.nan.f64 %p1, %a, %b; selp.b64 %d, 1, 0, %p1", &[d(f64::NAN), d(1.0)], 1),
            ("setp.gt.f64 %p1|%p2, %a, %b; selp.b64 %d, 1, 0, %p2", &[d(1.0), d(2.0)], 1),
            ("testp.infinite.f64 %p1, %a; selp.b64 %d, 1, 0, %p1", &[d(f64::INFINITY)], 1),
        ],
        u64::MAX,
    );
}

#[test]
fn singles() {
    check(
        &[
            ("add.f32 %d, %a, %b", &[f(0.1), f(0.2)], f(0.1f32 + 0.2f32)),
            ("mul.rz.f32 %d, %a, %b", &[f(0.1), f(0.1)], f(f32::from_bits((0.1f32 * 0.1f32).to_bits() - 1))),
            ("fma.rn.f32 %d, %a, %b, %c", &[f(0.1), f(0.2), f(0.3)], f(0.1f32.mul_add(0.2, 0.3))),
            ("div.rn.f32 %d, %a, %b", &[f(1.0), f(3.0)], f(1.0 / 3.0)),
            ("sqrt.rn.f32 %d, %a", &[f(2.0)], f(2f32.sqrt())),
            ("ex2.approx.f32 %d, %a", &[f(3.0)], f(8.0)),
            ("lg2.approx.f32 %d, %a", &[f(8.0)], f(3.0)),
            ("add.ftz.f32 %d, %a, %b", &[f(1e-40), f(0.0)], f(0.0)),
            ("add.sat.f32 %d, %a, %b", &[f(0.75), f(0.75)], f(1.0)),
            ("max.NaN.f32 %d, %a, %b", &[f(f32::NAN), f(1.0)], 0x7fff_ffff),
            ("cvt.rn.f32.f64 %d, %a", &[d(0.1)], f(0.1)),
            ("cvt.rp.f32.f64 %d, %a", &[d(1.0 + 1e-12)], f(1f32.next_up())),
            ("cvt.rzi.u32.f32 %d, %a", &[f(-3.0)], 0),
            ("cvt.rni.s32.f32 %d, %a", &[f(2.5)], 2),
            ("cvt.rzi.s32.f32 %d, %a", &[f(f32::NAN)], 0),
            ("cvt.rn.f32.u32 %d, %a", &[0xffff_ffff], f(u32::MAX as f32)),
        ],
        0xffff_ffff,
    );
}

/// A kernel over one warp, in which `%t` is the lane and `%d` the 32-bit result.
fn warp(device: &Device, body: &str) -> Vec<u32> {
    let text = module(&format!(
        ".visible .entry k(.param .u64 out) {{
            .reg .b32 %t; .reg .b32 %d; .reg .b32 %r<8>; .reg .pred %p<4>; .reg .b64 %rd<4>;
            mov.u32 %t, %tid.x;
            {body}
            ld.param.u64 %rd1, [out];
            mad.wide.u32 %rd2, %t, 4, %rd1;
            st.global.u32 [%rd2], %d;
            ret;
        }}"
    ));
    let out = device.allocate(128);
    assert_eq!(device.run(&text, "k", 1, 32, &[out]), 0, "{body}: {:?}", device.faults());
    device.download(out, 32)
}

#[test]
fn lanes_exchange() {
    let device = Device::new();
    let lanes = |f: &dyn Fn(u32) -> u32| (0..32).map(f).collect::<Vec<_>>();
    let of = |body: &str| warp(&device, body);
    assert_eq!(of("shfl.sync.up.b32 %d, %t, 1, 0, -1;"), lanes(&|l| l.saturating_sub(1)));
    assert_eq!(of("shfl.sync.down.b32 %d|%p1, %t, 4, 31, -1;"), lanes(&|l| if l < 28 { l + 4 } else { l }));
    assert_eq!(of("shfl.sync.bfly.b32 %d, %t, 5, 31, -1;"), lanes(&|l| l ^ 5));
    assert_eq!(of("shfl.sync.idx.b32 %d, %t, 3, 0x181f, -1;"), lanes(&|l| l & 24 | 3));
    assert_eq!(of("setp.lt.u32 %p1, %t, 5; vote.sync.ballot.b32 %d, %p1, -1;"), [31; 32]);
    assert_eq!(of("setp.lt.u32 %p1, %t, 5; vote.sync.any.pred %p2, %p1, -1; selp.u32 %d, 1, 0, %p2;"), [1; 32]);
    assert_eq!(of("redux.sync.add.u32 %d, %t, -1;"), [496; 32]);
    assert_eq!(of("redux.sync.max.u32 %d, %t, -1;"), [31; 32]);
    assert_eq!(of("and.b32 %r1, %t, 1; match.any.sync.b32 %d, %r1, -1;"), lanes(&|l| 0x5555_5555 << (l & 1)));
    assert_eq!(of("mov.u32 %d, %lanemask_lt;"), lanes(&|l| (1 << l) - 1));
}

#[test]
fn lanes_part_and_meet() {
    let device = Device::new();
    let body = "mov.u32 %d, 0; setp.lt.u32 %p1, %t, 10; @%p1 bra LOW;
        add.u32 %d, %d, 100; bra.uni JOIN;
        LOW: mov.u32 %r1, 0;
        LOOP: add.u32 %r1, %r1, 1; add.u32 %d, %d, 1; setp.lt.u32 %p2, %r1, %t; @%p2 bra LOOP;
        JOIN: activemask.b32 %r2; popc.b32 %r2, %r2; mad.lo.u32 %d, %r2, 1000, %d;";
    let expected: Vec<u32> = (0..32).map(|l| 32_000 + if l < 10 { l.max(1) } else { 100 }).collect();
    assert_eq!(warp(&device, body), expected);
    let body = "and.b32 %r1, %t, 3; bra.uni GO;
        TABLE: .branchtargets A, B, A, C;
        GO: brx.idx %r1, TABLE;
        A: mov.u32 %d, 7; bra.uni END; B: mov.u32 %d, 8; bra.uni END; C: mov.u32 %d, 9; END:";
    let expected: Vec<u32> = (0..32).map(|l| [7, 8, 7, 9][l % 4]).collect();
    assert_eq!(warp(&device, body), expected);
}

#[test]
fn functions_are_called_and_variables_found() {
    let device = Device::new();
    let text = module(
        ".global .align 4 .b32 table[3] = {10, 20, 30};
         .const .align 4 .f32 half = 0f3F000000;
         .func (.param .b32 result) twice(.param .b32 x) {
            .reg .b32 %r<3>; ld.param.u32 %r1, [x]; add.u32 %r2, %r1, %r1; st.param.b32 [result], %r2; ret;
         }
         .visible .entry k(.param .u64 out) {
            .reg .b32 %r<4>; .reg .b64 %rd<3>; .reg .f32 %f<3>;
            .local .align 4 .b8 depot[8];
            mov.u64 %rd1, table; ld.global.u32 %r1, [%rd1+8];
            { .param .b32 p; .param .b32 q; st.param.b32 [p], %r1; call.uni (q), twice, (p); ld.param.b32 %r2, [q]; }
            st.local.u32 [depot+4], %r2; ld.local.u32 %r2, [depot+4];
            ld.const.f32 %f1, [half]; cvt.rn.f32.u32 %f2, %r2; mul.f32 %f2, %f2, %f1;
            ld.param.u64 %rd2, [out]; st.global.f32 [%rd2], %f2; ret;
         }",
    );
    let out = device.allocate(4);
    assert_eq!(device.run(&text, "k", 1, 1, &[out]), 0);
    assert_eq!(device.download::<f32>(out, 1), [30.0]);
}

#[test]
fn vectors_and_atomics() {
    let device = Device::new();
    let text = module(
        ".visible .entry k(.param .u64 x, .param .u64 sum) {
            .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .f64 %fd<4>;
            mov.u32 %r1, %tid.x; ld.param.u64 %rd1, [x]; mad.wide.u32 %rd2, %r1, 16, %rd1;
            ld.global.v2.f64 {%fd1, %fd2}, [%rd2]; st.global.v2.f64 [%rd2], {%fd2, %fd1};
            ld.param.u64 %rd3, [sum]; red.global.add.u32 [%rd3], %r1; atom.global.max.u32 %r2, [%rd3+4], %r1;
            atom.global.cas.b32 %r3, [%rd3+8], 5, %r1; red.global.inc.u32 [%rd3+12], 9; ret;
        }",
    );
    let values: Vec<f64> = (0..128).map(f64::from).collect();
    let (x, sum) = (device.upload(&values), device.upload(&[0u32, 0, 5, 0]));
    assert_eq!(device.run(&text, "k", 1, 64, &[x, sum]), 0, "{:?}", device.faults());
    assert_eq!(device.download::<u32>(sum, 4), [2016, 63, 0, 4]);
    let swapped: Vec<f64> = (0..128).map(|i| (i ^ 1) as f64).collect();
    assert_eq!(device.download::<f64>(x, 128), swapped);
}

#[test]
fn barriers_reduce() {
    let device = Device::new();
    let text = module(
        ".visible .entry k(.param .u64 out) {
            .reg .b32 %r<6>; .reg .pred %p<4>; .reg .b64 %rd<3>;
            mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 40;
            bar.red.popc.u32 %r2, 0, %p1; bar.red.or.pred %p2, 0, %p1; bar.red.and.pred %p3, 0, !%p1;
            selp.u32 %r3, 100, 0, %p2; selp.u32 %r4, 1000, 0, %p3; add.u32 %r2, %r2, %r3; add.u32 %r2, %r2, %r4;
            ld.param.u64 %rd1, [out]; mad.wide.u32 %rd2, %r1, 4, %rd1; st.global.u32 [%rd2], %r2; ret;
        }",
    );
    let out = device.allocate(4 * 96);
    assert_eq!(device.run(&text, "k", 1, 96, &[out]), 0, "{:?}", device.faults());
    assert_eq!(device.download::<u32>(out, 96), [140; 96]);
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    let refused = |body: &str| {
        let text = module(&format!(".visible .entry k() {{\n.reg .b32 %r<3>; .reg .b64 %rd<3>;\n{body}\nret; }}"));
        parse(&text).map(drop).expect_err(body).to_string()
    };
    assert_eq!(refused("sad.u32 %r1, %r1, %r2, %r1;"), "PTX line 6: `sad.u32`: the opcode is not supported");
    assert_eq!(
        refused("ld.global.fancy.u32 %r1, [%rd1];"),
        "PTX line 6: `ld.global.fancy.u32`: the modifier `.fancy` is not supported here"
    );
    assert_eq!(refused("bra NOWHERE;"), "PTX line 7: no label `NOWHERE`");
    assert_eq!(refused("add.u32 %r1, %r9, %r2;"), "PTX line 6: `add.u32`: `%r9` is not known");
    assert_eq!(refused("add.u32 %r1, %r2;"), "PTX line 6: `add.u32`: operand 3 is missing");
    assert_eq!(
        refused("cp.async.ca.shared.global [%r1], [%rd1], 4;"),
        "PTX line 6: `cp.async.ca.shared.global`: a type is missing"
    );
    assert_eq!(refused(".texref t;"), "PTX line 6: the directive `.texref` is not supported");
    assert_eq!(refused("bar.sync 0, 64;"), "PTX line 6: `bar.sync`: a barrier of some of the threads is not supported");
}
