// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

extension ElicitationField {
    /// What is wrong with something that was entered.
    package struct Misfit: Error, Sendable, Equatable {
        /// A few words for whoever entered it.
        package let message: String
    }

    /// Reads what was entered.
    ///
    /// - Parameter text: The text, not empty.
    /// - Returns: The value for the answer.
    /// - Throws: `Misfit` if the field does not take it.
    package func value(of text: String) throws(Misfit) -> JSONValue {
        switch kind {
        case .text(let format, let length):
            try Self.check(text, format, length)
            return .string(text)
        case .number(let isInteger, let minimum, let maximum):
            return .number(try Self.number(text, isInteger, minimum, maximum))
        case .truth:
            switch text.lowercased() {
            case "y", "yes", "true", "on", "1": return true
            case "n", "no", "false", "off", "0": return false
            default: throw Misfit(message: "answer y or n")
            }
        case .choice(let choices): return .string(try Self.choose(text, choices))
        case .choices(let choices, let count):
            var chosen: [JSONValue] = []
            let words = text.utf8.elementsEqual("-".utf8) ? [] : text.split(separator: ",")
            for word in words {
                let value = JSONValue.string(try Self.choose(Self.trimmed(word), choices))
                if !chosen.contains(value) { chosen.append(value) }
            }
            guard count.contains(chosen.count) else {
                throw Misfit(message: "choose \(Self.words(count)) of them")
            }
            return .array(chosen)
        case .other:
            guard let value = try? JSONValue(Array(text.utf8).span) else {
                throw Misfit(message: "enter a JSON value")
            }
            return value
        }
    }

    private static func check(
        _ text: String,
        _ format: String?,
        _ length: ClosedRange<Int>
    ) throws(Misfit) {
        guard length.contains(text.unicodeScalars.count) else {
            throw Misfit(message: "enter \(words(length)) characters")
        }
        let fits =
            switch format {
            case "email": hasEmailShape(text)
            case "uri": hasURIShape(text)
            case "date": hasShape(text, "dddd-dd-dd")
            case "date-time":
                hasShape(String(text.prefix(10)), "dddd-dd-dd")
                    && "Tt ".contains(text.dropFirst(10).first ?? "?")
                    && hasShape(String(text.dropFirst(11).prefix(8)), "dd:dd:dd")
            default: true
            }
        guard fits else { throw Misfit(message: "enter \(Self.example(of: format))") }
    }

    private static func hasEmailShape(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && !text.contains(where: \.isWhitespace)
    }

    /// A scheme, a colon, and something without white space (RFC 3986 §3).
    private static func hasURIShape(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), let first = text.utf8.first else {
            return false
        }
        let scheme = text.utf8[..<colon]
        return ASCII.isLetter(first) && !text.contains(where: \.isWhitespace)
            && scheme.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "+-.".utf8.contains($0) }
            && text.utf8.index(after: colon) != text.utf8.endIndex
    }

    /// Whether a text is of a shape where `d` stands for a digit and all else for itself.
    private static func hasShape(_ text: String, _ shape: String) -> Bool {
        text.utf8.count == shape.utf8.count
            && zip(text.utf8, shape.utf8).allSatisfy {
                $1 == UInt8(ascii: "d") ? ASCII.isDigit($0) : $0 == $1
            }
    }

    private static func number(
        _ text: String,
        _ isInteger: Bool,
        _ minimum: Double?,
        _ maximum: Double?
    ) throws(Misfit) -> String {
        // What is no number of JSON must not get into the answer, such as 0x10, nan or .5.
        guard case .number(let number)? = try? JSONValue(Array(text.utf8).span), let value = Double(number),
            value.isFinite, !isInteger || value.rounded() == value
        else {
            throw Misfit(message: isInteger ? "enter a whole number" : "enter a number")
        }
        if let minimum, value < minimum { throw Misfit(message: "enter \(short(minimum)) or more") }
        if let maximum, value > maximum { throw Misfit(message: "enter \(short(maximum)) or less") }
        return number
    }

    /// Takes a choice by its value, its title, or its place in the list, which starts with 1.
    private static func choose(_ text: String, _ choices: [Choice]) throws(Misfit) -> String {
        if let exact = choices.first(where: { $0.value.hasSameBytes(as: text) }) { return exact.value }
        if let titled = choices.first(where: { $0.title.lowercased() == text.lowercased() }) {
            return titled.value
        }
        if let place = Int(text), choices.indices.contains(place &- 1) { return choices[place - 1].value }
        throw Misfit(message: "\"\(text)\" is none of the choices")
    }

    // MARK: Words

    /// What can be entered, in few words; empty where anything can.
    package var hint: String {
        switch kind {
        case .text(let format, let length):
            let size = length == 0...Int.max ? nil : "\(Self.words(length)) characters"
            return [format.map { Self.example(of: $0) }, size].compactMap(\.self).joined(separator: ", ")
        case .number(let isInteger, let minimum, let maximum):
            let bounds = [minimum.map { "from \(Self.short($0))" }, maximum.map { "to \(Self.short($0))" }]
            return ([isInteger ? "a whole number" : "a number"] + bounds.compactMap(\.self)).joined(
                separator: " "
            )
        case .truth: return "y or n"
        case .choice: return "one of these"
        case .choices(_, let count):
            let number = count == 0...Int.max ? "" : " (\(Self.words(count)))"
            return "some of these\(number), with commas between"
        case .other: return "JSON"
        }
    }

    private static func example(of format: String?) -> String {
        switch format {
        case "email": "an e-mail address"
        case "uri": "a URI"
        case "date": "a date such as 2026-07-28"
        case "date-time": "a time such as 2026-07-28T12:00:00Z"
        default: format ?? ""
        }
    }

    private static func words(_ range: ClosedRange<Int>) -> String {
        if range.upperBound == Int.max { return "at least \(range.lowerBound)" }
        if range.lowerBound == range.upperBound { return "exactly \(range.lowerBound)" }
        return range.lowerBound == 0
            ? "at most \(range.upperBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
