//! Which addresses are public.
//!
//! An allow-list of what the registries hand out to hosts would be long and would change; this is the list of
//! what they keep back (IANA special-purpose registries), with every way to write an IPv4 address in IPv6 undone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether packets to `address` leave for the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let kept_back = match (a, b, c) {
        // This network, private use, loopback, link-local (metadata services), private use.
        (0 | 10 | 127, ..) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Shared by carriers (and by cloud metadata: 100.100.100.200).
        (100, 64..=127, _) => true,
        // Protocol assignments, documentation, 6to4 relays, benchmarking.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        // AS112 answers for private names; direct delegation and AMT are no hosts of anybody.
        (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => true,
        // Azure's wire server: reachable from every virtual machine there and from nowhere else.
        (168, 63, 129) => address == Ipv4Addr::new(168, 63, 129, 16),
        // Multicast, reserved, broadcast.
        (224.., ..) => true,
        _ => false,
    };
    !kept_back
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [high, low] = [segments[6], segments[7]].map(u16::to_be_bytes);
    let last = Ipv4Addr::new(high[0], high[1], low[0], low[1]);
    match segments {
        // NAT64 leads to an IPv4 address (RFC 6052): how clusters without IPv4 reach most hosts. The local-use
        // prefix (RFC 8215) leads wherever its network wants.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(last),
        [0x64, 0xff9b, 1, ..] => false,
        // Teredo, ORCHID and benchmarking (2001::/23), documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // 6to4 is given up (RFC 7526), and holds the IPv4 address of its relay.
        [0x2002, ..] => false,
        // ISATAP writes an IPv4 address into the interface's half.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => false,
        // All that is handed out; the rest is loopback, mapped and compatible IPv4, unique local (fd00:ec2::254),
        // link-local, site-local, multicast or not handed out yet.
        [0x2000..=0x3fff, ..] => true,
        [0, 0, 0, 0, 0, 0xffff, ..] => is_public_v4(last),
        _ => false,
    }
}

/// Whether `address` hands out credentials to whoever asks: never reached on behalf of a caller, not even by
/// a name that is allowed.
pub(super) fn is_metadata(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let own = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
            address.is_link_local() || own.contains(&address)
        }
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || matches!(address.segments(), [0xfd00, 0xec2, ..])
        }
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
