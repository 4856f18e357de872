// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The two text forms that a scraper may ask for.
package enum ExpositionFormat: Sendable {
    /// The Prometheus text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.
    case openMetrics

    /// The media type.
    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// Chooses by `Accept`: OpenMetrics for those who name it, as Prometheus does.
    package init(accept: String) {
        self = accept.lowercased().contains("application/openmetrics-text") ? .openMetrics : .prometheus
    }
}

/// Writes families of metrics as text.
struct ExpositionWriter {
    private let format: ExpositionFormat
    private var output: [UInt8] = []

    init(_ format: ExpositionFormat) {
        self.format = format
    }

    /// The head of a family.
    mutating func begin(_ family: MetricDescription) {
        let name = familyName(family)
        output.append("# HELP \(name) ")
        escape(family.help, quotes: format == .openMetrics)
        output.append("\n# TYPE \(name) \(family.kind.rawValue)\n")
    }

    /// OpenMetrics names a family of counters without the suffix that its samples have.
    private func familyName(_ family: MetricDescription) -> String {
        let suffix = "_total"
        guard format == .openMetrics, family.kind == .counter, family.name.hasSuffix(suffix) else {
            return family.name
        }
        return String(family.name.dropLast(suffix.count))
    }

    mutating func sample(_ family: MetricDescription, _ sample: MetricSample) {
        line(family.name, family.labels, sample.values, nil, sample.number)
    }

    mutating func bucket(_ family: MetricDescription, _ values: [String], bound: String, _ count: Int) {
        line("\(family.name)_bucket", family.labels, values, bound, Double(count))
    }

    mutating func sum(_ family: MetricDescription, _ values: [String], _ sum: Double, count: Int) {
        line("\(family.name)_sum", family.labels, values, nil, sum)
        line("\(family.name)_count", family.labels, values, nil, Double(count))
    }

    private mutating func line(
        _ name: String,
        _ labels: [String],
        _ values: [String],
        _ bound: String?,
        _ number: Double
    ) {
        output.append(name)
        var separator = UInt8(ascii: "{")
        for (label, value) in zip(labels, values) {
            output.append(separator)
            separator = UInt8(ascii: ",")
            output.append("\(label)=\"")
            escape(value, quotes: true)
            output.append(UInt8(ascii: "\""))
        }
        if let bound {
            output.append(separator)
            separator = UInt8(ascii: ",")
            output.append("le=\"\(bound)\"")
        }
        if separator == UInt8(ascii: ",") { output.append(UInt8(ascii: "}")) }
        output.append(" \(Self.text(number))\n")
    }

    /// Values may hold anything; a backslash, a quote and a line feed are escaped (0.0.4, "Comments, help text, and type").
    private mutating func escape(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): output.append(literal: "\\\\")
            case UInt8(ascii: "\n"): output.append(literal: "\\n")
            case UInt8(ascii: "\"") where quotes: output.append(literal: "\\\"")
            default: output.append(byte)
            }
        }
    }

    /// A number as both formats read it.
    static func text(_ number: Double) -> String {
        if number == number.rounded(), abs(number) < 1e15 { return String(Int(number)) }
        return number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Inf" : "+Inf") : "\(number)"
    }

    /// The whole text.
    consuming func finish() -> [UInt8] {
        if format == .openMetrics { output.append(literal: "# EOF\n") }
        return output
    }
}
