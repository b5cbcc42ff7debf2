/* A whole process that performs an operation so many times: NAME ITERATIONS. */
#include <stdio.h>
#include <stdlib.h>

#include "native_work.h"

int main(int count, char** arguments) {
  if (count != 3) {
    return 2;
  }
  stratoperf_operation* operation = make_operation(arguments[1]);
  if (operation == NULL) {
    fprintf(stderr, "no operation %s\n", arguments[1]);
    return 2;
  }
  return run_operation(operation, strtoull(arguments[2], NULL, 10));
}
