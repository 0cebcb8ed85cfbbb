//! What the environment asks of the device.
//!
//! | variable | meaning | default |
//! | --- | --- | --- |
//! | `SWCUDA_SCHED` | when streams run: `lazy` (as late as allowed), `eager`, `random` | `lazy` |
//! | `SWCUDA_ORDER` | order of blocks and of a block's warps: `forward`, `reverse`, `random` | `forward` |
//! | `SWCUDA_SEED` | of what is random | 12345 |
//! | `SWCUDA_RACES` | 0: don't look for races | 1 |
//! | `SWCUDA_UNWRITTEN` | 0: reads of bytes that nobody wrote are allowed (they are 0xff) | 1 |
//! | `SWCUDA_STRICT_BAR` | 0: barriers may be met at different places or after threads have left | 1 |
//! | `SWCUDA_LIMIT` | instructions of warps that a launch may take | 1000000000 |
//! | `SWCUDA_MEM` | bytes of device memory | 4 GiB |
//! | `SWCUDA_DEVICES` | how many devices there are | 1 |
//! | `SWCUDA_POOLS` | 0: no stream-ordered allocation | 1 |
//! | `SWCUDA_CC` | compute capability | 9.9 |
//! | `SWCUDA_DRIVER` | version of the driver, as 13.0 or 13000; later PTX is refused | 13.0 |
//! | `SWCUDA_FAIL` | `name:n:code,...`: the n-th call of a name returns the code | |
//! | `SWCUDA_REPORT` | file for the report at exit, in JSON | |
//! | `SWCUDA_LOG` | file for the log, a line a call | |
//! | `SWCUDA_QUIET` | 1: faults are not told on the standard error stream | 0 |

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Schedule {
    Lazy,
    Eager,
    Random,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    Forward,
    Reverse,
    Random,
}

/// What the interpreter is told.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub order: Order,
    pub seed: u64,
    pub races: bool,
    pub unwritten: bool,
    pub strict_barriers: bool,
    pub limit: u64,
}

/// A call that is to fail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub name: String,
    pub nth: u64,
    pub code: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub schedule: Schedule,
    pub machine: Machine,
    pub memory: usize,
    pub devices: i32,
    pub pools: bool,
    pub capability: (i32, i32),
    /// As CUDA writes it: 13000 is 13.0.
    pub driver: i32,
    pub failures: Vec<Failure>,
    pub report: Option<String>,
    pub log: Option<String>,
    pub quiet: bool,
}

impl Config {
    pub fn from_environment() -> Config {
        Config::read(|name| std::env::var(name).ok())
    }

    pub fn read(get: impl Fn(&str) -> Option<String>) -> Config {
        let text = |name: &str| get(name).unwrap_or_default();
        let number = |name: &str, or: u64| text(name).trim().parse().unwrap_or(or);
        let pair = |name: &str, or: (i32, i32)| {
            let text = text(name);
            let (a, b) = text.split_once('.').unwrap_or((&text, "0"));
            a.parse().ok().zip(b.parse().ok()).unwrap_or(or)
        };
        let (major, minor) = pair("SWCUDA_DRIVER", (13, 0));
        Config {
            schedule: match &text("SWCUDA_SCHED")[..] {
                "eager" => Schedule::Eager,
                "random" => Schedule::Random,
                _ => Schedule::Lazy,
            },
            machine: Machine {
                order: match &text("SWCUDA_ORDER")[..] {
                    "reverse" => Order::Reverse,
                    "random" => Order::Random,
                    _ => Order::Forward,
                },
                seed: number("SWCUDA_SEED", 12345),
                races: number("SWCUDA_RACES", 1) != 0,
                unwritten: number("SWCUDA_UNWRITTEN", 1) != 0,
                strict_barriers: number("SWCUDA_STRICT_BAR", 1) != 0,
                limit: number("SWCUDA_LIMIT", 1_000_000_000),
            },
            memory: number("SWCUDA_MEM", 4 << 30) as usize,
            devices: number("SWCUDA_DEVICES", 1) as i32,
            pools: number("SWCUDA_POOLS", 1) != 0,
            capability: pair("SWCUDA_CC", (9, 9)),
            driver: if major < 1000 { major * 1000 + minor * 10 } else { major },
            failures: text("SWCUDA_FAIL").split(',').filter_map(failure).collect(),
            report: get("SWCUDA_REPORT"),
            log: get("SWCUDA_LOG"),
            quiet: number("SWCUDA_QUIET", 0) != 0,
        }
    }

    /// The latest PTX that the driver reads (PTX ISA, release notes).
    pub fn latest_ptx(&self) -> (u32, u32) {
        let (major, minor) = ((self.driver / 1000) as u32, (self.driver % 1000 / 10) as u32);
        match (major, minor) {
            (12, 0..=5) => (8, minor),
            (12, 6) => (8, 5),
            (12, 7) => (8, 6),
            (12, 8) => (8, 7),
            (12, _) => (8, 8),
            (13.., _) => (major - 4, minor),
            _ => (7, minor),
        }
    }
}

fn failure(text: &str) -> Option<Failure> {
    let mut parts = text.trim().split(':');
    let (name, nth, code) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Failure { name: name.to_string(), nth, code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_defaults() {
        let c = Config::read(|name| match name {
            "SWCUDA_DRIVER" => Some("12.9".into()),
            "SWCUDA_FAIL" => Some("cuMemAllocAsync:3:2, cublasDgemm_v2:1:13".into()),
            "SWCUDA_CC" => Some("9.0".into()),
            _ => None,
        });
        assert_eq!((c.driver, c.latest_ptx(), c.capability), (12090, (8, 8), (9, 0)));
        assert_eq!(c.failures[1], Failure { name: "cublasDgemm_v2".into(), nth: 1, code: 13 });
        let c = Config::read(|name| (name == "SWCUDA_DRIVER").then(|| "12080".into()));
        assert_eq!((c.driver, c.latest_ptx()), (12080, (8, 7)));
        let c = Config::read(|_| None);
        assert_eq!((c.driver, c.latest_ptx(), c.devices), (13000, (9, 0), 1));
        assert_eq!(c.schedule, Schedule::Lazy);
    }
}
