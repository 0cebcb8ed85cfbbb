//! Planted faults: each must be found, as what it is, where it is.

use super::Device;
use super::nvrtc::compile;
use crate::driver::*;
use crate::machine::fault::{Fault, FaultKind};

const PTX: &str = include_str!("faults.ptx");
const CUDA: &str = include_str!("faults.cu");
const N: usize = 256;

/// The module as written by hand and, where NVRTC is at hand, as compiled from CUDA C.
fn modules() -> Vec<String> {
    [Some(PTX.to_string()), compile(CUDA, "faults.cu")].into_iter().flatten().collect()
}

/// Runs a kernel of each module on x, written, and y, not written; gives what each found.
fn run(name: &str, grid: u32, settings: &[(&str, &str)]) -> Vec<Fault> {
    let mut found = Vec::new();
    for text in modules() {
        let device = Device::with(settings);
        let (x, y) = (device.upload(&[1f32; N]), device.allocate(8 * N));
        let code = device.run(&text, name, grid, N as u32, &[x, y, N as u64]);
        let faults = device.faults();
        assert_eq!(faults.len(), 1, "{name}: {faults:?}");
        assert_eq!(code, faults[0].kind.code());
        // Nothing works on a broken device.
        assert_eq!(cuCtxSynchronize(), code);
        found.push(faults[0].clone());
    }
    found
}

fn finds(name: &str, grid: u32, kind: FaultKind) {
    for order in ["forward", "reverse", "random"] {
        for fault in run(name, grid, &[("SWCUDA_ORDER", order), ("SWCUDA_LIMIT", "100000")]) {
            assert_eq!(fault.kind, kind, "{name}, {order}: {fault}");
            let location = fault.location.expect(name);
            assert_eq!(location.kernel, name);
        }
    }
}

#[test]
fn an_index_that_is_one_too_large() {
    finds("off_by_one", 2, FaultKind::OutOfBounds);
    for fault in run("off_by_one", 2, &[]) {
        let l = fault.location.expect("a kernel's fault");
        assert_eq!((l.block, l.thread), ([1, 0, 0], Some([0, 0, 0])));
        // NVRTC writes the path in full.
        let (file, line) = l.source.expect("the module has line information");
        assert!(file.ends_with("faults.cu") && line == 13, "{file}:{line}");
        assert!(fault.text.contains("4 bytes past the end of an allocation of 1024 bytes"), "{}", fault.text);
    }
}

#[test]
fn a_missing_barrier_before_a_read() {
    finds("read_before_barrier", 1, FaultKind::SharedRace);
}

#[test]
fn a_missing_barrier_before_a_write() {
    finds("write_before_barrier", 1, FaultKind::SharedRace);
}

#[test]
fn a_read_of_what_nobody_wrote() {
    finds("copy_back", 1, FaultKind::Unwritten);
    finds("unset_tile", 1, FaultKind::Unwritten);
}

#[test]
fn a_write_of_several_blocks() {
    finds("all_write_one", 2, FaultKind::GlobalRace);
}

#[test]
fn a_missing_barrier_between_steps_in_global_memory() {
    finds("neighbour", 1, FaultKind::BlockRace);
}

#[test]
fn barriers_that_part() {
    finds("two_barriers", 1, FaultKind::DivergentBarrier);
    finds("left_early", 1, FaultKind::DivergentBarrier);
}

#[test]
fn a_misaligned_address() {
    finds("misaligned", 1, FaultKind::Misaligned);
}

#[test]
fn shared_memory_that_is_too_small() {
    finds("beyond_tile", 1, FaultKind::SharedOutOfBounds);
}

#[test]
fn a_loop_without_end() {
    finds("spin", 1, FaultKind::EndlessLoop);
}

#[test]
fn lanes_that_are_missing_from_a_shuffle() {
    finds("half_a_warp", 1, FaultKind::WarpMembers);
}

