// Gatehouse. SPDX-License-Identifier: MIT

import CHTTPParser

/// What http_parser makes of one message.
///
/// Its packaged build is lenient: it must accept all that we accept.
final class SecondOpinion {
    private(set) var target: [UInt8] = []
    private(set) var body: [UInt8] = []
    private(set) var isComplete = false
    private(set) var keepsAlive = false
    private(set) var error = HPE_OK

    init(_ bytes: [UInt8]) {
        var settings = http_parser_settings()
        http_parser_settings_init(&settings)
        settings.on_url = { parser, bytes, count in
            SecondOpinion.of(parser).target += UnsafeRawBufferPointer(start: bytes, count: count)
            return 0
        }
        settings.on_body = { parser, bytes, count in
            SecondOpinion.of(parser).body += UnsafeRawBufferPointer(start: bytes, count: count)
            return 0
        }
        settings.on_message_complete = { parser in
            SecondOpinion.of(parser).isComplete = true
            SecondOpinion.of(parser).keepsAlive = http_should_keep_alive(parser) != 0
            return 0
        }
        var parser = http_parser()
        http_parser_init(&parser, HTTP_REQUEST)
        parser.data = Unmanaged.passUnretained(self).toOpaque()
        bytes.withUnsafeBytes { bytes in
            _ = http_parser_execute(
                &parser,
                &settings,
                bytes.bindMemory(to: CChar.self).baseAddress,
                bytes.count
            )
        }
        error = http_errno(parser.http_errno)
    }

    /// The object that the parser was given; it outlives the call of `http_parser_execute`.
    private static func of(_ parser: UnsafeMutablePointer<http_parser>?) -> SecondOpinion {
        guard let data = parser?.pointee.data else { preconditionFailure("a parser without its object") }
        return Unmanaged<SecondOpinion>.fromOpaque(data).takeUnretainedValue()
    }
}
