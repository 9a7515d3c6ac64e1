import assert from "node:assert/strict";
import { isPublicAddress } from "../../../lib/node/serve/public-address.ts";

describe("isPublicAddress", () => {
  it("is true for the public internet", () => {
    for (const address of ["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "2606:4700::1111"])
      assert.equal(isPublicAddress(address), true, address);
  });

  it("is false for this machine, private networks, and notations that hide them", () => {
    for (const address of [
      "127.0.0.1",
      "127.255.255.254",
      "0.0.0.0",
      "10.1.2.3",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.0.1",
      "169.254.169.254", // metadata of cloud machines
      "100.64.0.1",
      "198.18.0.1",
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "fe80::1",
      "fe80::1%eth0",
      "fc00::1",
      "fd12:3456::1",
      "ff02::1",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "::127.0.0.1",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "2001:0:7f00:1::",
      "2001:db8::1",
      "fec0::1",
      "localhost",
      "0x7f000001",
      "2130706433",
      "127.1",
      "",
    ]) {
      assert.equal(isPublicAddress(address), false, address);
    }
  });
});
