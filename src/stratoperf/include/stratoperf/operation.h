/* The operation interface, version 1.
 *
 * An operation is the piece of work that the sampler times. A package hands one over in a
 * PyCapsule named STRATOPERF_OPERATION_CAPSULE whose pointer is a stratoperf_operation; nothing
 * links against stratoperf. The capsule owns the structure: its destructor calls destroy(state)
 * and frees the structure.
 *
 * The sampler calls the functions from one thread at a time, usually without the GIL.
 */
#ifndef STRATOPERF_OPERATION_H
#define STRATOPERF_OPERATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STRATOPERF_OPERATION_CAPSULE "stratoperf.operation/1"

typedef struct stratoperf_operation {
  /* sizeof(stratoperf_operation) of the producer; later minor versions only append fields. */
  uint32_t struct_size;

  /* The stop token: the sampler (or a signal handler) sets it to nonzero. An operation whose run
   * can last over 0.1 s polls it with a relaxed atomic load and returns 0 early; the sampler
   * drops the sample that was cut short. The sampler resets it before a measurement. */
  int32_t stop;

  void* state;

  /* Performs n iterations back to back. Timed. Returns 0, or nonzero on failure. */
  int (*run)(void* state, uint64_t n);

  /* Optional (may be NULL): called before each run(state, n), outside the timed region. */
  int (*prepare)(void* state, uint64_t n);

  /* Optional: checks the outcome of the work that was timed, outside the timed region. Stores
   * how many outcomes it checked and returns 0 when all are right, nonzero otherwise. */
  int (*verify)(void* state, uint64_t* checked);

  /* Optional: why the last call returned nonzero; valid until the next call. */
  const char* (*message)(void* state);

  /* Optional: frees the state. */
  void (*destroy)(void* state);

  /* Optional, since minor version 1 (structures that end before it are taken as they are): performs
   * n iterations as run does, and stores for how many nanoseconds a device was busy with them, by
   * the device's own clock. Called after the sampling, outside the timed region. Returns 0, or
   * nonzero on failure. */
  int (*device_time)(void* state, uint64_t n, double* device_ns);
} stratoperf_operation;

#ifdef __cplusplus
}
#endif

#endif /* STRATOPERF_OPERATION_H */
