// Gatehouse. SPDX-License-Identifier: MIT

import CUV

/// What every object with a libuv handle can do: be closed when its loop ends.
protocol LoopResource: AnyObject {
    func close()
}

/// The memory of one libuv handle.
///
/// libuv keeps the address until the close callback, so the memory is on the heap, `data` holds one reference to the
/// owner from `own` on, and both are given back in the close callback and nowhere else.
struct Handle<Kind> {
    let pointer: UnsafeMutablePointer<Kind>

    /// Memory that is not known to libuv yet.
    init() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<Kind>.size, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Kind>.size)
        pointer = memory.assumingMemoryBound(to: Kind.self)
    }

    /// The handle as libuv's base type.
    var base: UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_handle_t.self)
    }

    /// The handle as a stream; only for kinds that are streams.
    var stream: UnsafeMutablePointer<uv_stream_t> {
        UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_stream_t.self)
    }

    /// Gives the memory back when libuv's `init` function failed.
    func discard() {
        UnsafeMutableRawPointer(pointer).deallocate()
    }

    /// Keeps the owner alive until the handle is closed.
    func own(_ owner: any LoopResource) {
        base.pointee.data = Unmanaged<AnyObject>.passRetained(owner).toOpaque()
    }

    /// Closes the handle.
    ///
    /// No callback comes any more, except those of cancelled requests.
    func close() {
        uv_close(base) { handle in
            guard let handle else { return }
            let owner = handle.pointee.data
            UnsafeMutableRawPointer(handle).deallocate()
            if let owner { Unmanaged<AnyObject>.fromOpaque(owner).release() }
        }
    }
}

/// The object that a handle belongs to.
///
/// `type` must be the one given to `own`.
func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type) -> Owner? {
    guard let data else { return nil }
    return Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
}