#[test]
fn arguments_in_the_wrong_order() {
    for text in modules() {
        let device = Device::new();
        let (x, y) = (device.upload(&[1f32; N]), device.upload(&[0f32; 2 * N]));
        assert_eq!(device.run(&text, "spread", 1, N as u32, &[x, y, N as u64]), 0);
        assert_eq!(device.run(&text, "spread", 1, N as u32, &[y, x, N as u64]), 700);
        assert_eq!(device.faults()[0].kind, FaultKind::OutOfBounds);
    }
}

#[test]
fn memory_that_was_freed() {
    for text in modules() {
        let device = Device::new();
        let (x, y) = (device.upload(&[1f32; N]), device.upload(&[0f32; 2 * N]));
        assert_eq!(cuMemFree_v2(x), 0);
        assert_eq!(device.run(&text, "spread", 1, N as u32, &[x, y, N as u64]), 700);
        assert_eq!(device.faults()[0].kind, FaultKind::UseAfterFree);
    }
}

/// The last block may read what the others left, if they made it visible first.
#[test]
fn the_fence_of_the_last_block() {
    for text in modules() {
        for (fence, kind) in [(1, None), (0, Some(FaultKind::GlobalRace))] {
            let device = Device::new();
            let (x, y) = (device.upload(&[0f32; 2]), device.upload(&[0u32; 2]));
            device.run(&text, "last_block", 2, 32, &[x, y, fence]);
            assert_eq!(device.faults().first().map(|f| f.kind), kind);
        }
    }
}

#[test]
fn checks_can_be_turned_off() {
    let device = Device::with(&[("SWCUDA_RACES", "0"), ("SWCUDA_UNWRITTEN", "0")]);
    let (x, y) = (device.upload(&[1f32; N]), device.allocate(8 * N));
    for name in ["read_before_barrier", "copy_back", "all_write_one", "unset_tile"] {
        assert_eq!(device.run(PTX, name, 2, N as u32, &[x, y, N as u64]), 0, "{name}");
    }
}

#[test]
fn a_copy_of_what_nobody_wrote() {
    let device = Device::new();
    let (from, to) = (device.allocate(16), device.allocate(16));
    // Within the device it is allowed, and the copy is as unwritten.
    assert_eq!(cuMemcpyDtoD_v2(to, from, 16), 0);
    let mut host = [0u8; 16];
    assert_eq!(cuMemcpyDtoH_v2(host.as_mut_ptr().cast(), to, 16), 719);
    assert_eq!(device.faults()[0].kind, FaultKind::Unwritten);
}

#[test]
fn leaks_are_counted() {
    let device = Device::new();
    device.load(PTX);
    let (kept, freed) = (device.allocate(100), device.allocate(50));
    assert_eq!(cuMemFree_v2(freed), 0);
    let mut event = 0;
    assert_eq!(cuEventCreate(&mut event, 2), 0);
    let held = [("contexts", 1), ("device_memory", 1), ("modules", 1), ("streams", 1), ("events", 1)];
    assert_eq!(device.leaks(), held);
    assert!(device.report().contains("\"leaked_allocations\": [{\"bytes\": 100, \"call\": \"cuMemAlloc_v2\"}]"));
    assert_eq!(cuMemFree_v2(kept), 0);
    assert!(!device.leaks().contains(&("device_memory", 1)));
}

/// What is given back after a fault is no leak.
#[test]
fn a_broken_device_takes_things_back() {
    let device = Device::new();
    let (x, y) = (device.upload(&[1f32; N]), device.allocate(8 * N));
    assert_eq!(device.run(PTX, "misaligned", 1, 32, &[x, y, 0]), 716);
    assert_eq!(cuMemFree_v2(x), 716);
    assert_eq!(cuMemFreeAsync(y, device.stream), 716);
    assert_eq!(cuStreamDestroy_v2(device.stream), 716);
    assert_eq!(device.leaks(), [("contexts", 1), ("modules", 1)]);
}
