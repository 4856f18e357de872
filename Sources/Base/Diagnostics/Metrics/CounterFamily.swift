// Gatehouse. SPDX-License-Identifier: MIT

/// Numbers that only grow, one for each set of labels.
///
/// A row is found once by its labels, which is slow, and then counted by its index, which costs one addition.
package final class CounterFamily {
    let description: MetricDescription
    private var rows: RowTable
    private var numbers: [Int] = []

    init(_ description: MetricDescription, limit: Int) {
        self.description = description
        rows = RowTable(width: description.labels.count, limit: limit)
    }

    /// The row of some labels' values; that of all others once there are as many as may be.
    package func row(_ values: String...) -> Int {
        let row = rows.index(values)
        while numbers.count <= row { numbers.append(0) }
        return row
    }

    /// Counts in a row.
    package func add(_ number: Int = 1, to row: Int) {
        numbers[row] &+= number
    }

    /// Counts in the row of some labels' values, where it need not be fast.
    package func add(_ values: String...) {
        let row = rows.index(values)
        while numbers.count <= row { numbers.append(0) }
        numbers[row] &+= 1
    }

    func write(to writer: inout ExpositionWriter) {
        writer.begin(description)
        if description.labels.isEmpty, numbers.isEmpty { writer.sample(description, MetricSample(0)) }
        for (row, number) in numbers.enumerated() {
            writer.sample(description, MetricSample(number, rows.values[row]))
        }
    }
}

/// Which labels' values stand in which row, up to a limit.
struct RowTable {
    /// What stands for all values that found no place.
    static let other = "other"

    /// The values of each row.
    private(set) var values: [[String]] = []
    private var indices: [[String]: Int] = [:]
    private var overflow: Int?
    private let width: Int
    private let limit: Int

    init(width: Int, limit: Int) {
        self.width = width
        self.limit = limit
    }

    /// The row of these values, made if it was not there.
    mutating func index(_ wanted: [String]) -> Int {
        if let known = indices[wanted] { return known }
        guard wanted.count == width, indices.count < limit else { return overflowIndex() }
        indices[wanted] = values.count
        values.append(wanted)
        return values.count - 1
    }

    private mutating func overflowIndex() -> Int {
        if let overflow { return overflow }
        overflow = values.count
        values.append(Array(repeating: Self.other, count: width))
        return values.count - 1
    }
}
