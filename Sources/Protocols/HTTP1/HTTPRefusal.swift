/// Why a message was refused. Refusals are final: the framing can no longer be trusted, so the connection closes after
/// the answer (RFC 9112, section 9.6).
///
/// One case for each rule, so that tests and logs can tell them apart; ``status`` is for the client, ``reason`` for both.
/// Where the message was an upstream's, the client's answer is 502 and the status here does not apply.
public enum HTTPRefusal: String, Error, CaseIterable, Sendable {
    // Lines and bytes (RFC 9112, sections 2.2 and 5).
    case bareLineFeed, bareCarriageReturn, controlCharacter, emptyLine
    case headTooLong, tooManyFields
    // Request line (section 3).
    case malformedRequestLine, invalidMethod, methodTooLong, targetTooLong, invalidTarget, fragmentInTarget
    case targetNotForMethod, connectUnsupported, malformedVersion, unsupportedVersion
    // Field lines (section 5).
    case whitespaceBeforeField, spaceBeforeColon, emptyFieldName, invalidFieldName, missingColon
    // Host (section 3.2; RFC 9110, section 7.2).
    case missingHost, repeatedHost, invalidHost, hostDisagrees
    // Framing (section 6).
    case invalidContentLength, repeatedContentLength, lengthAndTransferEncoding
    case repeatedTransferEncoding, malformedTransferEncoding, chunkedNotLast, unknownTransferCoding
    case transferEncodingOnHTTP10
    case invalidConnection, unknownExpectation
    // Chunks (section 7.1).
    case invalidChunkSize, chunkTooLarge, chunkExtension, chunkExtensionTooLong, missingChunkEnd, trailersTooLong
    case forbiddenTrailer
    // Time: the rest of a head did not come.
    case headTimedOut
    // Responses (section 4).
    case malformedStatusLine, unexpectedUpgrade

    /// The status to answer a client with.
    public var status: Int {
        switch self {
        case .bareLineFeed, .bareCarriageReturn, .controlCharacter, .emptyLine, .malformedRequestLine, .invalidMethod,
            .invalidTarget, .fragmentInTarget, .targetNotForMethod, .malformedVersion, .whitespaceBeforeField,
            .spaceBeforeColon, .emptyFieldName, .invalidFieldName, .missingColon, .missingHost, .repeatedHost,
            .invalidHost, .hostDisagrees, .invalidContentLength, .repeatedContentLength, .lengthAndTransferEncoding,
            .repeatedTransferEncoding, .malformedTransferEncoding, .chunkedNotLast, .transferEncodingOnHTTP10,
            .invalidConnection, .invalidChunkSize, .chunkExtension, .chunkExtensionTooLong, .missingChunkEnd,
            .forbiddenTrailer:
            400
        case .headTimedOut: 408
        case .chunkTooLarge: 413
        case .targetTooLong: 414
        case .unknownExpectation: 417
        case .headTooLong, .tooManyFields, .trailersTooLong: 431
        case .methodTooLong, .connectUnsupported, .unknownTransferCoding: 501
        case .malformedStatusLine, .unexpectedUpgrade: 502
        case .unsupportedVersion: 505
        }
    }

    /// What was wrong, in words that may be logged and sent: they never hold bytes of the message.
    public var reason: String {
        switch self {
        case .bareLineFeed: "a line ends with LF alone"
        case .bareCarriageReturn: "CR without LF"
        case .controlCharacter: "a control character"
        case .emptyLine: "more than one empty line before the message"
        case .headTooLong: "the head is too long"
        case .tooManyFields: "too many header fields"
        case .malformedRequestLine: "the request line is not 'method target version'"
        case .invalidMethod: "the method is not a token"
        case .methodTooLong: "the method is too long to be known"
        case .targetTooLong: "the request target is too long"
        case .invalidTarget: "the request target is not a valid URI"
        case .fragmentInTarget: "the request target has a fragment"
        case .targetNotForMethod: "this form of target is not for this method"
        case .connectUnsupported: "CONNECT is not offered"
        case .malformedVersion: "the protocol version is malformed"
        case .unsupportedVersion: "only HTTP/1.0 and HTTP/1.1 are spoken here"
        case .whitespaceBeforeField: "a header line begins with white space"
        case .spaceBeforeColon: "white space between a field's name and its colon"
        case .emptyFieldName: "a header field without a name"
        case .invalidFieldName: "a header field's name is not a token"
        case .missingColon: "a header line without a colon"
        case .missingHost: "no Host field"
        case .repeatedHost: "more than one Host field"
        case .invalidHost: "the Host is not a valid authority"
        case .hostDisagrees: "the Host differs from the target's authority"
        case .invalidContentLength: "the Content-Length is not a number"
        case .repeatedContentLength: "more than one Content-Length"
        case .lengthAndTransferEncoding: "both Content-Length and Transfer-Encoding"
        case .repeatedTransferEncoding: "more than one Transfer-Encoding"
        case .malformedTransferEncoding: "the Transfer-Encoding is malformed"
        case .chunkedNotLast: "chunked is not the last transfer coding"
        case .unknownTransferCoding: "a transfer coding other than chunked"
        case .transferEncodingOnHTTP10: "Transfer-Encoding in HTTP/1.0"
        case .invalidConnection: "the Connection field is malformed"
        case .unknownExpectation: "an expectation other than 100-continue"
        case .invalidChunkSize: "a chunk's size is malformed"
        case .chunkTooLarge: "a chunk's size is too large"
        case .chunkExtension: "chunk extensions are not accepted"
        case .chunkExtensionTooLong: "a chunk extension is too long"
        case .missingChunkEnd: "a chunk does not end where its size says"
        case .trailersTooLong: "the trailers are too long"
        case .headTimedOut: "the head did not come in time"
        case .forbiddenTrailer: "a trailer that belongs into the head"
        case .malformedStatusLine: "the status line is malformed"
        case .unexpectedUpgrade: "a protocol switch nobody asked for"
        }
    }
}
