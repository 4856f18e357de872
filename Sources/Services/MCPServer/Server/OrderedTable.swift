// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

/// Values by name, in the order in which they were put in.
///
/// Each keeps its number for good, so that a page can begin after a number even if entries came or went meanwhile.
struct OrderedTable<Value: Sendable>: Sendable {
    private var numbers: [String: Int] = [:]
    private var entries: [(number: Int, value: Value)] = []
    private var next = 1

    var isEmpty: Bool { entries.isEmpty }

    /// The values in order.
    var values: [Value] { entries.map(\.value) }

    /// The value of this name; setting it again keeps its place, nil takes it out.
    subscript(name: String) -> Value? {
        get {
            guard let number = numbers[name] else { return nil }
            let index = index(after: number - 1)
            return index < entries.count ? entries[index].value : nil
        }
        set {
            if let newValue {
                if let number = numbers[name] {
                    entries[index(after: number - 1)].value = newValue
                } else {
                    numbers[name] = next
                    entries.append((next, newValue))
                    next += 1
                }
            } else if let number = numbers.removeValue(forKey: name) {
                entries.remove(at: index(after: number - 1))
            }
        }
    }

    /// A page of values.
    ///
    /// - Parameters:
    ///   - number: The number of the last entry of the page before.
    ///   - size: How many at most.
    /// - Returns: The values, and the number of the last of them if more follow.
    func page(after number: Int, size: Int) -> (values: [Value], last: Int?) {
        let start = index(after: number)
        let end = min(entries.count, start + max(1, size))
        return (entries[start..<end].map(\.value), end < entries.count ? entries[end - 1].number : nil)
    }

    /// The first index whose number is larger.
    private func index(after number: Int) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number > number { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A place in a list, as clients hold it.
enum Cursor {
    /// The text of a cursor; `list` keeps it from being used with another list.
    static func text(_ list: String, after number: Int) -> JSONValue {
        .string(String(decoding: Base64.encode(Array("\(list):\(number)".utf8), .url), as: UTF8.self))
    }

    /// The number in a cursor of this list; nil if it is none of ours.
    static func number(_ text: String, _ list: String) -> Int? {
        guard let bytes = Base64.decode(Array(text.utf8), .url) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0] == list, let number = Int(parts[1]), number > 0 else { return nil }
        return number
    }
}
