/// The Prometheus text exposition format, version 0.0.4, written into bytes.
struct PrometheusText {
    enum Kind {
        case counter, gauge, histogram

        var name: StaticString {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private(set) var bytes: [UInt8] = []

    /// Begins a metric: every sample of the name follows.
    mutating func family(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        LineText.append("# HELP ", to: &bytes)
        LineText.append(name, to: &bytes)
        LineText.append(" ", to: &bytes)
        LineText.append(help, to: &bytes)
        LineText.append("\n# TYPE ", to: &bytes)
        LineText.append(name, to: &bytes)
        LineText.append(" ", to: &bytes)
        LineText.append(kind.name, to: &bytes)
        LineText.append("\n", to: &bytes)
    }

    mutating func sample(_ name: StaticString, _ labels: [(StaticString, String)], _ value: some BinaryInteger) {
        begin(name, "", labels)
        LineText.append(value, to: &bytes)
        bytes.append(0x0A)
    }

    mutating func sample(_ name: StaticString, _ labels: [(StaticString, String)], _ value: Double) {
        begin(name, "", labels)
        append(value)
        bytes.append(0x0A)
    }

    mutating func histogram(_ name: StaticString, _ labels: [(StaticString, String)], _ histogram: Histogram) {
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total += count
            let bound = index < Histogram.bounds.count ? Histogram.bounds[index].label : "+Inf"
            begin(name, "_bucket", labels + [("le", bound.description)])
            LineText.append(total, to: &bytes)
            bytes.append(0x0A)
        }
        begin(name, "_sum", labels)
        append(histogram.sumNanoseconds / 1e9)
        bytes.append(0x0A)
        begin(name, "_count", labels)
        LineText.append(total, to: &bytes)
        bytes.append(0x0A)
    }

    private mutating func begin(_ name: StaticString, _ suffix: StaticString, _ labels: [(StaticString, String)]) {
        LineText.append(name, to: &bytes)
        LineText.append(suffix, to: &bytes)
        if !labels.isEmpty {
            var separator: StaticString = "{"
            for (label, value) in labels {
                LineText.append(separator, to: &bytes)
                LineText.append(label, to: &bytes)
                LineText.append("=\"", to: &bytes)
                appendLabel(value)
                LineText.append("\"", to: &bytes)
                separator = ","
            }
            LineText.append("}", to: &bytes)
        }
        LineText.append(" ", to: &bytes)
    }

    private mutating func append(_ value: Double) {
        if let exact = Int64(exactly: value) {
            LineText.append(exact, to: &bytes)
        } else {
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    private mutating func appendLabel(_ value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): LineText.append("\\\\", to: &bytes)
            case UInt8(ascii: "\""): LineText.append("\\\"", to: &bytes)
            case 0x0A: LineText.append("\\n", to: &bytes)
            default: bytes.append(byte)
            }
        }
    }
}
