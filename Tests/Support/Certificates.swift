// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL
import Foundation

/// A certificate and its key in files of their own, made for one test.
package final class Certificates: Sendable {
    /// What went wrong while one was made; the test cannot go on.
    package struct Failure: Error {}

    private let folder: URL
    /// The file of the certificate.
    package let certificate: String
    /// The file of the key.
    package let key: String

    /// Makes a key and a certificate for it, that it signs itself.
    package init(name: String = "localhost", days: Int = 1) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "gatehouse-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appending(path: "certificate.pem").path
        key = folder.appending(path: "key.pem").path
        try write(name, days)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Makes another key and certificate in the same files.
    package func replace(name: String) throws { try write(name, 1) }

    /// A file with some content.
    package func file(_ name: String, _ content: String) throws -> String {
        let url = folder.appending(path: name)
        try Data(content.utf8).write(to: url)
        return url.path
    }

    private func write(_ name: String, _ days: Int) throws {
        var pair: OpaquePointer?
        guard let maker = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil) else { throw Failure() }
        defer { EVP_PKEY_CTX_free(maker) }
        guard EVP_PKEY_keygen_init(maker) == 1, EVP_PKEY_keygen(maker, &pair) == 1, let pair,
            let made = X509_new()
        else { throw Failure() }
        defer {
            EVP_PKEY_free(pair)
            X509_free(made)
        }
        X509_set_version(made, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(made), Int.random(in: 1...1_000_000_000))
        X509_gmtime_adj(X509_getm_notBefore(made), -172_800)
        X509_gmtime_adj(X509_getm_notAfter(made), days * 86_400)
        let subject = X509_get_subject_name(made)
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0)
        guard X509_set_issuer_name(made, subject) == 1, X509_set_pubkey(made, pair) == 1,
            X509_sign(made, pair, nil) > 0
        else { throw Failure() }
        try save(certificate) { PEM_write_bio_X509($0, made) }
        try save(key) { PEM_write_bio_PrivateKey($0, pair, nil, nil, 0, nil, nil) }
    }

    private func save(_ path: String, _ write: (OpaquePointer) -> Int32) throws {
        guard let file = BIO_new_file(path, "w") else { throw Failure() }
        defer { BIO_free(file) }
        guard write(file) == 1 else { throw Failure() }
    }
}

/// `MBSTRING_UTF8`, which Swift does not see.
private let MBSTRING_UTF8: Int32 = 0x1000
