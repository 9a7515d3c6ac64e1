/**
 * Whether an IP address belongs to the public internet, and not to this machine, its network, or a special use.
 *
 * Source: IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890 and later).
 */
import { BlockList, isIP, isIPv6 } from "node:net";

const reserved: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // shared by carriers
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link-local, among them the metadata services of clouds
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.31.196.0", 24], // AS112
  ["192.52.193.0", 24], // AMT
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["192.175.48.0", 24], // AS112
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 3], // multicast, reserved, broadcast
  ["2001::", 23], // Teredo, ORCHID and other protocol assignments
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4, which contains IPv4 addresses
  ["2620:4f:8000::", 48], // AS112
  ["3fff::", 20], // documentation
];

const blocked = new BlockList();
for (const [network, prefix] of reserved) {
  blocked.addSubnet(network, prefix, isIPv6(network) ? "ipv6" : "ipv4");
}

/** Global unicast: everything else of IPv6 is special, among it IPv4 in IPv6's notation. */
const unicast = new BlockList();
unicast.addSubnet("2000::", 3, "ipv6");

export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !blocked.check(address, "ipv4");
    case 6:
      return !address.includes("%") && unicast.check(address, "ipv6") && !blocked.check(address, "ipv6");
    default:
      return false;
  }
}
