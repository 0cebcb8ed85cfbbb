//! The driver's rules: streams, events, capture, graphs, errors.

use super::{Device, module};
use crate::driver::*;
use std::ffi::{CString, c_void};

/// `x[t] += 1`.
const INCREMENT: &str = ".visible .entry increment(.param .u64 px) {
    .reg .b32 %r<4>; .reg .b64 %rd<4>;
    mov.u32 %r1, %tid.x; ld.param.u64 %rd1, [px]; mad.wide.u32 %rd2, %r1, 4, %rd1;
    ld.global.u32 %r2, [%rd2]; add.u32 %r2, %r2, 1; st.global.u32 [%rd2], %r2; ret;
}";

fn increment(device: &Device) -> usize {
    device.function(device.load(&module(INCREMENT)), "increment")
}

#[test]
fn work_waits_until_it_must_run() {
    for (schedule, before) in [("lazy", 0), ("eager", 1)] {
        let device = Device::with(&[("SWCUDA_SCHED", schedule)]);
        let f = increment(&device);
        let x = device.upload(&[0u32; 32]);
        assert_eq!(device.launch(f, 1, 32, &[x]), 0);
        assert_eq!(state().record.kernels.get("increment").map_or(0, |c| c.launches), before);
        assert_eq!(device.synchronize(), 0);
        assert_eq!(device.download::<u32>(x, 32), [1; 32]);
    }
}

#[test]
fn arguments_are_taken_at_the_call() {
    let device = Device::new();
    let f = increment(&device);
    let mut argument = device.upload(&[0u32; 32]);
    let x = argument;
    let pointers = [(&raw const argument).cast::<c_void>()];
    assert_eq!(cuLaunchKernel(f, 1, 1, 1, 32, 1, 1, 0, device.stream, pointers.as_ptr(), std::ptr::null()), 0);
    argument = 0;
    assert_eq!((argument, device.synchronize()), (0, 0));
    assert_eq!(device.download::<u32>(x, 32), [1; 32]);
}

#[test]
fn launches_that_can_not_be() {
    let device = Device::new();
    let f = increment(&device);
    let x = device.upload(&[0u32; 32]);
    assert_eq!(device.launch(f, 1, 2048, &[x]), 1);
    assert_eq!(device.launch(f, 0, 32, &[x]), 1);
    assert_eq!(device.launch(f + 1, 1, 32, &[x]), 400);
    let null: *const *const c_void = std::ptr::null();
    assert_eq!(cuLaunchKernel(f, 1, 1, 1, 32, 1, 1, 0, device.stream, null, null), 1);
    let some = [std::ptr::null()];
    assert_eq!(cuLaunchKernel(f, 1, 1, 1, 32, 1, 1, 0, device.stream, null, some.as_ptr()), 801);
    assert_eq!(cuLaunchKernel(f, 1, 1, 1, 32, 1, 1, 60_000, device.stream, null, null), 1);
}

#[test]
fn a_graph_replays_its_nodes() {
    let device = Device::new();
    let f = increment(&device);
    let x = device.upload(&[0u32; 32]);
    let (mut graph, mut executable) = (0, 0);
    assert_eq!(cuStreamBeginCapture_v2(device.stream, 1), 0);
    assert_eq!(device.launch(f, 1, 32, &[x]), 0);
    assert_eq!(device.launch(f, 1, 32, &[x]), 0);
    assert_eq!(cuStreamEndCapture(device.stream, &mut graph), 0);
    assert_eq!(cuGraphInstantiateWithFlags(&mut executable, graph, 0), 0);
    assert_eq!(device.download::<u32>(x, 1), [0]);
    for _ in 0..3 {
        assert_eq!(cuGraphLaunch(executable, device.stream), 0);
    }
    assert_eq!(device.synchronize(), 0);
    assert_eq!(device.download::<u32>(x, 1), [6]);
    assert_eq!((cuGraphExecDestroy(executable), cuGraphDestroy(graph)), (0, 0));
    let stream = device.stream;
    let launches: Vec<String> = device.log().into_iter().filter(|l| l.starts_with("cuGraphLaunch")).collect();
    assert_eq!(launches, vec![format!("cuGraphLaunch stream={stream:#x} nodes=2 [increment increment]"); 3]);
}

