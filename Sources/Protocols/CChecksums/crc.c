#include <string.h>

#include "CChecksums.h"
#include "polynomials.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// `state` is the check before the final inversion.
static uint64_t by_tables(const crc_tables *tables, uint64_t state, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        word ^= state;
        state = tables->bytes[7][word & 0xFF] ^ tables->bytes[6][word >> 8 & 0xFF] ^ tables->bytes[5][word >> 16 & 0xFF]
            ^ tables->bytes[4][word >> 24 & 0xFF] ^ tables->bytes[3][word >> 32 & 0xFF]
            ^ tables->bytes[2][word >> 40 & 0xFF] ^ tables->bytes[1][word >> 48 & 0xFF] ^ tables->bytes[0][word >> 56];
    }
    for (; count > 0; bytes++, count--) state = (state >> 8) ^ tables->bytes[0][(state ^ *bytes) & 0xFF];
    return state;
}

#if defined(__x86_64__)

#define FOLDING __attribute__((target("sse4.1,pclmul")))

FOLDING static inline __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

// The block moved on, and what stands there added.
FOLDING static inline __m128i folded(__m128i block, __m128i constants, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(block, constants, 0x00);
    __m128i high = _mm_clmulepi64_si128(block, constants, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// Four blocks at a time are folded onto the next four; then the four, and the blocks that are left, onto one. That one
// has the same remainder as all that went into it, and the tables do the rest. At least 64 bytes.
FOLDING static uint64_t by_folding(const crc_tables *tables, uint64_t state, const uint8_t *bytes, size_t count) {
    __m128i constants = _mm_set_epi64x((int64_t)tables->by_64.high, (int64_t)tables->by_64.low);
    __m128i a = _mm_xor_si128(load(bytes), _mm_cvtsi64_si128((int64_t)state));
    __m128i b = load(bytes + 16), c = load(bytes + 32), d = load(bytes + 48);
    bytes += 64;
    count -= 64;
    for (; count >= 64; bytes += 64, count -= 64) {
        a = folded(a, constants, load(bytes));
        b = folded(b, constants, load(bytes + 16));
        c = folded(c, constants, load(bytes + 32));
        d = folded(d, constants, load(bytes + 48));
    }
    constants = _mm_set_epi64x((int64_t)tables->by_16.high, (int64_t)tables->by_16.low);
    a = folded(folded(folded(a, constants, b), constants, c), constants, d);
    for (; count >= 16; bytes += 16, count -= 16) a = folded(a, constants, load(bytes));
    uint8_t block[16];
    _mm_storeu_si128((__m128i *)block, a);
    return by_tables(tables, by_tables(tables, 0, block, 16), bytes, count);
}

static int has_folding;

__attribute__((constructor)) static void find_folding(void) {
    __builtin_cpu_init();
    has_folding = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

#endif

uint64_t gatehouse_crc(gatehouse_crc_kind kind, uint64_t value, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (count >= 64 && has_folding) {
        uint64_t ones = gatehouse_all_ones(kind);
        return by_folding(&gatehouse_crc_tables[kind], value ^ ones, bytes, count) ^ ones;
    }
#endif
    return gatehouse_crc_portable(kind, value, bytes, count);
}

uint64_t gatehouse_crc_portable(gatehouse_crc_kind kind, uint64_t value, const void *bytes, size_t count) {
    uint64_t ones = gatehouse_all_ones(kind);
    return by_tables(&gatehouse_crc_tables[kind], value ^ ones, bytes, count) ^ ones;
}

uint64_t gatehouse_crc_combine(gatehouse_crc_kind kind, uint64_t first, uint64_t second, uint64_t second_length) {
    // x^(8n) without overflow of 8n.
    uint64_t shift = gatehouse_power(kind, second_length);
    for (int doubling = 0; doubling < 3; doubling++) shift = gatehouse_product(kind, shift, shift);
    return gatehouse_product(kind, shift, first) ^ second;
}

int gatehouse_crc_is_accelerated(void) {
#if defined(__x86_64__)
    return has_folding;
#else
    return 0;
#endif
}
