import Admission
import S3API
import Valet

extension Grant.Reach {
    /// Where somebody has to be permitted to do what, so that it is all of the reach. For a prefix, listing it, and the rest on a
    /// key below it that nobody has thought of: a right to single keys there is none to all of them.
    ///
    /// - Parameter name: of a key that is nobody's.
    func places(
        of actions: ActionSet,
        in bucket: BucketName,
        nobodys name: String
    ) -> [(ActionSet, AccessQuestion.Target)] {
        switch self {
        case .key(let key):
            return [(actions, .object(bucket, key))]
        case .prefix(let prefix):
            let folder = prefix.isEmpty || prefix.last == UInt8(ascii: "/") ? prefix : prefix + [UInt8(ascii: "/")]
            let listing = actions.intersection(.list)
            let places: [(ActionSet, AccessQuestion.Target)] = [
                (listing, .listing(bucket, prefix: folder)),
                (actions.subtracting(.list), .object(bucket, ObjectKey(folder + Array(name.utf8)))),
            ]
            return places.filter { !$0.0.isEmpty }
        }
    }
}