#[test]
fn what_a_capture_forbids() {
    let device = Device::new();
    let mut graph = 0;
    let spoilt = |forbidden: &dyn Fn() -> u32| {
        assert_eq!(cuStreamBeginCapture_v2(device.stream, 1), 0);
        let code = forbidden();
        let mut graph = 0;
        assert_eq!(cuStreamEndCapture(device.stream, &mut graph), if code == 0 { 0 } else { 901 });
        code
    };
    assert_eq!(spoilt(&|| cuStreamSynchronize(device.stream)), 900);
    assert_eq!(spoilt(&|| cuCtxSynchronize()), 900);
    assert_eq!(spoilt(&|| cuMemAlloc_v2(&mut 0, 64)), 900);
    assert_eq!(cuStreamBeginCapture_v2(0, 1), 900);
    assert_eq!(cuStreamEndCapture(device.stream, &mut graph), 1);
    // Waiting for what was recorded before the capture leads out of it.
    let mut event = 0;
    assert_eq!(cuEventCreate(&mut event, 2), 0);
    assert_eq!(cuEventRecord(event, device.stream), 0);
    assert_eq!(spoilt(&|| cuStreamWaitEvent(device.stream, event, 0)), 905);
}

#[test]
fn a_capture_over_two_streams_must_join() {
    for joins in [false, true] {
        let device = Device::new();
        let f = increment(&device);
        let x = device.upload(&[0u32; 32]);
        let (mut other, mut fork, mut join, mut graph) = (0, 0, 0, 0);
        assert_eq!(cuStreamCreate(&mut other, 1), 0);
        assert_eq!((cuEventCreate(&mut fork, 2), cuEventCreate(&mut join, 2)), (0, 0));
        assert_eq!(cuStreamBeginCapture_v2(device.stream, 1), 0);
        assert_eq!(cuEventRecord(fork, device.stream), 0);
        assert_eq!(cuStreamWaitEvent(other, fork, 0), 0);
        let pointers = [(&raw const x).cast::<c_void>()];
        assert_eq!(cuLaunchKernel(f, 1, 1, 1, 32, 1, 1, 0, other, pointers.as_ptr(), std::ptr::null()), 0);
        assert_eq!(cuEventRecord(join, other), 0);
        if joins {
            assert_eq!(cuStreamWaitEvent(device.stream, join, 0), 0);
        }
        assert_eq!(cuStreamEndCapture(device.stream, &mut graph), if joins { 0 } else { 904 });
    }
}

/// Two streams in a graph that write one number: where one waits for the other the graph says the same always, where
/// none does the order of the calls is not kept.
#[test]
fn a_graph_keeps_the_order_that_was_asked_for() {
    for waits in [true, false] {
        let device = Device::new();
        let f = increment(&device);
        let (x, y) = (device.upload(&[0u32; 32]), device.upload(&[7u32; 32]));
        let (mut other, mut graph, mut executable) = (0, 0, 0);
        let mut events = [0; 3];
        assert_eq!(cuStreamCreate(&mut other, 1), 0);
        events.iter_mut().for_each(|event| assert_eq!(cuEventCreate(event, 2), 0));
        let [fork, copied, join] = events;
        assert_eq!(cuStreamBeginCapture_v2(device.stream, 1), 0);
        assert_eq!(cuEventRecord(fork, device.stream), 0);
        assert_eq!(cuStreamWaitEvent(other, fork, 0), 0);
        // x becomes y, and on the other stream one more.
        assert_eq!(cuMemcpyDtoDAsync_v2(x, y, 128, device.stream), 0);
        assert_eq!(cuEventRecord(copied, device.stream), 0);
        if waits {
            assert_eq!(cuStreamWaitEvent(other, copied, 0), 0);
        }
        let pointers = [(&raw const x).cast::<c_void>()];
        assert_eq!(cuLaunchKernel(f, 1, 1, 1, 32, 1, 1, 0, other, pointers.as_ptr(), std::ptr::null()), 0);
        assert_eq!(cuEventRecord(join, other), 0);
        assert_eq!(cuStreamWaitEvent(device.stream, join, 0), 0);
        assert_eq!(cuStreamEndCapture(device.stream, &mut graph), 0);
        assert_eq!(cuGraphInstantiateWithFlags(&mut executable, graph, 0), 0);
        assert_eq!(cuGraphLaunch(executable, device.stream), 0);
        assert_eq!(device.synchronize(), 0);
        // Late as it is, the device takes the last of what may be next.
        assert_eq!(device.download::<u32>(x, 1), [if waits { 8 } else { 7 }]);
    }
}

