// The cyclic redundancy checks that S3 knows: reflected, all ones at the start, inverted at the end.
#ifndef GATEHOUSE_CCHECKSUMS_H
#define GATEHOUSE_CCHECKSUMS_H

#include <stddef.h>
#include <stdint.h>

typedef enum gatehouse_crc_kind {
    GATEHOUSE_CRC32 = 0,      // RFC 1952
    GATEHOUSE_CRC32C = 1,     // RFC 3720, 12.1
    GATEHOUSE_CRC64NVME = 2,  // NVM Express NVM Command Set Specification, 5.2.1.3.4
} gatehouse_crc_kind;

// The check of what `value` is the check of (0: nothing), followed by these bytes. Checks of 32 bits are in the low half.
// Uses the processor's carry-less multiplication where it has one.
uint64_t gatehouse_crc(gatehouse_crc_kind kind, uint64_t value, const void *bytes, size_t count);

// The same by tables alone.
uint64_t gatehouse_crc_portable(gatehouse_crc_kind kind, uint64_t value, const void *bytes, size_t count);

// The check of two runs of bytes, one after the other, from the check of each and the length of the second.
uint64_t gatehouse_crc_combine(gatehouse_crc_kind kind, uint64_t first, uint64_t second, uint64_t second_length);

// Whether gatehouse_crc() does more than gatehouse_crc_portable() on this machine: 0 or 1.
int gatehouse_crc_is_accelerated(void);

#endif
