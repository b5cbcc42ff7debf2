// The native operations under Google Benchmark: its own options, then the name of one of them.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "native_work.h"

int main(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  if (count != 2) {
    std::fputs("NAME is missing, or an option is unknown\n", stderr);
    return 2;
  }
  const char* name = arguments[1];
  stratoperf_operation* operation = make_operation(name);
  if (operation == nullptr) {
    std::fprintf(stderr, "no operation %s\n", name);
    return 2;
  }
  benchmark::RegisterBenchmark(name, [operation](benchmark::State& state) {
    for (auto _ : state) {
      if (run_operation(operation, 1) != 0) {
        state.SkipWithError("the operation failed");
        break;
      }
    }
  })->UseRealTime();
  benchmark::RunSpecifiedBenchmarks();
}
