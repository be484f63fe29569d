/// What libFuzzer calls with each input. A broken invariant traps, which the fuzzer reports with the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAWSChunked(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
    if let problem = brokenChunkedInvariant(of: input) { fatalError(problem) }
    return 0
}
