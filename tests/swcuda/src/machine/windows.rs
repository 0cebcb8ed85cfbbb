//! Generic addresses: where shared, local and parameter memory lie among those of global memory.

use crate::ptx::ir::Space;

const SHARED: u64 = 0x1_0000_0000;
const LOCAL: u64 = 0x2_0000_0000;
const PARAMETER: u64 = 0x3_0000_0000;
const LENGTH: u64 = 1 << 24;

/// The generic address of the first byte of a space.
pub(crate) fn base(space: Space) -> u64 {
    match space {
        Space::Shared => SHARED,
        Space::Local => LOCAL,
        Space::Parameter => PARAMETER,
        _ => 0,
    }
}

/// The space of a generic address, and the address in it.
#[inline(always)]
pub(crate) fn locate(address: u64) -> (Space, u64) {
    for space in [Space::Shared, Space::Local, Space::Parameter] {
        let offset = address.wrapping_sub(base(space));
        if offset < LENGTH {
            return (space, offset);
        }
    }
    (Space::Global, address)
}
