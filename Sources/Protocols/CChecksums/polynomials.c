#include "polynomials.h"

crc_tables gatehouse_crc_tables[gatehouse_crc_kinds];

static unsigned width(gatehouse_crc_kind kind) { return kind == GATEHOUSE_CRC64NVME ? 64 : 32; }

static uint64_t polynomial(gatehouse_crc_kind kind) {
    switch (kind) {
    case GATEHOUSE_CRC32: return 0xEDB88320;
    case GATEHOUSE_CRC32C: return 0x82F63B78;
    case GATEHOUSE_CRC64NVME: return 0x9A6C9329AC4BC9B5;
    }
    return 0;
}

uint64_t gatehouse_all_ones(gatehouse_crc_kind kind) { return ~(uint64_t)0 >> (64 - width(kind)); }

static uint64_t one(gatehouse_crc_kind kind) { return (uint64_t)1 << (width(kind) - 1); }

static uint64_t times_x(gatehouse_crc_kind kind, uint64_t a) { return (a >> 1) ^ (a & 1 ? polynomial(kind) : 0); }

uint64_t gatehouse_product(gatehouse_crc_kind kind, uint64_t a, uint64_t b) {
    uint64_t sum = 0;
    for (uint64_t bit = one(kind); bit != 0; bit >>= 1) {
        if (a & bit) sum ^= b;
        b = times_x(kind, b);
    }
    return sum;
}

uint64_t gatehouse_power(gatehouse_crc_kind kind, uint64_t exponent) {
    uint64_t result = one(kind);
    for (uint64_t square = one(kind) >> 1; exponent != 0; exponent >>= 1) {
        if (exponent & 1) result = gatehouse_product(kind, result, square);
        square = gatehouse_product(kind, square, square);
    }
    return result;
}

// A block of 16 bytes is low * x^64 + high. To move it n bits on, each half is multiplied with a power of x. The
// carry-less product of two reflected words of 64 bits comes out shifted by one bit, hence the "- 1".
// Gopal, Ozturk et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009.
static fold fold_by(gatehouse_crc_kind kind, uint64_t bits) {
    unsigned shift = 64 - width(kind);
    fold result = {
        .low = gatehouse_power(kind, bits + 64 - 1) << shift,
        .high = gatehouse_power(kind, bits - 1) << shift,
    };
    return result;
}

static void fill(gatehouse_crc_kind kind) {
    crc_tables *tables = &gatehouse_crc_tables[kind];
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t value = byte;
        for (int bit = 0; bit < 8; bit++) value = times_x(kind, value);
        tables->bytes[0][byte] = value;
    }
    for (unsigned zeros = 1; zeros < 8; zeros++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint64_t shorter = tables->bytes[zeros - 1][byte];
            tables->bytes[zeros][byte] = (shorter >> 8) ^ tables->bytes[0][shorter & 0xFF];
        }
    }
    tables->by_64 = fold_by(kind, 512);
    tables->by_16 = fold_by(kind, 128);
}

// Before main(): no lock and no check on the path of the bytes.
__attribute__((constructor)) static void fill_all(void) {
    fill(GATEHOUSE_CRC32);
    fill(GATEHOUSE_CRC32C);
    fill(GATEHOUSE_CRC64NVME);
}
