/* Native operations of a name, for all that measure them: stratoperf, Google Benchmark, loops. */
#pragma once

#include "stratoperf/operation.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns a new operation, which lives as long as the process; NULL for an unknown name or where
 * something that it needs cannot be had. */
stratoperf_operation* make_operation(const char* name);

/* Performs n iterations; returns 0, or nonzero on failure. */
int run_operation(stratoperf_operation* operation, uint64_t n);

#ifdef __cplusplus
}
#endif
