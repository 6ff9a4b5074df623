//! Which deployment a session belongs to: rendezvous hashing, so that one that goes away moves its own sessions only,
//! and gets them back. Every process of every version finds the same one. Not here: what names a session.

use super::moment::mix;

/// A stable hash of a text (FNV-1a, mixed).
#[must_use]
pub fn hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// How much a session wants a deployment of this share; the highest is its own. Shares are in proportion to how many
/// sessions a deployment gets; 0 gets one only if all others are away.
#[must_use]
pub fn affinity(session: u64, deployment: u64, share: u64) -> f64 {
    // 53 bits, so that the result is between 0 and 1 and neither of them.
    let uniform = ((mix(session ^ deployment.rotate_left(32)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    if share == 0 { uniform - 1.0 } else { share as f64 / -uniform.ln() }
}
