/*
 * Functions that sign their return address (aarch64, -mbranch-protection): their unwind tables say
 * where that begins and ends with an instruction of their own, DW_CFA_AARCH64_negate_ra_state
 * (AADWARF64), which libunwind before 1.8 takes for an error. What is signed is made an address
 * again by whoever reads it (dlw_arch_address), so the instruction need not be known: it is hidden.
 */
#ifndef DLW_STACKS_SIGNED_H
#define DLW_STACKS_SIGNED_H

#include <stddef.h>
#include <stdint.h>

enum { DLW_SIGNS = 32 };

/* Where such instructions stand in the tables of one function. */
struct dlw_signs {
    uintptr_t at[DLW_SIGNS];
    unsigned n; /* those behind as many as there is room for are not known */
};

/* Looks through the entry at `fde`, in readable memory that lasts until `end`. What makes no sense
 * ends the look. */
void dlw_signs_find(uintptr_t fde, uintptr_t start, uintptr_t end, struct dlw_signs *out);

/* Makes them do nothing in a copy of so many bytes from `address`. */
void dlw_signs_hide(const struct dlw_signs *signs, uintptr_t address, void *copy, size_t size);

#endif
