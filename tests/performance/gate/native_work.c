/* Work whose amount is known: a chain of dependent steps, so that twice as many take twice as
 * long. Built by operations.py; hands over a stratoperf_operation, and a plain function. */
#include <stdlib.h>

#include "stratoperf/operation.h"

typedef struct {
  stratoperf_operation operation;
  uint64_t steps;
  uint64_t value;
  uint64_t runs;
} native_work;

uint64_t spin(uint64_t value, uint64_t steps) {
  for (uint64_t i = 0; i < steps; ++i) {
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
  }
  return value;
}

static int run(void* state, uint64_t n) {
  native_work* self = state;
  for (uint64_t i = 0; i < n; ++i) {
    self->value = spin(self->value, self->steps);
  }
  self->runs += n;
  return 0;
}

/* The chain from its start, as often as it was run: the same end, or the work was not done. */
static int verify(void* state, uint64_t* checked) {
  native_work* self = state;
  const uint64_t expected = spin(1, self->steps * self->runs);
  *checked = self->runs;
  return expected != self->value;
}

stratoperf_operation* make_native_work(uint64_t steps) {
  native_work* self = calloc(1, sizeof(*self));
  if (self == NULL) {
    return NULL;
  }
  self->steps = steps;
  self->value = 1;
  self->operation.struct_size = sizeof(self->operation);
  self->operation.state = self;
  self->operation.run = run;
  self->operation.verify = verify;
  return &self->operation;
}