#[test]
fn events_order_streams() {
    for waits in [true, false] {
        let device = Device::new();
        let (mut x, mut other, mut event) = (0, 0, 0);
        assert_eq!(cuStreamCreate(&mut other, 1), 0);
        assert_eq!(cuEventCreate(&mut event, 2), 0);
        assert_eq!(cuMemAllocAsync(&mut x, 64, device.stream), 0);
        assert_eq!(cuMemsetD8Async(x, 7, 64, device.stream), 0);
        assert_eq!(cuEventRecord(event, device.stream), 0);
        if waits {
            assert_eq!(cuStreamWaitEvent(other, event, 0), 0);
        }
        let mut host = [0u8; 64];
        // Without the wait, the memory does not even exist for the other stream.
        let code = cuMemcpyDtoHAsync_v2(host.as_mut_ptr().cast(), x, 64, other);
        assert_eq!(code, if waits { 0 } else { 700 });
        assert_eq!(host, [if waits { 7 } else { 0 }; 64]);
    }
}

#[test]
fn pinned_memory_is_read_when_the_copy_runs() {
    let device = Device::new();
    let (mut pinned, x) = (std::ptr::null_mut(), device.allocate(4));
    assert_eq!(cuMemHostAlloc(&mut pinned, 4, 0), 0);
    // SAFETY: four bytes that the device gave to the host.
    unsafe { pinned.cast::<u32>().write(1) };
    assert_eq!(cuMemcpyHtoDAsync_v2(x, pinned, 4, device.stream), 0);
    // SAFETY: as above.
    unsafe { pinned.cast::<u32>().write(2) };
    assert_eq!(device.synchronize(), 0);
    assert_eq!(device.download::<u32>(x, 1), [2]);
    assert_eq!(cuMemFreeHost(pinned), 0);
}

#[test]
fn the_log_tells_what_waits() {
    let device = Device::new();
    let (x, stream) = (device.upload(&[1u32; 4]), device.stream);
    let mut host = [0u32; 4];
    assert_eq!(cuMemcpyDtoHAsync_v2(host.as_mut_ptr().cast(), x, 16, stream), 0);
    assert_eq!(cuStreamSynchronize(stream), 0);
    assert_eq!(cuMemcpyDtoDAsync_v2(x, x + 16, 16, stream), 1);
    let log = device.log();
    let expected = [
        format!("cuMemcpyDtoHAsync_v2 DtoH bytes=16 pageable stream={stream:#x} sync"),
        format!("cuStreamSynchronize stream={stream:#x} sync"),
        format!("cuMemcpyDtoDAsync_v2 DtoD bytes=16 stream={stream:#x} = 1"),
    ];
    assert_eq!(log[log.len() - 3..], expected);
}

#[test]
fn calls_fail_where_they_are_told_to() {
    let device = Device::with(&[("SWCUDA_FAIL", "cuMemAlloc_v2:2:2")]);
    let mut at = 0;
    assert_eq!(cuMemAlloc_v2(&mut at, 4), 0);
    assert_eq!(cuMemAlloc_v2(&mut at, 4), 2);
    assert_eq!(cuMemAlloc_v2(&mut at, 4), 0);
    assert_eq!(device.leaks().iter().find(|l| l.0 == "device_memory"), Some(&("device_memory", 2)));
}

