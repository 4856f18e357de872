// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// Memory that the connections of a loop use one after the other, so that an idle one holds none.
///
/// OpenSSL reads and writes it by a BIO of ours, which hands it the bytes that have just come where they are, and gathers
/// what is to be sent. Nothing stays in it between two events of the loop.
final class TLSRoom {
    /// What has come and was not read yet.
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What is to be sent.
    var output: [UInt8] = []
    /// Where decrypted bytes are put.
    let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    deinit { plaintext.deallocate() }

    /// Takes what has come out of reach: it belongs to another connection than the one that writes meanwhile.
    func setAsideInput() -> UnsafeRawBufferPointer {
        defer { input = UnsafeRawBufferPointer(start: nil, count: 0) }
        return input
    }

    /// Gives away what is to be sent.
    func flush(_ send: (Span<UInt8>) -> Void) {
        guard !output.isEmpty else { return }
        var bytes = output
        output = []
        send(bytes.span)
        bytes.removeAll(keepingCapacity: bytes.capacity <= 4 << 20)
        output = bytes
    }

    /// A BIO on this memory, which must outlive it.
    func makeBIO() -> OpaquePointer? {
        guard let method = Self.method, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    private func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(input.count, target.count)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    private static func of(_ bio: OpaquePointer) -> TLSRoom? {
        BIO_get_data(bio).map { Unmanaged<TLSRoom>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The functions of the BIO; made once, and read only from then on.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatehouse") else {
            return nil
        }
        BIO_meth_set_read(method) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let room = TLSRoom.of(bio) else { return -1 }
            gatehouse_bio_wants_nothing(bio)
            let taken = room.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            guard taken == 0 else { return Int32(taken) }
            gatehouse_bio_wants_input(bio)
            return -1
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let room = TLSRoom.of(bio) else { return -1 }
            gatehouse_bio_wants_nothing(bio)
            room.output.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()
}
