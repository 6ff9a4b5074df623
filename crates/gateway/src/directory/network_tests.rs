use std::net::IpAddr;

use super::Network;

fn contains(network: &str, address: &str) -> bool {
    Network::parse(network).unwrap().contains(address.parse::<IpAddr>().unwrap())
}

#[test]
fn an_address_is_in_the_networks_that_hold_it() {
    for (network, inside, outside) in [
        ("10.0.0.0/8", "10.255.1.2", "11.0.0.1"),
        ("192.168.1.7", "192.168.1.7", "192.168.1.8"),
        ("0.0.0.0/0", "8.8.8.8", "::1"),
        ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
        ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
    ] {
        assert!(contains(network, inside), "{inside} in {network}");
        assert!(!contains(network, outside), "{outside} not in {network}");
    }
}

#[test]
fn what_is_no_network_is_none() {
    for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "example.com", "10.0.0.1/-1"] {
        assert_eq!(Network::parse(text), None, "{text}");
    }
}
