// Arithmetic of polynomials over GF(2), modulo the polynomial of a check, and what is precomputed from it.
//
// Coefficients are reflected, as the checks are: the highest bit of a word is the coefficient of x^0. All three checks
// use words of 64 bits; one of 32 bits lives in the low half as a value (`narrow`) and in the high half as a polynomial
// of a 64-bit word (`wide`).
#ifndef GATEHOUSE_POLYNOMIALS_H
#define GATEHOUSE_POLYNOMIALS_H

#include <stdint.h>

#include "CChecksums.h"

enum { gatehouse_crc_kinds = 3 };

// What a 16-byte block is multiplied with to move it a number of bytes towards the front.
typedef struct fold {
    uint64_t low;   // of its first eight bytes
    uint64_t high;  // of its last eight
} fold;

typedef struct crc_tables {
    uint64_t bytes[8][256];  // [n][b]: the check of byte b followed by n zero bytes
    fold by_64;              // four blocks on
    fold by_16;              // one block on
} crc_tables;

// Filled in before main().
extern crc_tables gatehouse_crc_tables[gatehouse_crc_kinds];

uint64_t gatehouse_all_ones(gatehouse_crc_kind kind);

// a * b
uint64_t gatehouse_product(gatehouse_crc_kind kind, uint64_t a, uint64_t b);

// x^exponent
uint64_t gatehouse_power(gatehouse_crc_kind kind, uint64_t exponent);

#endif
