// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import COpenSSL

/// Seals texts that go out to a client and come back: nobody else can read, change or make them.
///
/// AES-256-GCM (NIST SP 800-38D) with a random nonce for each. The key is made with the sealer and dies with it, so what
/// another instance sealed does not open here.
package struct Sealer: Sendable {
    private static let nonceLength = 12
    private static let tagLength = 16
    private let key: [UInt8]

    /// Makes a key.
    package init() {
        key = SecureRandom.bytes(32)
    }

    /// Seals a text.
    ///
    /// - Parameters:
    ///   - text: What is hidden.
    ///   - purpose: What it is for; it opens for nothing else.
    /// - Returns: Base64 in the URL alphabet.
    package func seal(_ text: [UInt8], purpose: String) -> [UInt8] {
        let nonce = SecureRandom.bytes(Self.nonceLength)
        var sealed = [UInt8](repeating: 0, count: text.count)
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        let isSealed = run(encrypt: true, text, into: &sealed, nonce: nonce, tag: &tag, purpose: purpose)
        precondition(isSealed, "OpenSSL has no AES-256-GCM")
        return Base64.encode(nonce + tag + sealed, .url)
    }

    /// Opens what `seal` made for this purpose; nil for anything else.
    package func open(_ sealed: some BidirectionalCollection<UInt8>, purpose: String) -> [UInt8]? {
        guard let bytes = Base64.decode(sealed, .url), bytes.count >= Self.nonceLength + Self.tagLength else {
            return nil
        }
        let nonce = Array(bytes[..<Self.nonceLength])
        var tag = Array(bytes[Self.nonceLength..<Self.nonceLength + Self.tagLength])
        let hidden = Array(bytes[(Self.nonceLength + Self.tagLength)...])
        var text = [UInt8](repeating: 0, count: hidden.count)
        return run(encrypt: false, hidden, into: &text, nonce: nonce, tag: &tag, purpose: purpose)
            ? text : nil
    }

    private func run(
        encrypt: Bool,
        _ input: [UInt8],
        into output: inout [UInt8],
        nonce: [UInt8],
        tag: inout [UInt8],
        purpose: String
    ) -> Bool {
        guard let context = EVP_CIPHER_CTX_new(), let length = Int32(exactly: input.count) else {
            return false
        }
        defer { EVP_CIPHER_CTX_free(context) }
        let direction: Int32 = encrypt ? 1 : 0
        let label = Array(purpose.utf8)
        var written: Int32 = 0
        guard EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, direction) == 1,
            EVP_CipherUpdate(context, nil, &written, label, Int32(label.count)) == 1,
            EVP_CipherUpdate(context, &output, &written, input, length) == 1
        else { return false }
        if !encrypt {
            guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1 else {
                return false
            }
        }
        var rest = [UInt8](repeating: 0, count: 16)
        guard EVP_CipherFinal_ex(context, &rest, &written) == 1 else { return false }
        guard encrypt else { return true }
        return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tag.count), &tag) == 1
    }
}
