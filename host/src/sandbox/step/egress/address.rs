//! Which addresses the world is at, and which lead back into the operator's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is to whoever does not own the network that the host stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Anybody's.
    Public,
    /// The host's own, or its network's: only where the policy lets that name lead there.
    Private(&'static str),
    /// Tells whoever asks what the machine may do: only where the policy names the very address.
    Metadata(&'static str),
    /// Nobody's, or everybody's.
    Never(&'static str),
}

use Standing::{Metadata, Never, Private, Public};

const METADATA: &str = "an address that tells of the machine";
const LINK_LOCAL: &str = "a link-local address";
const RESERVED: &str = "a reserved address";
const UNIQUE_LOCAL: &str = "a unique-local address";

/// Where an address stands. An IPv4 address within an IPv6 one is taken out first.
pub(super) fn standing(address: IpAddr) -> Standing {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => of_v4(inner),
            None => of_v6(address),
        },
    }
}

fn of_v4(address: Ipv4Addr) -> Standing {
    match address.octets() {
        [127, ..] => Private("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => {
            Private("an address of a private network")
        }
        [100, 100, 100, 200] | [169, 254, 169, 254] | [168, 63, 129, 16] => Metadata(METADATA),
        // Among them the others at which clouds tell: nothing else of use is there.
        [169, 254, ..] => Metadata(LINK_LOCAL),
        [100, 64..=127, ..] => Private("an address shared behind a provider's NAT"),
        [198, 18..=19, ..] => Private("an address for benchmarks"),
        [0, ..] => Never("the unspecified address, which means this machine"),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Never(RESERVED)
        }
        [224..=239, ..] => Never("a multicast address"),
        [240..=255, ..] => Never(RESERVED),
        _ => Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Standing {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never("the unspecified address, which means this machine"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Private("a loopback address"),
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, ..] => Metadata(METADATA),
        [0xfc00..=0xfdff, ..] => Private(UNIQUE_LOCAL),
        [0xfe80..=0xfebf, ..] => Metadata(LINK_LOCAL),
        [0xfec0..=0xfeff, ..] => Private("a site-local address"),
        [0xff00..=0xffff, ..] => Never("a multicast address"),
        // Teredo, benchmarks, documentation, and what is not assigned.
        [0x2001, 0x0000..=0x01ff | 0x0db8, ..] | [0x3fff, 0x0000..=0x0fff, ..] => Never(RESERVED),
        [0x2000..=0x3fff, ..] => Public,
        _ => Never(RESERVED),
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, translated (NAT64) or tunnelled (6to4).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => inner(high, low),
        // Except for :: and ::1, which are addresses of IPv6.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => inner(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Standing {
        standing(text.parse().unwrap())
    }

    #[test]
    fn what_leads_into_the_own_network_is_not_public() {
        for text in [
            "127.0.0.1",
            "127.255.0.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.1.1",
            "198.18.0.1",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "::ffff:0:10.0.0.1",
        ] {
            assert!(matches!(of(text), Private(_)), "{text}: {:?}", of(text));
        }
    }

    #[test]
    fn what_tells_of_the_machine_is_known_in_every_form() {
        for text in [
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
            "fd20:ce::254",
            "168.63.129.16",
            "100.100.100.200",
            "fe80::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
        ] {
            assert!(matches!(of(text), Metadata(_)), "{text}: {:?}", of(text));
        }
    }

    #[test]
    fn what_is_nobodys_is_never_reached() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.0.0.8",
            "::",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "64:ff9b:1::1",
            "5f00::1",
            "3fff::1",
            "::ffff:0.0.0.0",
        ] {
            assert!(matches!(of(text), Never(_)), "{text}: {:?}", of(text));
        }
    }

    #[test]
    fn the_world_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(of(text), Public, "{text}");
        }
    }
}
