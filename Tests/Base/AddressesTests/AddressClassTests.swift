// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Addresses

@Suite("Classes of addresses")
struct AddressClassTests {
    @Test func `Each line of the table is a range`() {
        #expect(AddressClass.ranges.count == AddressClass.table.count)
    }

    @Test(
        arguments: [
            ("1.1.1.1", .public), ("8.8.8.8", .public), ("126.255.255.255", .public), ("128.0.0.1", .public),
            ("0.0.0.0", .unspecified), ("0.1.2.3", .unspecified), ("127.0.0.1", .loopback),
            ("127.255.255.254", .loopback), ("10.0.0.0", .private), ("10.255.255.255", .private),
            ("11.0.0.0", .public), ("172.15.255.255", .public), ("172.16.0.0", .private),
            ("172.31.255.255", .private), ("172.32.0.0", .public), ("192.168.255.1", .private),
            ("192.169.0.0", .public), ("100.63.255.255", .public), ("100.64.0.0", .shared),
            ("100.127.255.255", .shared), ("100.128.0.0", .public), ("100.100.100.200", .metadata),
            ("169.254.1.1", .linkLocal), ("169.254.169.254", .metadata), ("168.63.129.16", .metadata),
            ("168.63.129.17", .public), ("192.0.0.1", .assigned), ("192.0.1.1", .public),
            ("192.0.2.1", .documentation), ("198.17.255.255", .public), ("198.18.0.1", .benchmarking),
            ("198.19.255.255", .benchmarking), ("198.20.0.0", .public), ("223.255.255.255", .public),
            ("224.0.0.1", .multicast), ("239.255.255.255", .multicast), ("240.0.0.1", .reserved),
            ("255.255.255.255", .reserved), ("192.88.99.1", .sixToFour),
        ] as [(String, AddressClass)]
    ) func `Version 4`(text: String, expected: AddressClass) throws {
        #expect(AddressClass.of(try #require(IPAddress(text))).0 == expected)
    }

    @Test(
        arguments: [
            ("2606:4700:4700::1111", .public), ("2a00:1450:4001::200e", .public), ("::", .unspecified),
            ("::1", .loopback), ("::2", .compatible), ("::127.0.0.1", .compatible),
            ("::ffff:127.0.0.1", .mapped), ("::ffff:8.8.8.8", .mapped), ("64:ff9b::7f00:1", .translated),
            ("64:ff9b:1::1", .translated), ("100::1", .discard), ("2001::1", .teredo),
            ("2001:2::1", .assigned),
            ("2001:200::1", .public), ("2001:db8::1", .documentation), ("2002:7f00:1::", .sixToFour),
            ("3fff::1", .documentation), ("3fff:1000::1", .public), ("fc00::1", .uniqueLocal),
            ("fdff::1", .uniqueLocal), ("fd00:ec2::254", .metadata), ("fe80::1", .linkLocal),
            ("febf::1", .linkLocal), ("fec0::1", .siteLocal), ("ff02::1", .multicast), ("4000::1", .reserved),
            ("5f00::1", .reserved), ("200::1", .reserved),
        ] as [(String, AddressClass)]
    ) func `Version 6`(text: String, expected: AddressClass) throws {
        #expect(AddressClass.of(try #require(IPAddress(text))).0 == expected)
    }

    @Test func `The range that decided is told`() throws {
        let (_, range) = AddressClass.of(try #require(IPAddress("10.1.2.3")))
        #expect(range?.description == "10.0.0.0/8")
    }
}
