// Gatehouse. SPDX-License-Identifier: MIT

/// A reference that does not keep its object, for closures that outlive an object on the path of every message.
///
/// Like a weak reference it is empty once the object has gone. Unlike one it leaves the object's reference count in its
/// quick form: an object that was ever referred to weakly takes a longer way at each retain and release, for good.
///
/// The object owns it, sets it when it is made, and clears it in its `deinit`. One loop's, like the object.
package final class LoopReference<Object: AnyObject> {
    // safe: the object clears it first of all in its `deinit`, on the one thread that uses both.
    private unowned(unsafe) var held: Object?

    /// Starts empty.
    package init() {}

    /// The object; nil once it has gone.
    package var object: Object? { unsafe held }

    /// Begins to refer to its owner.
    package func set(_ object: Object) {
        unsafe held = object
    }

    /// Refers to nothing any more; to be called by the `deinit` of the object.
    package func clear() {
        unsafe held = nil
    }
}