#[test]
fn memory_has_an_end() {
    let device = Device::with(&[("SWCUDA_MEM", "1000")]);
    let mut at = 0;
    assert_eq!(cuMemAlloc_v2(&mut at, 1001), 2);
    assert_eq!(cuMemAlloc_v2(&mut at, 600), 0);
    assert_eq!(cuMemAllocAsync(&mut at, 600, device.stream), 2);
}

#[test]
fn modules_that_can_not_be_loaded() {
    let device = Device::with(&[("SWCUDA_DRIVER", "12.9")]);
    let load = |text: &str| {
        let (text, mut module) = (CString::new(text).unwrap(), 0);
        cuModuleLoadData(&mut module, text.as_ptr().cast())
    };
    let header = |version: &str, target: &str| format!(".version {version}\n.target {target}\n.address_size 64\n");
    assert_eq!(load(&header("8.8", "sm_90")), 0);
    assert_eq!(load(&header("9.0", "sm_90")), 222);
    assert_eq!(load(&header("8.0", "sm_100")), 209);
    assert_eq!(load(&header("8.0", "sm_90a")), 209);
    assert_eq!(load("\x7fELF"), 209);
    assert_eq!(load(&(header("8.0", "sm_80") + ".visible .entry k() { wmma.load.a.f32 %r1; }")), 218);
    assert!(device.log().last().unwrap().contains("PTX line 4: `wmma.load.a.f32`"), "{:?}", device.log().last());
}

#[test]
fn without_a_device() {
    let device = Device::new();
    *state() = State::new(crate::config::Config::read(|n| (n == "SWCUDA_DEVICES").then(|| "0".into())));
    let mut count = 9;
    assert_eq!(cuDeviceGetCount(&mut count), 3);
    assert_eq!(cuInit(0), 100);
    drop(device);
}

#[test]
fn errors_have_names() {
    let mut text = std::ptr::null();
    assert_eq!(errors::cuGetErrorName(716, &mut text), 0);
    // SAFETY: a constant text.
    let name = unsafe { std::ffi::CStr::from_ptr(text) };
    assert_eq!(name, c"CUDA_ERROR_MISALIGNED_ADDRESS");
    assert_eq!(errors::cuGetErrorName(12345, &mut text), 1);
    assert!(text.is_null());
}

/// In a process of its own, which ends as programs do that stop early.
#[test]
fn report_and_log_are_written_at_exit() {
    if std::env::var_os("SWCUDA_TEST_CHILD").is_some() {
        let (mut context, mut at) = (0, 0);
        assert_eq!((cuInit(0), cuDevicePrimaryCtxRetain(&mut context, 0), cuCtxSetCurrent(context)), (0, 0, 0));
        assert_eq!(cuMemAllocAsync(&mut at, 64, 0), 0);
        std::process::exit(3);
    }
    let file = |kind: &str| std::env::temp_dir().join(format!("swcuda-{}-{kind}", std::process::id()));
    let (report, log) = (file("report"), file("log"));
    let program = std::env::current_exe().expect("a test is a program");
    let status = std::process::Command::new(program)
        .args(["--exact", "tests::driver::report_and_log_are_written_at_exit"])
        .envs([
            ("SWCUDA_TEST_CHILD", "1".as_ref()),
            ("SWCUDA_REPORT", report.as_os_str()),
            ("SWCUDA_LOG", log.as_os_str()),
        ])
        .output()
        .expect("the program starts")
        .status;
    assert_eq!(status.code(), Some(3));
    let [report, log] = [report, log].map(|path| {
        let text = std::fs::read_to_string(&path).expect("the file was written");
        std::fs::remove_file(&path).expect("the file was written");
        text
    });
    assert!(report.contains("\"contexts\": 1, \"device_memory\": 1, \"pinned_memory\": 0"), "{report}");
    let lines: Vec<&str> = log.lines().collect();
    let expected = ["cuInit", "cuDevicePrimaryCtxRetain", "cuCtxSetCurrent", "cuMemAllocAsync bytes=64 stream=0x0"];
    assert_eq!(lines, expected);
}
