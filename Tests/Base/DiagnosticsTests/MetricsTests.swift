// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics
import Testing

@Suite struct MetricsTests {
    private func text(_ registry: MetricsRegistry, _ format: ExpositionFormat = .prometheus) -> String {
        String(decoding: registry.exposition(format), as: UTF8.self)
    }

    @Test func `a family has a head and a line for each set of labels`() {
        let registry = MetricsRegistry()
        let calls = registry.counters("calls_total", "Calls.", labels: ["server", "tool"])
        calls.add(to: calls.row("git", "log"))
        calls.add(2, to: calls.row("git", "diff"))
        calls.add(to: calls.row("git", "log"))
        #expect(
            text(registry) == """
                # HELP calls_total Calls.
                # TYPE calls_total counter
                calls_total{server="git",tool="log"} 2
                calls_total{server="git",tool="diff"} 2

                """
        )
    }

    @Test func `values of labels cannot end their line or their quotes`() {
        let registry = MetricsRegistry()
        let calls = registry.counters("calls_total", "A \\ and a\nline.", labels: ["tool"])
        calls.add("a\"} 1\nevil_total 5\n\\")
        let lines = text(registry).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.first == "# HELP calls_total A \\\\ and a\\nline.")
        #expect(lines.last == "calls_total{tool=\"a\\\"} 1\\nevil_total 5\\n\\\\\"} 1")
    }

    @Test func `rows past the limit are one row named other`() {
        let registry = MetricsRegistry()
        let calls = registry.counters("calls_total", "Calls.", labels: ["tool"], limit: 2)
        for index in 0..<100 { calls.add("tool\(index)") }
        let lines = text(registry).split(separator: "\n").dropFirst(2)
        #expect(
            Array(lines) == [
                #"calls_total{tool="tool0"} 1"#, #"calls_total{tool="tool1"} 1"#,
                #"calls_total{tool="other"} 98"#,
            ]
        )
    }

    @Test func `samples with the same labels become one row`() {
        let registry = MetricsRegistry()
        registry.reading("children", "Processes.", labels: ["server", "state"]) {
            MetricSample.sums([
                MetricSample(1, ["git", "up"]), MetricSample(2, ["time", "up"]),
                MetricSample(4, ["git", "up"]), MetricSample(8, ["git", "warm"]),
            ])
        }
        let lines = text(registry).split(separator: "\n").dropFirst(2)
        #expect(
            Array(lines) == [
                #"children{server="git",state="up"} 5"#, #"children{server="time",state="up"} 2"#,
                #"children{server="git",state="warm"} 8"#,
            ]
        )
    }

    @Test func `a counter without labels is there before anything was counted`() {
        let registry = MetricsRegistry()
        _ = registry.counters("calls_total", "Calls.")
        #expect(text(registry).hasSuffix("\ncalls_total 0\n"))
    }

    @Test func `buckets of a histogram hold all that is not above them`() {
        let registry = MetricsRegistry()
        let durations = registry.histograms("d_seconds", "Time.", labels: ["era"], bounds: [0.5, 1])
        let row = durations.row("modern")
        for value in [0.25, 0.5, 0.75, 2] { durations.add(value, to: row) }
        #expect(
            text(registry) == """
                # HELP d_seconds Time.
                # TYPE d_seconds histogram
                d_seconds_bucket{era="modern",le="0.5"} 2
                d_seconds_bucket{era="modern",le="1"} 3
                d_seconds_bucket{era="modern",le="+Inf"} 4
                d_seconds_sum{era="modern"} 3.5
                d_seconds_count{era="modern"} 4

                """
        )
    }

    @Test func `OpenMetrics names counters without their suffix and has an end`() {
        let registry = MetricsRegistry()
        _ = registry.counters("calls_total", "A \"word\".")
        registry.reading("open", "Open.") { [MetricSample(1.5)] }
        #expect(
            text(registry, .openMetrics) == """
                # HELP calls A \\"word\\".
                # TYPE calls counter
                calls_total 0
                # HELP open Open.
                # TYPE open gauge
                open 1.5
                # EOF

                """
        )
    }

    @Test(arguments: [
        ("", false), ("text/plain", false), ("*/*", false),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", true),
        ("Application/OpenMetrics-Text", true),
    ])
    func `the form is what the scraper names`(_ accept: String, _ isOpenMetrics: Bool) {
        let format = ExpositionFormat(accept: accept)
        #expect(format.contentType.hasPrefix("application/openmetrics-text") == isOpenMetrics)
    }

    @Test func `the process tells what it uses`() {
        let registry = MetricsRegistry()
        ProcessUsage.register(in: registry)
        let lines = text(registry).split(separator: "\n").filter { !$0.hasPrefix("#") }
        let numbers = lines.compactMap { line in line.split(separator: " ").last.flatMap { Double($0) } }
        #expect(numbers.count == 5)
        #expect(numbers.allSatisfy { $0 > 0 })
    }
}
