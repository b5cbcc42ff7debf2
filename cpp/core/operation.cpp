#include "core/operation.hpp"

#include <exception>
#include <utility>

namespace stratoperf {
namespace {

struct ExportedState {
  std::unique_ptr<Operation> operation;
  std::string message = {};
};

ExportedState& state_of(void* state) { return *static_cast<ExportedState*>(state); }

template <typename Body>
int guarded(void* state, Body&& body) {
  ExportedState& exported = state_of(state);
  try {
    return body(exported);
  } catch (const std::exception& error) {
    exported.message = error.what();
  } catch (...) {
    exported.message = "unknown C++ exception";
  }
  return 1;
}

}  // namespace

void export_operation(std::unique_ptr<Operation> operation, stratoperf_operation& target) {
  operation->stop_ = &target.stop;
  target.struct_size = sizeof(stratoperf_operation);
  target.stop = 0;
  target.state = new ExportedState{std::move(operation)};
  target.run = [](void* state, std::uint64_t n) {
    return guarded(state, [n](ExportedState& exported) {
      exported.operation->run(n);
      return 0;
    });
  };
  target.prepare = [](void* state, std::uint64_t n) {
    return guarded(state, [n](ExportedState& exported) {
      exported.operation->prepare(n);
      return 0;
    });
  };
  target.verify = [](void* state, std::uint64_t* checked) {
    return guarded(state, [checked](ExportedState& exported) {
      Verification outcome = exported.operation->verify();
      *checked = outcome.checked;
      exported.message = std::move(outcome.message);
      return outcome.passed ? 0 : 1;
    });
  };
  target.device_time = nullptr;
  if (state_of(target.state).operation->has_device_time()) {
    target.device_time = [](void* state, std::uint64_t n, double* device_ns) {
      return guarded(state, [n, device_ns](ExportedState& exported) {
        *device_ns = exported.operation->device_time(n);
        return 0;
      });
    };
  }
  target.message = [](void* state) { return state_of(state).message.c_str(); };
  target.destroy = [](void* state) { delete &state_of(state); };
}

}  // namespace stratoperf
