/*
 * What Rust's symbols stand for. Both manglings; what is not understood is left as it is.
 *
 * Our own, since no library has it wherever this builds: libiberty knows the newer mangling from
 * binutils 2.36 on (Debian 11 has 2.35.2) and LLVM's from 13 on (Debian 11 has 11), both write
 * generic arguments out, which would make one mistake many fingerprints, and the hash of the crate.
 */
#ifndef DLW_COMMAND_SYMBOLS_RUST_H
#define DLW_COMMAND_SYMBOLS_RUST_H

#include <stdbool.h>
#include <stddef.h>

/* The older one looks like C++'s, with a hash at the end that is cut off already: decodes the
 * escapes in place. "main::_$u7b$$u7b$closure$u7d$$u7d$" is main::{{closure}}. */
void dlw_rust_decode(char *name);

/* The newer one ("_R…", Rust RFC 2603): the path alone, without generic arguments. False: it is
 * none, or holds what is not known here. */
bool dlw_rust_demangle(const char *symbol, char *out, size_t room);

#endif
