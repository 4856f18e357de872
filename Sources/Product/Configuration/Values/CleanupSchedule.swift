// Gatehouse. SPDX-License-Identifier: MIT

/// Times at which something is done: six fields as Azure Functions writes them (NCRONTAB), `0 */30 * * * *`.
///
/// The fields are second, minute, hour, day of the month, month and day of the week (0 is Sunday). Each is `*`, a number,
/// a range `a-b`, one of these with a step `/n`, or several of these with commas. A time is due when all fields match.
package struct CleanupSchedule: Sendable, Equatable {
    /// A point in time, as a calendar in UTC says it.
    package struct Moment: Sendable, Equatable {
        /// 0 … 59.
        package var second: Int
        /// 0 … 59.
        package var minute: Int
        /// 0 … 23.
        package var hour: Int
        /// 1 … 31.
        package var day: Int
        /// 1 … 12.
        package var month: Int
        /// 0 … 6, from Sunday.
        package var weekday: Int

        /// Takes apart the seconds since 1970 (the algorithm of days to civil dates, in whole numbers).
        package init(secondsSince1970 time: Int) {
            let days = time >= 0 ? time / 86_400 : (time - 86_399) / 86_400
            let rest = time - days * 86_400
            second = rest % 60
            minute = rest / 60 % 60
            hour = rest / 3600
            weekday = ((days + 4) % 7 + 7) % 7
            // Years begin in March here, so that the leap day is the last of a year.
            let shifted = days + 719_468
            let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shiftedMonth = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
            month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        }
    }

    private static let ranges = [0...59, 0...59, 0...23, 1...31, 1...12, 0...6]
    /// The values that match, as bits, in the order of the fields.
    private var fields: [UInt64] = []

    /// Reads the six fields; nil if they are none.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == Self.ranges.count, text.utf8.count <= 256 else { return nil }
        for (word, range) in zip(words, Self.ranges) {
            guard let bits = Self.read(word, range) else { return nil }
            fields.append(bits)
        }
    }

    /// Whether it is time.
    package func isDue(_ moment: Moment) -> Bool {
        let values = [
            moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.weekday,
        ]
        return zip(fields, values).allSatisfy { bits, value in bits >> UInt64(value) & 1 == 1 }
    }

    /// Whether it was time at some second after the first and up to the second, which are at most an hour apart.
    package func isDue(after first: Int, upTo last: Int) -> Bool {
        guard last > first else { return false }
        return (max(first + 1, last - 3600)...last).contains { isDue(Moment(secondsSince1970: $0)) }
    }

    private static func read(_ word: Substring, _ range: ClosedRange<Int>) -> UInt64? {
        var bits: UInt64 = 0
        for part in word.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            guard (1...2).contains(halves.count) else { return nil }
            var step = 1
            if halves.count == 2 {
                guard let given = number(halves[1]), (1...59).contains(given) else { return nil }
                step = given
            }
            guard let values = values(halves[0], range, hasStep: halves.count == 2) else { return nil }
            for value in stride(from: values.lowerBound, through: values.upperBound, by: step) {
                bits |= 1 << UInt64(value)
            }
        }
        return bits
    }

    private static func values(
        _ text: Substring,
        _ range: ClosedRange<Int>,
        hasStep: Bool
    ) -> ClosedRange<Int>? {
        if text == "*" { return range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = number(ends[0]), range.contains(first), ends.count <= 2 else { return nil }
        guard ends.count == 2 else { return first...(hasStep ? range.upperBound : first) }
        guard let last = number(ends[1]), range.contains(last), first <= last else { return nil }
        return first...last
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        return Int(text)
    }
}
