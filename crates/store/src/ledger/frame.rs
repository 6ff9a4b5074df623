//! One record on the disk: length, checksum, payload. What a payload means is in [`super::codec`].

use super::charge::Charge;
use super::codec;

/// The length and the checksum.
const HEAD_BYTES: usize = 8;
/// Room for versions that say more; today's longest payload has under 15 KiB.
const MAX_PAYLOAD_BYTES: usize = 16 << 10;
/// The longest record.
pub(super) const MAX_BYTES: usize = HEAD_BYTES + MAX_PAYLOAD_BYTES;

/// The record of a charge, with zeros for the checksum: its place is not known yet.
pub(super) fn unstamped(charge: &Charge<'_>) -> Vec<u8> {
    let mut frame = Vec::with_capacity(768);
    frame.resize(HEAD_BYTES, 0);
    codec::encode(charge, &mut frame);
    let length = (frame.len() - HEAD_BYTES) as u32;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame
}

/// Fills in the checksum of the record `frame`, which will stand at `offset` of the segment `number`.
pub(super) fn stamp(frame: &mut [u8], number: u64, offset: u64) {
    let checksum = checksum(frame, number, offset).to_le_bytes();
    frame[4..HEAD_BYTES].copy_from_slice(&checksum);
}

/// The payload of the record that `bytes` begin with, if it is valid at `offset` of the segment `number`.
pub(super) fn open(bytes: &[u8], number: u64, offset: u64) -> Option<&[u8]> {
    let frame = bytes.get(..HEAD_BYTES + payload_bytes(bytes)?)?;
    let written = u32::from_le_bytes(frame[4..HEAD_BYTES].try_into().ok()?);
    (written == checksum(frame, number, offset)).then_some(&frame[HEAD_BYTES..])
}

/// How long the record of a payload is.
pub(super) const fn bytes(payload: &[u8]) -> usize {
    HEAD_BYTES + payload.len()
}

fn payload_bytes(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    (1..=MAX_PAYLOAD_BYTES).contains(&length).then_some(length)
}

fn checksum(frame: &[u8], number: u64, offset: u64) -> u32 {
    let mut place = [0; 20];
    place[..8].copy_from_slice(&number.to_le_bytes());
    place[8..16].copy_from_slice(&offset.to_le_bytes());
    place[16..].copy_from_slice(&frame[..4]);
    crc32c::crc32c_append(crc32c::crc32c(&place), &frame[HEAD_BYTES..])
}
