// Gatehouse. SPDX-License-Identifier: MIT

/// The metrics of a process: families that are counted as things happen, and readings that are taken when someone asks.
///
/// One loop's: plain integers, no lock. It starts empty and never forgets a family. What it holds is bounded, since each
/// family bounds its rows.
package final class MetricsRegistry {
    private var sources: [Source] = []

    private enum Source {
        case counters(CounterFamily)
        case histograms(HistogramFamily)
        case reading(MetricDescription, () -> [MetricSample])
    }

    /// Starts empty.
    package init() {}

    /// Adds a family of numbers that only grow.
    ///
    /// - Parameters:
    ///   - name: Its name, which ends in `_total`.
    ///   - help: A sentence for people.
    ///   - labels: The names of its labels.
    ///   - limit: How many rows it may have, besides the one for all that find no place.
    /// - Returns: The family, to be counted in.
    package func counters(
        _ name: String,
        _ help: String,
        labels: [String] = [],
        limit: Int = 2000
    ) -> CounterFamily {
        let family = CounterFamily(MetricDescription(name, help, .counter, labels: labels), limit: limit)
        sources.append(.counters(family))
        return family
    }

    /// Adds a family of distributions.
    ///
    /// - Parameters:
    ///   - name: Its name, with the unit: `…_seconds`.
    ///   - help: A sentence for people.
    ///   - labels: The names of its labels.
    ///   - bounds: The upper bounds of its buckets, rising; one for everything above comes by itself.
    ///   - limit: How many rows it may have, besides the one for all that find no place.
    /// - Returns: The family, to be counted in.
    package func histograms(
        _ name: String,
        _ help: String,
        labels: [String] = [],
        bounds: [Double] = HistogramFamily.seconds,
        limit: Int = 500
    ) -> HistogramFamily {
        let description = MetricDescription(name, help, .histogram, labels: labels)
        let family = HistogramFamily(description, bounds: bounds, limit: limit)
        sources.append(.histograms(family))
        return family
    }

    /// Adds a family that is read when someone asks for it.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - help: A sentence for people.
    ///   - kind: Whether it can fall.
    ///   - labels: The names of its labels.
    ///   - read: Its rows as they are now; as many values as there are labels.
    package func reading(
        _ name: String,
        _ help: String,
        _ kind: MetricDescription.Kind = .gauge,
        labels: [String] = [],
        _ read: @escaping () -> [MetricSample]
    ) {
        sources.append(.reading(MetricDescription(name, help, kind, labels: labels), read))
    }

    /// Everything as text.
    package func exposition(_ format: ExpositionFormat) -> [UInt8] {
        var writer = ExpositionWriter(format)
        for source in sources {
            switch source {
            case .counters(let family): family.write(to: &writer)
            case .histograms(let family): family.write(to: &writer)
            case .reading(let description, let read):
                writer.begin(description)
                for sample in read() { writer.sample(description, sample) }
            }
        }
        return writer.finish()
    }
}

/// What a family of metrics is.
package struct MetricDescription {
    /// How its numbers behave.
    package enum Kind: String {
        /// They only grow.
        case counter
        /// They rise and fall.
        case gauge
        /// They are spread over buckets.
        case histogram
    }

    /// Its name; that of a counter ends in `_total`.
    package let name: String
    /// A sentence for people.
    package let help: String
    /// How its numbers behave.
    package let kind: Kind
    /// The names of its labels.
    package let labels: [String]

    init(_ name: String, _ help: String, _ kind: Kind, labels: [String]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
    }
}

/// One number with its labels' values.
package struct MetricSample {
    let values: [String]
    let number: Double

    /// Makes one.
    package init(_ number: Double, _ values: [String] = []) {
        self.values = values
        self.number = number
    }

    /// Makes one of a whole number.
    package init(_ number: Int, _ values: [String] = []) {
        self.init(Double(number), values)
    }

    /// Adds up those whose labels are the same, so that each row is there once; the order stays.
    package static func sums(_ samples: [MetricSample]) -> [MetricSample] {
        var sums: [MetricSample] = []
        var places: [[String]: Int] = [:]
        for sample in samples {
            if let place = places[sample.values] {
                sums[place] = MetricSample(sums[place].number + sample.number, sample.values)
            } else {
                places[sample.values] = sums.count
                sums.append(sample)
            }
        }
        return sums
    }
}
