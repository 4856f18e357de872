// Gatehouse. SPDX-License-Identifier: MIT

import TLS
import TestSupport
import Testing

@Suite struct `Certificates of a listener` {
    private let files: Certificates

    init() throws { files = try Certificates(name: "first") }

    private func problem(_ settings: TLSSettings) -> String? {
        do {
            _ = try TLSIdentity(settings)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `are refused in words that name the file`() throws {
        let other = try Certificates()
        let text = try files.file("text.pem", "not in PEM\n")
        #expect(problem(TLSSettings(files)) == nil)
        #expect(
            problem(TLSSettings(certificate: files.certificate, key: other.key))
                == "cannot use the key \(other.key): it is not that of the certificate"
        )
        #expect(
            problem(TLSSettings(certificate: text, key: files.key))
                == "cannot use the certificate \(text): there is none in it in PEM"
        )
        #expect(
            problem(TLSSettings(certificate: files.certificate, key: text))
                == "cannot use the key \(text): there is none in it in PEM"
        )
        #expect(
            problem(TLSSettings(certificate: "/nowhere/a.pem", key: files.key))
                == "cannot read the certificate /nowhere/a.pem: no such file or directory"
        )
        #expect(
            problem(TLSSettings(certificate: "a\0b", key: files.key))
                == "the name of the certificate holds a NUL"
        )
    }

    @Test func `say when their time is over`() throws {
        let expired = try Certificates(days: -1)
        #expect(
            try TLSContext(TLSSettings(expired)).warning
                == "the certificate \(expired.certificate) has expired"
        )
        #expect(try TLSContext(TLSSettings(files)).warning == nil)
    }

    @Test func `are read again when they change, for new connections only`() throws {
        let identity = try TLSIdentity(TLSSettings(files))
        #expect(try !identity.renewIfChanged())
        let before = try Conversation(identity.context)
        before.settle()
        try files.replace(name: "second")
        #expect(try identity.renewIfChanged())
        let after = try Conversation(identity.context)
        after.settle()
        #expect(after.client.serverName == "second")
        before.client.write([1])
        before.settle()
        #expect(before.received == [1])
        #expect(before.client.serverName == "first")
    }

    @Test func `stay as they are when what is new does not work, until that changes`() throws {
        let identity = try TLSIdentity(TLSSettings(files))
        _ = try files.file("key.pem", "half a key")
        #expect(throws: TLSFailure.self) { try identity.renewIfChanged() }
        #expect(try !identity.renewIfChanged())
        let still = try Conversation(identity.context)
        still.settle()
        #expect(still.client.serverName == "first")
        try files.replace(name: "third")
        #expect(try identity.renewIfChanged())
        let after = try Conversation(identity.context)
        after.settle()
        #expect(after.client.serverName == "third")
    }

    // MARK: Of clients

    private func talk(
        _ wanted: TLSSettings.ClientCertificates,
        authority: Certificates?,
        shown: Certificates?
    ) throws -> Conversation {
        var settings = TLSSettings(files)
        settings.clientCertificates = wanted
        settings.clientAuthority = authority?.certificate
        var client = TLSClient.Settings()
        client.identity = shown
        let talk = try Conversation(settings, client)
        talk.settle()
        return talk
    }

    @Test func `of clients are asked for, and checked, as it is wanted`() throws {
        let (known, stranger) = (try Certificates(), try Certificates(name: "stranger"))
        #expect(try talk(.required, authority: known, shown: known).failure == nil)
        #expect(
            try talk(.required, authority: known, shown: nil).failure?.description
                == "peer did not return a certificate"
        )
        #expect(
            try talk(.required, authority: known, shown: stranger).failure?.description
                == "certificate verify failed"
        )
        #expect(try talk(.optional, authority: known, shown: nil).failure == nil)
        #expect(
            try talk(.optional, authority: known, shown: stranger).failure?.description
                == "certificate verify failed"
        )
        #expect(try talk(.none, authority: nil, shown: stranger).failure == nil)
        #expect(throws: TLSFailure.self) { try talk(.required, authority: nil, shown: known) }
    }
}
