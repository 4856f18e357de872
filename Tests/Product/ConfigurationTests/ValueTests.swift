// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Configuration

@Suite("Values of a configuration")
struct ValueTests {
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
