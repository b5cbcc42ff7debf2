#include <stdexcept>
#include <utility>

#include "bindings/bindings.hpp"
#include "core/device_times.hpp"

namespace stratoperf::bindings {
namespace {

struct CapsuleContent {
  stratoperf_operation operation = {};  // first: the capsule points at it
  py::object keep_alive;
};

void destroy_capsule(PyObject* capsule) {
  void* pointer = PyCapsule_GetPointer(capsule, STRATOPERF_OPERATION_CAPSULE);
  auto* content = static_cast<CapsuleContent*>(pointer);
  if (content->operation.destroy != nullptr) {
    content->operation.destroy(content->operation.state);
  }
  delete content;
}

// The cheapest operation: what is left of a measurement of it is the harness itself.
class Empty final : public Operation {
 public:
  void run(std::uint64_t n) override {
    for (std::uint64_t i = 0; i < n; ++i) {
      asm volatile("" ::: "memory");
    }
  }
};

}  // namespace

py::capsule operation_capsule(std::unique_ptr<Operation> operation, py::object keep_alive) {
  auto content = std::make_unique<CapsuleContent>();
  export_operation(std::move(operation), content->operation);
  content->keep_alive = std::move(keep_alive);
  PyObject* capsule =
      PyCapsule_New(&content->operation, STRATOPERF_OPERATION_CAPSULE, destroy_capsule);
  if (capsule == nullptr) {
    content->operation.destroy(content->operation.state);
    throw py::error_already_set();
  }
  static_cast<void>(content.release());
  return py::reinterpret_steal<py::capsule>(capsule);
}

stratoperf_operation& operation_from(const py::object& capsule) {
  if (!PyCapsule_IsValid(capsule.ptr(), STRATOPERF_OPERATION_CAPSULE)) {
    throw std::invalid_argument(
        "operation: expected a PyCapsule named '" STRATOPERF_OPERATION_CAPSULE "', got " +
        py::repr(capsule).cast<std::string>());
  }
  auto* operation = static_cast<stratoperf_operation*>(
      PyCapsule_GetPointer(capsule.ptr(), STRATOPERF_OPERATION_CAPSULE));
  if (operation->struct_size < kSmallestOperation || operation->run == nullptr) {
    throw std::invalid_argument(
        "operation: the structure in the capsule is too small or has no run function; build it "
        "against the header in stratoperf.get_include()");
  }
  return *operation;
}

void register_operation(py::module_ module) {
  module.def(
      "empty", [] { return operation_capsule(std::make_unique<Empty>(), py::none()); },
      "An operation that does nothing: measuring it measures the harness.");
}

}  // namespace stratoperf::bindings
