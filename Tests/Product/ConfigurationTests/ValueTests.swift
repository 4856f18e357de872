// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Configuration

@Suite("Values of a configuration")
struct ValueTests {
    @Test(
        arguments: [
            ("127.0.0.1", [127, 0, 0, 1]),
            ("::", [UInt8](repeating: 0, count: 16)),
            ("::1", [UInt8](repeating: 0, count: 15) + [1]),
            ("fe80::", [0xFE, 0x80] + [UInt8](repeating: 0, count: 14)),
            ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
            ("::ffff:10.1.2.3", [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 10, 1, 2, 3]),
            (
                "2001:db8::8:800:200C:417A",
                [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 8, 8, 0, 0x20, 0x0C, 0x41, 0x7A]
            ),
        ] as [(String, [UInt8])]
    ) func `An address is read`(text: String, bytes: [UInt8]) {
        #expect(IPAddress(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "g::",
        ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "::1.2.3", "::1.2.3.4:5", "fe80::1%eth0", "[::1]", "01.2.3.4",
        "1.2.3",
        "1.2.3.4.5", "256.1.1.1", "1.2.3.-4", "+1.2.3.4", " 1.2.3.4", "0x7f.0.0.1", "2130706433",
    ]) func `What is no address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("192.168.4.0/22", "192.168.7.255", true),
        ("192.168.4.0/22", "192.168.8.0", false), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false),
        ("fd00::/8", "fdab::1", true), ("fd00::/8", "fe80::1", false), ("::1", "::1", true),
        ("127.0.0.1", "127.0.0.2", false), ("::ffff:10.0.0.0/104", "10.9.9.9", true),
        ("::ffff:10.0.0.0/104", "11.9.9.9", false), ("10.0.0.0/8", "localhost", false),
    ]) func `A range holds what begins with its bits`(range: String, address: String, isIn: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(address) == isIn)
    }

    @Test(arguments: ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "host/8"])
    func `What is no range is refused`(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func `A moment is what the calendar says`() {
        // 2024-02-29 was a Thursday, 1969-12-31 a Wednesday.
        let leap = CleanupSchedule.Moment(secondsSince1970: 1_709_210_096)
        #expect(
            [leap.month, leap.day, leap.weekday, leap.hour, leap.minute, leap.second] == [
                2, 29, 4, 12, 34, 56,
            ]
        )
        let before = CleanupSchedule.Moment(secondsSince1970: -1)
        #expect([before.month, before.day, before.weekday, before.hour] == [12, 31, 3, 23])
        let march = CleanupSchedule.Moment(secondsSince1970: 951_868_800)
        #expect([march.month, march.day, march.weekday] == [3, 1, 3])
    }

    @Test(arguments: [
        ("0 */30 * * * *", "0 0", true), ("0 */30 * * * *", "0 30", true), ("0 */30 * * * *", "0 31", false),
        ("0 */30 * * * *", "1 30", false), ("10-20/5 0 * * * *", "15 0", true),
        ("10-20/5 0 * * * *", "16 0", false), ("1,3 5/20 * * * *", "3 45", true),
    ]) func `A schedule is due when every field matches`(text: String, time: String, isDue: Bool) throws {
        let schedule = try #require(CleanupSchedule(text))
        let parts = time.split(separator: " ").compactMap { Int($0) }
        let moment = CleanupSchedule.Moment(secondsSince1970: parts[1] * 60 + parts[0])
        #expect(schedule.isDue(moment) == isDue)
    }

    @Test func `A schedule is due if a second in between is`() throws {
        let schedule = try #require(CleanupSchedule("0 */30 * * * *"))
        #expect(schedule.isDue(after: 1799, upTo: 1801))
        #expect(!schedule.isDue(after: 1800, upTo: 1801))
        #expect(!schedule.isDue(after: 1801, upTo: 1801))
    }

    @Test(arguments: [
        "", "* * * * *", "60 * * * * *", "* * 24 * * *", "* * * 0 * *", "* * * * 13 *", "* * * * * 7",
        "5-1 * * * * *",
        "*/0 * * * * *", "1//2 * * * * *", "a * * * * *", ", * * * * *", "-1 * * * * *", "1-2-3 * * * * *",
    ]) func `What is no schedule is refused`(text: String) {
        #expect(CleanupSchedule(text) == nil)
    }
}
