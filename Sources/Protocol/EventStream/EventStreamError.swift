// Gatehouse. SPDX-License-Identifier: MIT

/// An event stream that cannot be read on, or an event that must not be written.
package enum EventStreamError: Error, Equatable, Sendable {
    /// A line is longer than the limit. Nothing more can be read.
    case lineTooLong
    /// The data of an event is larger than the limit. Nothing more can be read.
    case eventTooLarge
    /// An id or type to be read is longer than the limit. Nothing more can be read.
    case nameTooLong
    /// An id or type to be written is empty or holds a byte that is not visible ASCII. Nothing was written.
    case unsafeName
}
