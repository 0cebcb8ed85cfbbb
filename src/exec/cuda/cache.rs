//! What was compiled, kept for the next run. An entry holds its whole key, so that a name that stands for two
//! keys costs a compilation and no more; what it holds is hashed, so that half a file is no entry.
//!
//! ```text
//! MAGIC, FNV-1a of all that follows, the lengths of key, image and log, then these
//! ```
//!
//! Numbers are 64 bits, little end first.

use super::nvrtc::Compiled;

/// Where compiled modules are kept. Losing an entry costs time alone, so neither way reports a failure.
pub trait Cache {
    /// The bytes last put under a name of letters, digits, `-` and `.`, if they are still there.
    fn get(&self, name: &str) -> Option<Vec<u8>>;

    /// Keeps bytes under a name.
    fn put(&self, name: &str, bytes: &[u8]);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uncached;

impl Cache for Uncached {
    fn get(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn put(&self, _: &str, _: &[u8]) {}
}

/// Begins every entry; another layout has another number.
const MAGIC: &[u8; 8] = b"admmcu01";

/// The name under which a key is kept.
pub(super) fn name(key: &str) -> String {
    format!("{:016x}.bin", hash(key.as_bytes()))
}

/// An entry.
pub(super) fn pack(key: &str, compiled: &Compiled) -> Vec<u8> {
    let parts = [key.as_bytes(), &compiled.image, compiled.log.as_bytes()];
    let mut body: Vec<u8> = parts.iter().flat_map(|part| (part.len() as u64).to_le_bytes()).collect();
    parts.iter().for_each(|part| body.extend_from_slice(part));
    [MAGIC.as_slice(), &hash(&body).to_le_bytes(), &body].concat()
}

/// What was compiled for this key, if the entry is whole and is of this key.
pub(super) fn unpack(entry: &[u8], key: &str) -> Option<Compiled> {
    let (found, body) = entry.strip_prefix(MAGIC)?.split_first_chunk()?;
    if u64::from_le_bytes(*found) != hash(body) {
        return None;
    }
    let (lengths, mut rest) = body.split_first_chunk::<24>()?;
    let mut parts = lengths.chunks_exact(8).map(|length| {
        let length = u64::from_le_bytes(length.try_into().expect("a chunk of eight"));
        let (part, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        rest = after;
        Some(part)
    });
    let (of, image, log) = (parts.next()??, parts.next()??, parts.next()??);
    let whole = of == key.as_bytes() && rest.is_empty();
    whole.then(|| Compiled { image: image.to_vec(), log: String::from_utf8_lossy(log).into_owned() })
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_whole_or_none() {
        let compiled = Compiled { image: vec![0, 1, 255, 0], log: "ptxas info\n".to_owned() };
        let entry = pack("source", &compiled);
        assert_eq!(unpack(&entry, "source"), Some(compiled));
        assert_eq!(unpack(&entry, "another source"), None);
        for at in 0..entry.len() {
            assert_eq!(unpack(&entry[..at], "source"), None, "cut at {at}");
            let mut bent = entry.clone();
            bent[at] ^= 1;
            assert_eq!(unpack(&bent, "source"), None, "bent at {at}");
        }
        assert_eq!(unpack(&[entry.as_slice(), b"x"].concat(), "source"), None);
    }

    /// Lengths that point past the end are read for what they are, even under a hash that holds.
    #[test]
    fn lengths_are_not_trusted() {
        for length in [u64::MAX, 1 << 40, 7] {
            let body = [length.to_le_bytes(), [0; 8], [0; 8]].concat();
            let entry = [MAGIC.as_slice(), &hash(&body).to_le_bytes(), &body].concat();
            assert_eq!(unpack(&entry, ""), None);
        }
    }

    /// Landon Curt Noll's test vectors.
    #[test]
    fn hashes() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(name("foobar"), "85944171f73967e8.bin");
    }
}
