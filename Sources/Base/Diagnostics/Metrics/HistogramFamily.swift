// Gatehouse. SPDX-License-Identifier: MIT

/// How long things took, or how large they were: counts in fixed buckets, for each set of labels.
///
/// A row is found once by its labels; counting in it is a search of some dozen bounds and three additions.
package final class HistogramFamily {
    /// Bounds in seconds that suit calls: from half a millisecond to five minutes.
    package static let seconds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]

    let description: MetricDescription
    private let bounds: [Double]
    private var rows: RowTable
    /// The buckets of all rows, one row after the other; each with one more than there are bounds.
    private var buckets: [Int] = []
    private var sums: [Double] = []

    init(_ description: MetricDescription, bounds: [Double], limit: Int) {
        self.description = description
        self.bounds = bounds
        rows = RowTable(width: description.labels.count, limit: limit)
    }

    /// The row of some labels' values; that of all others once there are as many as may be.
    package func row(_ values: String...) -> Int {
        let row = rows.index(values)
        while sums.count <= row {
            sums.append(0)
            buckets.append(contentsOf: repeatElement(0, count: bounds.count + 1))
        }
        return row
    }

    /// Counts a value in a row.
    package func add(_ value: Double, to row: Int) {
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        buckets[row * (bounds.count + 1) + bucket] &+= 1
        sums[row] += value
    }

    func write(to writer: inout ExpositionWriter) {
        writer.begin(description)
        for row in sums.indices {
            var count = 0
            for index in 0...bounds.count {
                count &+= buckets[row * (bounds.count + 1) + index]
                let bound = index < bounds.count ? ExpositionWriter.text(bounds[index]) : "+Inf"
                writer.bucket(description, rows.values[row], bound: bound, count)
            }
            writer.sum(description, rows.values[row], sums[row], count: count)
        }
    }
}
