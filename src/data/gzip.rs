//! Gzip streams (RFC 1952), one member or several, in whole.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::errors::Fault;
use super::files::MAX_BYTES;

/// Whether these are the first bytes of a gzip stream.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The bytes that were packed. Memory grows with what comes out, never with what is claimed.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    match MultiGzDecoder::new(packed).take(MAX_BYTES + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > MAX_BYTES => Err(Fault::malformed("it unpacks to more than 16 GiB")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Fault::malformed(format!("the gzip stream is damaged ({error})"))),
    }
}
