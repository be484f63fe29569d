import Foundation
import NIOCore
import NetworkReasons

/// Why an address can't be listened on.
package struct ListenFailure: Error, CustomStringConvertible {
    package let description: String

    package init(at address: String, _ error: any Error) {
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE:
            description = "\(address) is in use by another process"
        default:
            description = "can't listen on \(address): \(NetworkReason(error))"
        }
    }
}
