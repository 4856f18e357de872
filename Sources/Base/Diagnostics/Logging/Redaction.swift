// Gatehouse. SPDX-License-Identifier: MIT

import Synchronization

/// Takes secrets out of what is logged: values that are known to be secret, and what stands after words that announce one.
///
/// A last defence: nothing here logs a credential knowingly, but a server's words or a library's may hold one.
final class Redaction: Sendable {
    /// What stands in the place of a secret.
    static let mark = "[redacted]"
    /// A value that is shorter is no secret worth the name, and would be found in every word.
    static let shortest = 8

    /// Words that announce a secret, in lower case; what follows them up to a delimiter is taken out.
    private static let words: Set<String> = [
        "authorization", "bearer", "cookie", "set-cookie", "code_verifier", "client_secret", "refresh_token",
        "access_token", "id_token", "api_key", "apikey", "api-key", "x-api-key", "password", "passwd",
        "accountkey", "sharedaccesskey",
    ]
    /// Words that do so only in a query or a form: `code=…`; elsewhere they are common words.
    private static let queryWords: Set<String> = [
        "code", "token", "secret", "sig", "signature", "state", "key",
    ]

    private let secrets: [[UInt8]]
    /// Those that were learned later: a list that only grows, so that it is read without a lock.
    private let later = AtomicLazyReference<Redaction>()

    init(secrets: [String]) {
        // The longer first, so that one which holds another goes whole.
        self.secrets = Set(secrets).map { Array($0.utf8) }.filter { $0.count >= Self.shortest }
            .sorted { $0.count > $1.count }
    }

    /// Takes further secrets in; those before stay, since who has them may still say them.
    func learn(_ more: [String]) {
        let unknown = more.filter { !knows(Array($0.utf8)) }
        guard !unknown.isEmpty else { return }
        let next = Redaction(secrets: unknown)
        var last = self
        while true {
            let stored = last.later.storeIfNil(next)
            if stored === next { return }
            last = stored
        }
    }

    private func knows(_ secret: [UInt8]) -> Bool {
        secret.count < Self.shortest || secrets.contains(secret) || later.load()?.knows(secret) == true
    }

    /// The text without them.
    func apply(to text: String) -> String {
        var bytes = Array(text.utf8)
        var list: Redaction? = self
        while let known = list {
            for secret in known.secrets { Self.replace(secret, in: &bytes) }
            list = known.later.load()
        }
        Self.replaceAnnounced(in: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func replace(_ secret: [UInt8], in bytes: inout [UInt8]) {
        guard bytes.count >= secret.count else { return }
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == secret[0], bytes[index...].starts(with: secret) {
                output.append(contentsOf: mark.utf8)
                index += secret.count
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        bytes = output
    }

    /// Takes out what stands after a word and `=` or `:`, and after `Bearer` and a space.
    private static func replaceAnnounced(in bytes: inout [UInt8]) {
        var output: [UInt8] = []
        var index = 0
        var word: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            if isOfWord(byte) {
                if word.count <= 32 { word.append(byte | (isUpper(byte) ? 0x20 : 0)) }
                output.append(byte)
                index += 1
                continue
            }
            let found = String(decoding: word, as: UTF8.self)
            word = []
            let isOfQuery = queryWords.contains(found) && byte == UInt8(ascii: "=")
            guard isOfQuery || words.contains(found), let start = secretStart(bytes, index, after: found)
            else {
                output.append(byte)
                index += 1
                continue
            }
            output.append(contentsOf: bytes[index..<start])
            output.append(contentsOf: mark.utf8)
            index = secretEnd(
                bytes,
                start,
                isWholeLine: found == "authorization" || found.hasSuffix("cookie")
            )
        }
        bytes = output
    }

    /// Where a secret begins after its word, if one does.
    private static func secretStart(_ bytes: [UInt8], _ end: Int, after word: String) -> Int? {
        var index = end
        var isAnnounced = word == "bearer" && bytes[index] == UInt8(ascii: " ")
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "="), UInt8(ascii: ":"): isAnnounced = true
            case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"): break
            default: return isAnnounced ? index : nil
            }
            index += 1
        }
        return nil
    }

    private static func secretEnd(_ bytes: [UInt8], _ start: Int, isWholeLine: Bool) -> Int {
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\""): return index
            case UInt8(ascii: " "), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: ","),
                UInt8(ascii: ";"),
                UInt8(ascii: "}"), UInt8(ascii: ")"):
                if !isWholeLine { return index }
            default: break
            }
            index += 1
        }
        return index
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        isUpper(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-")
    }

    private static func isUpper(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
